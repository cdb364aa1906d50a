"""A start operator waits for the calling hours before it stores or places anything, and never dials outside.

The desk's clock begins on Thursday, 9 October 2025, at 11:53:20 in Moscow.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from airflow.sdk import DAG
from airflow_desk import new_desk
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task, TaskInstance, informer_task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallNotAnswered,
    CallStillActive,
    CallTooLate,
    InvalidParameter,
)
from airflow_provider_callapi.operators import start_call
from airflow_provider_callapi.triggers import shortest_deferral

pytest_plugins = ["airflow_desk"]

MOSCOW = "Europe/Moscow"
ways = pytest.mark.parametrize("way", ["worker", "deferral"])
START = "start.informer_call"


def at(text: str, zone: str = MOSCOW) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def move_to(desk: Desk, text: str) -> None:
    desk.clock.advance(at(text) - desk.clock())


def task(desk: Desk, way: str = "worker", **changes: Any) -> Task:
    options = {"calling_hours": ["09:00", "21:00"], "max_lateness": None, **changes}
    return informer_task(desk, deferrable=way == "deferral", **options)


def dialled_at(desk: Desk) -> list[float]:
    requests = [entry for entry in desk.exchange.journal if entry.kind == "request"]
    return [request.time for request in requests if request.method == START]


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


# --- later tries ---


def test_a_deferral_lasts_as_long_as_the_scheduler_needs_also_if_the_hours_open_sooner(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortest_deferral, "SHORTEST_DEFERRAL", 5.0)
    move_to(desk, "2025-10-10T08:59:59")
    calling = task(desk, "deferral", wait_for_completion=False)
    calling.run()
    assert dialled_at(desk) == [at("2025-10-10T09:00:04")]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(("asks", "allowed"), [("hours", 12), ("search", 1)])
def test_a_deferral_that_ends_after_the_execution_timeout_calls_no_one_in_this_try(
    desk: Desk, asks: str, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, the slots of the pool were taken when the calling hours began."""
    if asks == "hours":
        move_to(desk, "2025-10-09T22:00")
    else:
        desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    more = {"external_id": None, "absence_proven_after": 300.0}
    calling = task(desk, "deferral", execution_timeout=timedelta(hours=allowed), cancel_on_kill=True, **more)
    wait = calling.trigger
    with monkeypatch.context() as patch:
        patch.setattr(calling, "trigger", lambda trigger: (wait(trigger), desk.clock.advance(3 * 3600))[0])
        with pytest.raises(AirflowTaskTimeout, match="This try places no call"):
            calling.run()
    assert desk.exchange.rings(CONTACT) == 0

    move_to(desk, "2025-10-11T12:00")
    assert calling.retry()["answered"] is True
    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_no_one_is_called_on_an_excepted_date_also_not_after_midnight(desk: Desk, way: str) -> None:
    move_to(desk, "2025-10-10T00:30")
    task(desk, way, calling_hours=["21:00", "02:00"], calling_days={"except": ["2025-10-10"]}).run()
    assert dialled_at(desk) == [at("2025-10-11T21:00")]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_redial_and_a_clear_wait_for_the_morning(desk: Desk, way: str) -> None:
    desk.exchange.script(CONTACT, Script.busy(5))
    move_to(desk, "2025-10-09T20:59")
    calling = task(desk, way, require_answer=True)
    for _ in range(2):
        with pytest.raises(CallNotAnswered):
            calling.run()
        move_to(desk, datetime.fromtimestamp(desk.clock(), ZoneInfo(MOSCOW)).strftime("%Y-%m-%dT23:00"))
        calling.ti.try_number += 1
    desk.exchange.script(CONTACT, Script(rings=1, talks=5))
    calling.clear()
    move_to(desk, "2025-10-11T21:30")
    calling.clear()

    mornings = [at(f"2025-10-{day}T09:00") for day in (10, 11, 12)]
    assert dialled_at(desk) == [at("2025-10-09T20:59"), *mornings]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_placed_call_is_continued_at_night(desk: Desk, way: str) -> None:
    desk.exchange.script(CONTACT, Script(rings=0, talks=1200))
    move_to(desk, "2025-10-09T20:50")
    calling = task(desk, way, timeout=900)
    with pytest.raises(CallStillActive):
        calling.run()

    assert calling.retry()["answered"] is True
    assert desk.clock() < at("2025-10-10T00:00")
    assert dialled_at(desk) == [at("2025-10-09T20:50")]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unconfirmed_call_is_searched_at_night(desk: Desk, way: str) -> None:
    desk.exchange.script(CONTACT, Script(rings=1, talks=5400))
    desk.exchange.fault(Fault.DROP_AFTER, method=START)
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    move_to(desk, "2025-10-09T20:59:30")
    desk.connect(extra={"data_api": False})
    calling = task(desk, way, external_id=None, timeout=7200)
    with pytest.raises(CallApiError):
        calling.run()
    assert desk.clock() > at("2025-10-09T21:00")
    desk.connect()

    assert calling.retry()["answered"] is True
    assert desk.clock() < at("2025-10-10T00:00")
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("how", [{"delivery": "at_least_once"}, {"absence_proven_after": 300}], ids=str)
def test_a_second_start_request_after_a_search_waits_for_the_morning(
    desk: Desk, way: str, how: dict[str, Any]
) -> None:
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    move_to(desk, "2025-10-09T20:59:30")

    assert task(desk, way, external_id=None, **how).run()["answered"] is True

    first, second = dialled_at(desk) if len(dialled_at(desk)) == 2 else (0.0, dialled_at(desk)[-1])
    assert 0 <= second - at("2025-10-10T09:00") < 300  # it may search again
    assert first < at("2025-10-09T21:00")
    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_a_request_that_waits_for_points_beyond_the_calling_hours_waits_for_the_morning(
    desk: Desk, way: str
) -> None:
    move_to(desk, "2025-10-09T20:59:30")
    desk.start("79160000001")  # uses up the points of the minute
    desk.exchange.account.minute_limit = 1

    task(desk, way, wait_for_completion=False).run()

    evening, morning = at("2025-10-09T20:59:30"), at("2025-10-10T09:00")
    assert dialled_at(desk) == [evening, evening, morning]
    assert [call.contact for call in desk.exchange.calls] == ["79160000001", CONTACT]


@ways
def test_a_retry_at_night_without_a_journal_searches_first_and_dials_in_the_morning(
    desk: Desk, way: str
) -> None:
    move_to(desk, "2025-10-09T22:00")
    calling = task(desk, way, durable=False)
    calling.ti.try_number = 2

    assert calling.run()["answered"] is True
    assert desk.exchange.journal[0].time == at("2025-10-09T22:00")
    (dialled,) = dialled_at(desk)
    assert 0 <= dialled - at("2025-10-10T09:00") < 300  # it searches again


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_map_index_claims_its_person_only_in_the_morning(desk: Desk, way: str) -> None:
    move_to(desk, "2025-10-09T22:00")
    calling = task(desk, way, max_lateness=60)
    calling.ti.map_index = 0
    calling.ti.xcom_pull = lambda **_: []  # type: ignore[attr-defined]
    with pytest.raises(CallTooLate):
        calling.run()
    assert "callapi_people" not in calling.state.values  # type: ignore[union-attr]


# --- as parameters ---


def operators() -> list[type[Any]]:
    return [getattr(start_call, name) for name in dir(start_call) if name.startswith("CallApiStart")]


def test_all_start_operators_have_the_parameters_as_templates() -> None:
    assert len(operators()) == 5
    for kind in operators():
        assert {"calling_hours", "calling_days", "timezone"} <= set(kind.template_fields)


@pytest.mark.parametrize(
    "wrong",
    [
        {"calling_hours": ["9", "25:00"]},
        {"calling_hours": [540, 1260]},
        {"calling_hours": ["09:00", "09:00"]},
        {"calling_days": ["someday"]},
        {"calling_days": {"days": "workdays", "exept": ["2026-01-01"]}},
        {"timezone": "Moscow"},
        {"timezone": "Factory"},
        {"timezone": "EST"},
    ],
    ids=str,
)
def test_a_constant_that_cannot_be_used_is_an_error_of_the_dag_file(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidParameter, match=rf"^task \w+: {next(iter(wrong))}(\.exept)?: "):
        task(desk, **wrong).make()


def test_workdays_without_the_installed_extra_are_an_error_of_the_dag_file(desk: Desk) -> None:
    options = "airflow_provider_callapi.operators._option_checks.is_installed"
    desk.monkeypatch.setattr(options, lambda: False)
    with pytest.raises(
        InvalidParameter, match=r"^task \w+: calling_days: .*airflow-provider-callapi\[holidays\]"
    ):
        task(desk, calling_days="workdays").make()
    task(desk, calling_days=["mon"]).make()
    rendered = task(desk, calling_days="{{ 'workdays' }}").make()
    rendered.calling_days = "workdays"
    with pytest.raises(CallApiFailure, match=r"airflow-provider-callapi.holidays.*This try placed no call"):
        Task(desk, lambda: rendered).run()


@pytest.mark.parametrize("native", [True, False])
def test_hours_and_days_may_be_yaml_and_templates(desk: Desk, native: bool) -> None:
    options = yaml.safe_load(
        """
        calling_hours: ["{{ params.opens }}", "21:00"]
        calling_days: {days: workdays, also: ["{{ params.day }}"], except: [2025-10-10]}
        timezone: "{{ params.zone }}"
        """
    )
    params = {"opens": "10:00", "day": "2025-10-11", "zone": MOSCOW}
    move_to(desk, "2025-10-09T22:00")

    def make() -> Any:
        with DAG("dag", render_template_as_native_obj=native) as dag:
            operator = start_call.CallApiStartInformerCallOperator(
                task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS, **options
            )
        operator.dag = dag
        operator.render_template_fields({"params": params, "dag": dag, "task": operator})
        return operator

    calling = Task(desk, make)
    options["max_lateness"] = None
    calling.run()
    assert dialled_at(desk) == [at("2025-10-11T10:00")]


# --- any hours, days and time zones ---


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


@ways
@pytest.mark.parametrize(
    ("name", "value", "lost"),
    [
        ("calling_hours", "{{ params.x }}", "calling_hours"),
        ("calling_days", "{{ params.x }}", "calling_days"),
        ("calling_days", {"days": ["thu"], "except": "{{ params.x }}"}, r"calling_days\.except"),
    ],
)
def test_no_limit_is_lifted_by_a_template_that_gives_none(
    desk: Desk, way: str, name: str, value: Any, lost: str
) -> None:
    """In a native DAG, a template gives None itself. In the DAG file, None means all hours or every day."""
    calling = task(desk, way, **{name: value})
    make = calling.make

    def rendered() -> Any:
        with DAG("dag", render_template_as_native_obj=True):
            operator = make()
        operator.render_template_fields({"params": {"x": None}})
        return operator

    calling.make = rendered
    with pytest.raises(CallApiFailure, match=f"^{lost}: the value is missing.*This try placed no call"):
        calling.run()

    assert desk.sent() == []


@ways
def test_no_limit_is_lifted_by_a_template_that_a_cluster_policy_has_set(desk: Desk, way: str) -> None:
    calling = task(desk, way)
    make = calling.make

    def rendered() -> Any:
        with DAG("dag", render_template_as_native_obj=True):
            operator = make()
        operator.calling_hours = "{{ params.x }}"
        operator.render_template_fields({"params": {"x": None}})
        return operator

    calling.make = rendered
    with pytest.raises(CallApiFailure, match=r"^calling_hours: the value is missing"):
        calling.run()

    assert desk.sent() == []
