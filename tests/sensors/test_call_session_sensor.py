"""What the sensor waits for, what its result says, and which parameters it refuses."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)
from airflow_fakes import CONTACT, Task
from session_sensors import ENDED, WAIT_MODES, sensor, wait_modes, waiting

from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallOutcomeUnknown, InvalidParameter

pytest_plugins = ["airflow_desk"]


@wait_modes
def test_a_call_that_has_already_ended_returns_without_a_request(desk, wait_mode):
    result = waiting(desk, ENDED, wait_mode).run()

    assert {name: result[name] for name in ENDED} == ENDED
    assert desk.exchange.journal == []


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_log_states_once_what_the_sensor_waits_for_and_then_the_outcome(desk, wait_mode, capsys):
    desk.exchange.script(CONTACT, Script(rings=7, talks=20))

    waiting(desk, desk.start(), wait_mode).run()

    lines = capsys.readouterr().out.splitlines()
    (wait,) = [line for line in lines if "Waiting until" in line]
    assert re.search(r"call session \d+ ends, at the latest until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", wait)
    (done,) = [line for line in lines if "call done" in line]
    assert "answered=True" in done


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_attributes_that_a_cluster_policy_sets_are_read_in_each_mode(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    wait = waiting(desk, desk.start(), wait_mode)
    make = wait.make

    def changed():
        made = make()
        made.soft_fail, made.require_seen, made.timeout, made.poke_interval = "false", "false", "60", "10"
        return made

    wait.make = changed

    with pytest.raises(AirflowSensorTimeout, match=r"is still active after|Sensor has timed out"):
        wait.run()


@wait_modes
def test_a_call_that_was_never_listed_has_ended_after_the_appear_timeout(desk, wait_mode):
    started = desk.clock()

    result = waiting(desk, 999, wait_mode, appear_timeout=30).run()

    assert (result["status"], result["observed"], result["answered"]) == ("ended", False, None)
    assert 30 <= desk.clock() - started <= 45


@wait_modes
@pytest.mark.parametrize("until", ["answered", "ended"])
@pytest.mark.parametrize(("script", "answered"), [(Script(rings=1, talks=2), True), (Script.busy(), False)])
def test_the_report_of_a_call_that_no_poll_has_shown_tells_who_answered(
    desk, wait_mode, until, script, answered
):
    desk.exchange.script(CONTACT, script)
    call = desk.start()
    desk.clock.advance(20)

    result = waiting(desk, call, wait_mode, until=until).run()

    assert (result["status"], result["observed"]) == ("ended", False)
    assert (result["answered"], result["source"]) == (answered, "data_api")


@wait_modes
@pytest.mark.parametrize("broken", ["no report", "refused"])
def test_without_a_report_the_answer_stays_unknown(desk, wait_mode, broken):
    if broken == "refused":
        desk.exchange.fault(Fault.INTERNAL_ERROR, method="get.calls_report", times=99)

    result = waiting(desk, 999, wait_mode, appear_timeout=10).run()

    assert (result["status"], result["answered"], result["source"]) == ("ended", None, "list.calls")


@wait_modes
def test_the_appear_timeout_counts_from_the_start_of_the_call_if_that_is_known(desk, wait_mode):
    desk.connect(extra={"data_api": False})  # with the Data API, the sensor then waits for a report
    started = desk.clock()
    call = {"call_session_id": 999, "started_at": "2025-10-09T08:53:20Z"}  # the clock's first second

    desk.clock.advance(50)
    waiting(desk, call, wait_mode, appear_timeout=60).run()

    assert desk.clock() - started <= 70


VANISHES_AFTER = (0, 58, 59, 60, 61, 62)


@pytest.mark.parametrize("poke_interval", [5, 60])
@pytest.mark.parametrize(
    "callapi_profile",
    [Profile(vanish_after=float(seconds), vanish_seconds=4.0) for seconds in VANISHES_AFTER],
    ids=map(str, VANISHES_AFTER),
)
def test_an_active_call_that_one_poll_misses_ends_no_wait_that_forgets_its_polls(desk, poke_interval):
    """Before Airflow 3.3, no poke knows what an earlier one has seen."""
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=200))
    call = desk.start()
    waits = waiting(desk, call, "reschedule", poke_interval=poke_interval, appear_timeout=30)
    waits.state = None

    assert waits.run()["status"] == "ended"
    assert desk.exchange.active_calls == []


@wait_modes
def test_require_seen_makes_a_call_that_was_never_listed_an_error_without_retries(desk, wait_mode):
    with pytest.raises(CallOutcomeUnknown, match="no poll showed call session") as failure:
        waiting(desk, 999, wait_mode, require_seen=True, appear_timeout=10).run()
    assert isinstance(failure.value, AirflowFailException)


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_require_seen_is_satisfied_by_one_poll_that_showed_the_call(desk, wait_mode):
    desk.exchange.script(CONTACT, Script.busy(7))

    assert waiting(desk, desk.start(), wait_mode, require_seen=True).run()["observed"] is True


@pytest.mark.parametrize("required", ["require_seen", "require_answer"])
def test_the_error_of_an_unmet_requirement_names_the_mode_that_forgets_polls(desk, required):
    with pytest.raises(CallOutcomeUnknown, match=r'mode="reschedule" forgets what its earlier polls'):
        waiting(desk, 999, "reschedule", **{required: True}, appear_timeout=10).run()


@wait_modes
def test_require_answer_makes_a_call_without_an_observed_answer_an_error_without_retries(desk, wait_mode):
    desk.exchange.script(CONTACT, Script.no_answer(20))

    with pytest.raises(CallOutcomeUnknown, match="no answer of the contact is known"):
        waiting(desk, desk.start(), wait_mode, require_answer=True).run()


@wait_modes
@pytest.mark.parametrize("until", ["answered", "ended"])
@pytest.mark.needs_airflow("3.3", "task state")
def test_require_answer_is_satisfied_by_an_answer(desk, wait_mode, until):
    desk.exchange.script(CONTACT, Script(rings=4, talks=20))

    assert waiting(desk, desk.start(), wait_mode, require_answer=True, until=until).run()["answered"] is True


@wait_modes
def test_require_answer_is_not_satisfied_by_a_call_known_to_be_unanswered(desk, wait_mode):
    """A start operator with the Data API has already reported that the contact did not answer."""
    with pytest.raises(CallOutcomeUnknown):
        waiting(desk, {**ENDED, "answered": False}, wait_mode, require_answer=True).run()


@wait_modes
@pytest.mark.parametrize("call", ["active", "ended already"])
def test_soft_fail_makes_an_unmet_requirement_a_skip(desk, wait_mode, call):
    desk.exchange.script(CONTACT, Script.busy(7))
    session = desk.start() if call == "active" else {**ENDED, "answered": None}

    with pytest.raises(AirflowSkipException):
        waiting(desk, session, wait_mode, require_answer=True, soft_fail=True).run()


@pytest.mark.parametrize("name", ["soft_fail", "silent_fail", "never_fail", "exponential_backoff"])
@pytest.mark.parametrize("value", ["no", 1, None, "", "{{ params.x }}"])
def test_a_flag_of_airflow_that_is_no_boolean_is_an_error_of_the_dag_file(name, value):
    with pytest.raises(InvalidParameter, match=rf"^task \w+: {name}: true or false is needed"):
        sensor(1, **{name: value})


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("callapi_profile", [Profile(talk_is_listed="never", ongoing_talk_is_reported=True)])
def test_a_try_after_a_timeout_asks_the_data_api_for_the_answer_as_the_first_try_did(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=100, talks=600))
    task = waiting(desk, desk.start(dialing_timeout=120), wait_mode, until="answered", timeout=60)
    with pytest.raises(AirflowSensorTimeout):
        task.run()
    desk.clock.advance(30)

    assert task.clear()["answered"] is True


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    "callapi_profile",
    [
        Profile(talk_is_listed="never", ongoing_talk_is_reported=True),
        Profile(talk_is_listed="never", ongoing_legs_are_reported=True, ongoing_talk_is_reported=False),
    ],
)
def test_each_mode_asks_both_reports_for_an_answer_and_pauses_ten_seconds(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=52, talks=600))

    result = waiting(desk, desk.start(dialing_timeout=120), wait_mode, until="answered").run()

    assert (result["status"], result["answered"]) == ("started", True)
    asked_at = [entry.time for entry in desk.exchange.journal if (entry.method or "").startswith("get.call")]
    # In a deferral, the clock may move between a poll and its question, so the pauses vary. A question with
    # each poll, every five seconds, would be at least ten.
    assert 1 <= len(asked_at) <= 7


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("callapi_profile", [Profile(talk_is_listed="never")])
def test_each_mode_waits_a_minute_after_the_data_api_has_failed(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=52, talks=600))
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="get.calls_report")

    with pytest.raises(AirflowSensorTimeout):
        waiting(desk, desk.start(dialing_timeout=120), wait_mode, until="answered", timeout=55).run()

    assert desk.exchange.requests("get.calls_report") == 1


@pytest.mark.parametrize(
    "session", ["12x", None, {}, {"call_session_id": "x"}, [], "", True, 0, -5, "{", "{'a': 1}", "{1, 2}"]
)
def test_an_invalid_session_id_fails_without_retries_and_the_error_names_the_field(desk, session):
    for how in WAIT_MODES.values():
        with pytest.raises(CallApiFailure, match="call_session_id"):
            sensor(session, **how).execute(Task(desk, lambda: None).context)
    assert desk.exchange.journal == []


@pytest.mark.parametrize(
    "as_text",
    [
        int,
        str,
        lambda session: {"call_session_id": session},
        lambda session: str({"call_session_id": session, "answered": None}),
        lambda session: json.dumps({"call_session_id": session, "answered": None}),
    ],
)
def test_a_session_is_a_number_its_text_or_a_start_operators_dict(desk, as_text):
    desk.exchange.script(CONTACT, Script.busy(7))
    session = desk.start()

    assert waiting(desk, as_text(session), "poke").run()["call_session_id"] == session


@pytest.mark.parametrize("interval", [0, 0.0, float("nan")])
def test_an_interval_that_is_not_positive_is_refused_when_the_dag_is_parsed(interval):
    with pytest.raises(ValueError, match="poke_interval"):
        sensor(1, poke_interval=interval)


@pytest.mark.parametrize("longest", [-1, 0, timedelta(microseconds=1)])
def test_a_longest_pause_that_is_no_pause_is_refused_when_the_dag_is_parsed(longest):
    with pytest.raises((ValueError, AirflowException), match="max_wait"):  # Airflow 3.0 refuses -1 itself
        sensor(1, exponential_backoff=True, max_wait=longest)
    sensor(1, exponential_backoff=True, max_wait=timedelta(minutes=5))


def test_until_is_checked_when_the_dag_is_parsed():
    with pytest.raises(ValueError, match="until: one of answered, ended"):
        sensor(1, until="over")


def test_all_pokes_of_one_process_share_one_login(desk):
    desk.connect(login=True, extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=0, talks=60))

    waiting(desk, desk.start(), "poke").run()

    assert desk.exchange.requests("login.user") == 1
    assert desk.exchange.requests("list.calls") >= 12


def test_a_wait_costs_no_points(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=60))
    session = desk.start()
    before = desk.exchange.limits()["day_remaining"]

    waiting(desk, session, "poke").run()

    assert desk.exchange.limits()["day_remaining"] == before
