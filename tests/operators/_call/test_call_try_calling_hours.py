"""A start operator waits for the calling hours before it stores or places anything, and never dials outside.

The desk's clock begins on Thursday, 9 October 2025, at 11:53:20 in Moscow.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow_desk import new_desk
from airflow_fakes import CONTACT, Desk, TaskInstance
from calling_hours_desk import MOSCOW, START, at, dialled_at, move_to, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ways_to_wait import ways

from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered, CallTooLate
from airflow_provider_callapi.triggers import shortest_deferral

pytest_plugins = ["airflow_desk"]


@ways
def test_a_task_that_starts_at_night_sends_no_request_before_the_morning(
    desk: Desk, way: str, capsys: Any
) -> None:
    move_to(desk, "2025-10-09T22:00")
    calling = task(desk, way, calling_days={"days": "workdays", "except": ["2025-10-10"]})

    assert calling.run()["answered"] is True

    assert dialled_at(desk) == [at("2025-10-13T09:00")]
    assert min(entry.time for entry in desk.exchange.journal) >= at("2025-10-13T09:00")
    assert (
        "start.informer_call: waiting until 2025-10-13 09:00:00 Europe/Moscow, because the contact may be "
        "called only in the calling hours (09:00 to 21:00, workdays of RU except 1 day)"
    ) in capsys.readouterr().out


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_task_stores_no_value_before_the_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    move_to(desk, "2025-10-09T22:00")
    calling, stored = task(desk, "deferral"), []
    trigger = calling.trigger
    monkeypatch.setattr(
        calling, "trigger", lambda given: (stored.append(dict(calling.state.values)), trigger(given))[1]
    )
    calling.run()
    assert stored[0] == {}
    assert calling.deferrals[0].method_name == "search_again"


def test_a_short_deferral_until_the_calling_hours_does_not_end_before_the_scheduler_knows_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortest_deferral, "SHORTEST_DEFERRAL", 5.0)
    move_to(desk, "2025-10-10T08:59:59")
    calling = task(desk, "deferral")
    before = datetime.now(UTC)

    assert calling.run()["answered"] is True

    assert calling.deferrals[0].trigger.serialize()[1]["moment"] >= before + timedelta(seconds=5)
    assert at("2025-10-10T09:00") <= dialled_at(desk)[0] < at("2025-10-10T09:01")


@ways
@pytest.mark.parametrize("hours", [None, ["09:00", "21:00"]])
def test_a_call_within_the_calling_hours_or_without_them_is_placed_at_once(
    desk: Desk, way: str, hours: list[str] | None
) -> None:
    began = desk.clock()
    task(desk, way, calling_hours=hours).run()
    assert dialled_at(desk) == [began]


def test_the_parameter_timezone_is_the_time_zone_of_the_contact(desk: Desk) -> None:
    began = desk.clock()
    task(desk, timezone="Asia/Vladivostok", calling_hours=["09:00", "18:00"]).run()
    assert dialled_at(desk) == [at("2025-10-10T09:00", "Asia/Vladivostok")] != [began]


@ways
def test_a_wait_beyond_max_lateness_fails_at_once(desk: Desk, way: str) -> None:
    move_to(desk, "2025-10-09T22:00")
    calling = task(desk, way, max_lateness=timedelta(hours=10))

    with pytest.raises(
        CallTooLate, match=r"open at 2025-10-10 09:00:00 Europe/Moscow, after the end of max_lateness \(10:0"
    ):
        calling.run()

    assert (desk.exchange.journal, desk.slept, calling.deferrals) == ([], [], [])


@ways
def test_max_lateness_holds_after_the_wait(desk: Desk, way: str) -> None:
    move_to(desk, "2025-10-09T22:00")
    began = desk.clock()
    calling = task(desk, way, max_lateness=timedelta(hours=11))
    calling.run_after = calling.now
    desk.monkeypatch.setattr(calling, "trigger", lambda given: desk.clock.advance(12 * 3600) and None)

    if way == "worker":
        calling.run()
        assert dialled_at(desk) == [began + 11 * 3600]
    else:  # the triggerer was down for an hour
        with pytest.raises(CallTooLate, match="max_lateness"):
            calling.run()
        assert desk.exchange.journal == []


@ways
def test_a_wait_beyond_the_execution_timeout_fails_at_once(desk: Desk, way: str) -> None:
    move_to(desk, "2025-10-09T22:00")
    with pytest.raises(CallApiFailure, match="execution_timeout to wait until then"):
        task(desk, way, execution_timeout=timedelta(hours=2)).run()
    assert (desk.exchange.journal, desk.slept) == ([], [])


def test_a_year_that_the_calendar_does_not_know_fails_before_a_request(desk: Desk) -> None:
    move_to(desk, "2040-01-01T12:00")
    with pytest.raises(CallApiFailure, match=r"calling_days: .* does not know the workdays of 2040"):
        task(desk, calling_days="workdays").run()
    with pytest.raises(CallApiFailure, match=r"region: the package holidays has no calendar of 'AC'"):
        task(desk, calling_days="workdays", region="AC", contact="+79161234567").run()
    assert desk.exchange.journal == []


CLOCKS = st.builds(lambda quarter: time(quarter // 4, quarter % 4 * 15), st.integers(0, 95))
DATES = st.sets(st.dates(date(2025, 12, 29), date(2026, 4, 2)), max_size=8)
BEGINNINGS = st.one_of(
    st.integers(int(at("2025-12-29T00:00")), int(at("2026-01-13T00:00"))),
    st.integers(int(at("2026-03-27T00:00")), int(at("2026-03-31T00:00"))),
    st.integers(int(at("2026-10-23T00:00")), int(at("2026-10-26T00:00"))),
)


@pytest.mark.no_cover
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(
    begins=BEGINNINGS,
    hours=st.lists(CLOCKS, min_size=2, max_size=2, unique=True),
    days=st.sampled_from(["workdays", ["sat", "sun"], ["mon", "wed", "fri"], ["sun"]]),
    also=DATES,
    off=DATES,
    zone=st.sampled_from(["Europe/Berlin", MOSCOW, "America/Havana", "Asia/Vladivostok"]),
    way=st.sampled_from(["worker", "deferral"]),
    busy=st.booleans(),
    loses=st.booleans(),
)
def test_no_start_request_is_sent_outside_the_hours_and_days(
    *,
    monkeypatch: pytest.MonkeyPatch,
    begins: int,
    hours: list[time],
    days: Any,
    also: set[date],
    off: set[date],
    zone: str,
    way: str,
    busy: bool,
    loses: bool,
) -> None:
    import holidays

    desk = new_desk(monkeypatch, Profile())
    desk.clock.advance(begins - desk.clock())
    if busy:
        desk.exchange.script(CONTACT, Script.busy(5))
    if loses:
        desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    given = {"days": days, "also": sorted(map(str, also - off)), "except": sorted(map(str, off))}
    calling = task(
        desk,
        way,
        calling_hours=[f"{opens:%H:%M}" for opens in hours],
        calling_days=given,
        timezone=zone,
        external_id=None,
        require_answer=busy,
        delivery="at_least_once",
    )
    calling.ti = TaskInstance()
    for attempt in (calling.run, calling.retry, calling.clear):
        try:
            attempt()
        except CallNotAnswered:
            desk.clock.advance(600)

    calendar, names = holidays.country_holidays("RU"), ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

    def is_day(day: date) -> bool:
        if day in also | off:
            return day in also - off
        return calendar.is_working_day(day) if days == "workdays" else names[day.weekday()] in days

    opens, closes = hours
    assert dialled_at(desk)
    for moment in dialled_at(desk):
        wall = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone))
        today, clock = wall.date(), wall.time()
        if opens < closes:
            assert is_day(today)
            assert opens <= clock < closes
        else:
            yesterday = today - timedelta(days=1)
            assert (is_day(today) and clock >= opens) or (is_day(yesterday) and clock < closes)
            assert today not in off
