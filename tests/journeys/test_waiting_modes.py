"""A worker's loop, a rescheduled sensor and a trigger report the same outcome of a call."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER, Task, TaskInstance

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

pytest_plugins = ["airflow_desk"]

STORIES: dict[str, tuple[Script, dict[str, Any]]] = {
    # story → the script, and the outcome with until=ended
    "answers": (Script(rings=3, talks=40), {"answered": True, "observed": True}),
    "busy": (Script.busy(12), {"answered": None, "observed": True}),
    "no answer": (Script.no_answer(25), {"answered": None, "observed": True}),
    "listed late": (Script(listed_after=18, rings=3, talks=60), {"answered": True, "observed": True}),
    "ended between two polls": (
        Script(listed_after=1, rings=1, talks=2),
        {"answered": None, "observed": False},
    ),
    "answered between two polls, observed later": (
        Script(rings=6, talks=3.5),
        {"answered": None, "observed": True},
    ),
    "answered at once, ended soon": (Script(rings=0, talks=7), {"answered": True, "observed": True}),
}
"""The events at the phone, and what polls every five seconds can observe of them."""

SENSORS: dict[str, dict[str, Any]] = {
    "poke": {},
    "reschedule": {"mode": "reschedule"},
    "deferral": {"deferrable": True},
}


def sensor(session: Any, **changes: Any) -> CallApiSessionSensor:
    return CallApiSessionSensor(
        **{"task_id": "wait", "call_session_id": session, "poke_interval": 5, "timeout": 600, **changes}
    )


def without_times(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that do not depend on the times of the polls."""
    exact = ("external_id", "attempt", "finish_reason", "talk_seconds", "tags", "source")
    return {name: outcome[name] for name in ("status", "answered", "observed", *exact)}


@pytest.mark.parametrize("data_api", [True, False])
@pytest.mark.parametrize("until", ["ended", "answered"])
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_sensor_returns_the_same_outcome_in_all_three_modes(desk, story, until, data_api):
    script, expected = STORIES[story]
    desk.connect(extra={"data_api": data_api})
    results = {}
    for mode, how in SENSORS.items():
        desk.exchange.script(CONTACT, script)
        session = desk.start(external_id="mine")
        result = Task(desk, lambda s=session, h=how: sensor(s, until=until, **h)).run()
        assert result.pop("call_session_id") == session
        results[mode] = without_times(result)
        desk.clock.advance(600)

    assert results["poke"] == results["reschedule"] == results["deferral"]
    if until == "ended":
        assert results["poke"]["status"] == "ended"
    if until == "ended" and not data_api:
        assert {name: results["poke"][name] for name in expected} == expected


OPERATORS: dict[str, dict[str, Any]] = {"worker": {"deferrable": False}, "deferral": {"deferrable": True}}


@pytest.mark.parametrize("story", STORIES)
def test_a_start_operator_returns_the_same_outcome_deferred_or_not_and_rings_once(desk, story):
    script, expected = STORIES[story]
    desk.connect(extra={"data_api": False})
    results = {}
    for mode, how in OPERATORS.items():
        desk.exchange.script(CONTACT, script)
        before = desk.exchange.rings(CONTACT)

        def call(mode: str = mode, how: dict[str, Any] = how) -> CallApiStartInformerCallOperator:
            return CallApiStartInformerCallOperator(
                task_id="call",
                virtual_phone_number=VNUMBER,
                contact=CONTACT,
                contact_message=TTS,
                external_id="mine",
                wait_for_completion=True,
                tags={"answered": 36},
                **how,
            )

        results[mode] = without_times(Task(desk, call).run())
        assert desk.exchange.rings(CONTACT) - before == 1
        desk.clock.advance(600)

    assert results["worker"] == results["deferral"]
    assert results["worker"]["status"] == "ended"
    assert {name: results["worker"][name] for name in expected} == expected
    if expected["answered"]:
        assert results["worker"]["tags"] == [36]


@pytest.mark.parametrize("mode", SENSORS)
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_failed_poll_does_not_end_the_wait(desk, mode):
    """The service answers some polls with a 502."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    session = desk.start()
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=4)

    started = desk.clock()
    result = Task(desk, lambda: sensor(session, **SENSORS[mode])).run()

    assert desk.clock() - started >= 100
    assert (result["answered"], result["observed"]) == (True, True)


@pytest.mark.parametrize("mode", SENSORS)
def test_a_sensor_keeps_the_observation_of_an_earlier_task(desk, mode):
    """The dict of a start operator contains the answer. The sensor's polls come too late to observe it."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=2))
    session = desk.start(external_id="mine")
    desk.clock.advance(60)
    at = "2025-10-09T08:53:20Z"
    earlier = {"call_session_id": session, "answered": True, "answered_at": at, "observed": True}

    result = Task(desk, lambda: sensor(earlier, until="ended", **SENSORS[mode])).run()

    assert (result["status"], result["answered"], result["answered_at"]) == ("ended", True, at)


@pytest.mark.parametrize("data_api", [True, False])
@pytest.mark.parametrize(
    ("script", "answered"), [(Script(rings=0, talks=23), True), (Script.busy(12), False)]
)
def test_a_rescheduled_sensor_without_task_state_takes_the_answer_only_from_the_report(
    desk, data_api, script, answered
):
    """Before Airflow 3.3, every poke is a new process without the observations of the earlier pokes."""
    desk.connect(extra={"data_api": data_api})
    desk.exchange.script(CONTACT, script)
    session = desk.start()

    task = Task(desk, lambda: sensor(session, mode="reschedule"), state=None)
    result = task.run()

    assert task.reschedules > 2
    known = answered if data_api else None
    assert (result["status"], result["answered"], result["observed"]) == ("ended", known, False)


def test_until_answered_ends_at_the_poke_that_observes_the_answer_without_task_state(desk):
    desk.exchange.script(CONTACT, Script(rings=12, talks=60))
    session = desk.start()

    result = Task(desk, lambda: sensor(session, mode="reschedule", until="answered"), state=None).run()

    assert (result["status"], result["answered"], result["observed"]) == ("started", True, True)


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_rescheduled_sensor_keeps_plain_json_without_a_phone_number_in_task_state(desk):
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    session = desk.start()
    task = Task(desk, lambda: sensor(session, mode="reschedule"))

    task.run()

    assert task.reschedules >= 4
    assert task.state is not None
    assert list(task.state.values) == ["callapi_watch"]
    assert CONTACT not in str(task.state.values)
    assert task.state.get("callapi_watch")["observation"]["answered_at"] is not None


@pytest.mark.needs_airflow("3.3", "task state")
def test_task_state_of_another_call_is_ignored(desk):
    """After a clear with another conf, the same sensor waits for another session."""
    state = Task(desk, lambda: None).state
    desk.exchange.script(CONTACT, Script(rings=0, talks=20))
    first = desk.start()
    Task(desk, lambda: sensor(first, mode="reschedule"), state=state).run()
    desk.exchange.script(CONTACT, Script.busy(8))
    second = desk.start()

    result = Task(desk, lambda: sensor(second, mode="reschedule"), state=state).run()

    assert (result["call_session_id"], result["answered"], result["observed"]) == (second, False, True)


def test_a_mapped_sensor_waits_for_its_own_call(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=20))
    sessions = [desk.start(), desk.start()]

    results = [
        Task(desk, lambda session=session: sensor(session), ti=TaskInstance(map_index=index)).run()
        for index, session in enumerate(sessions)
    ]

    assert [result["call_session_id"] for result in results] == sessions
