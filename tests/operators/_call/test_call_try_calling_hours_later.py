"""What a later try, a search or a redial does outside the calling hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from airflow_fakes import CONTACT, Desk
from calling_hours_desk import MOSCOW, START, at, dialled_at, move_to, task
from ways_to_wait import ways

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallNotAnswered, CallStillActive, CallTooLate
from airflow_provider_callapi.triggers import shortest_deferral

pytest_plugins = ["airflow_desk"]


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
