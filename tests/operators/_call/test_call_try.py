"""After a call was placed: waiting, tagging, settling, judging, and the remaining work of the next try."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowTaskTimeout,
)
from airflow_fakes import CONTACT, RETRIES, TTS, VNUMBER, Task, installed_task_state, refuse_stage
from lone_surrogates import HALF, OF_A_FILE_NAME

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallNotAnswered,
    CallOutcomeUnknown,
    CallStillActive,
    CallTooLate,
    CallUnresolved,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]

TAGS = {"answered": 36, "not_answered": 37, "ended": 38}
WAYS: dict[str, dict[str, Any]] = {"worker": {"deferrable": False}, "deferral": {"deferrable": True}}
ways = pytest.mark.parametrize("way", WAYS)


def task(desk: Any, way: str = "worker", **changes: Any) -> Task:
    def make() -> CallApiStartInformerCallOperator:
        return CallApiStartInformerCallOperator(
            **{
                "task_id": "call",
                "virtual_phone_number": VNUMBER,
                "contact": CONTACT,
                "contact_message": TTS,
                "wait_for_completion": True,
                **WAYS[way],
                **changes,
            }
        )

    return Task(desk, make)


def tags_set(desk: Any) -> list[str]:
    return [entry.detail for entry in desk.exchange.journal if entry.kind == "tag"]


# --- an answer that cannot be stored ---


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_answer_that_cannot_be_stored_fails_the_try_with_its_session_and_the_retry_does_not_dial(
    desk, way, monkeypatch
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    calling = task(desk, way)

    with monkeypatch.context() as patch:
        refuse_stage(patch, "started")
        with pytest.raises(CallApiTrouble, match=r"call session \d+: the phone rings or has rung"):
            calling.run()
    result = calling.retry()

    assert result["answered"]
    assert desk.exchange.rings(CONTACT) == 1


# --- tags ---


@ways
@pytest.mark.parametrize(
    ("script", "tags"),
    [(Script(rings=3, talks=40), [36, 38]), (Script.busy(8), [37, 38]), (Script(rings=1, talks=2), [36, 38])],
)
def test_each_tag_of_the_calls_outcome_is_set_once(desk, way, script, tags):
    desk.exchange.script(CONTACT, script)

    result = task(desk, way, tags=TAGS).run()

    assert sorted(result["tags"]) == tags
    assert sorted(tags_set(desk)) == [str(tag) for tag in tags]
    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_an_answered_call_is_tagged_while_it_is_active_even_without_the_data_api(desk, way):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))

    result = task(desk, way, tags={"answered": "36"}).run()

    assert result["tags"] == [36]
    (tagged,) = [entry for entry in desk.exchange.journal if entry.method == "tag.call"]
    (ended,) = [entry for entry in desk.exchange.journal if entry.kind == "end"]
    assert tagged.time < ended.time


def test_a_resumed_task_that_can_no_longer_set_its_tags_states_that_its_call_was_placed(desk, monkeypatch):
    calling = task(desk, "deferral", tags=TAGS)
    trigger = calling.trigger

    def lose_the_data_api(given):
        event = trigger(given)
        desk.connect(extra={"data_api": False})
        return event

    monkeypatch.setattr(calling, "trigger", lose_the_data_api)
    with pytest.raises(CallApiFailure, match=r"extra\.data_api.* to true\. Call session \d+ was placed\.$"):
        calling.run()
    assert desk.exchange.rings(CONTACT) == 1


def test_tags_of_finished_calls_need_the_data_api_and_fail_before_dialling_without_it(desk):
    desk.connect(extra={"data_api": False})

    with pytest.raises(CallApiFailure, match=r"tags\.ended: .*extra\.data_api"):
        task(desk, tags={"ended": 38}).run()

    assert desk.exchange.journal == []


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_sets_a_tag_that_failed_on_the_active_call_and_does_not_dial(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=600))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="tag.call", times=5)
    waiting = task(desk, way, tags={"answered": 36})

    with pytest.raises(CallApiError) as trouble:
        waiting.run()
    assert not isinstance(trouble.value, AirflowFailException)
    assert waiting.journal["stage"] == "started"
    result = waiting.retry()

    assert result["tags"] == [36]
    assert tags_set(desk) == ["36"]
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_only_sets_the_tag_that_failed_after_the_end_of_the_call(desk, way):
    desk.exchange.script(CONTACT, Script.busy(8))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="set.tag_communications", times=5)
    waiting = task(desk, way, tags={"not_answered": 37})

    with pytest.raises(CallApiError):
        waiting.run()
    assert waiting.journal["stage"] == "ended"
    before = len(desk.sent(but=()))
    result = waiting.retry()

    assert result["tags"] == [37]
    assert desk.sent(but=())[before:] == ["set.tag_communications"]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_sets_only_the_one_of_two_tags_that_failed(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    waiting = task(desk, tags={"ended": 38, "not_answered": 37})
    set_tag = CallApiHook.data_api.func  # the first succeeds, then the service is down

    class Down:
        def __init__(self, client: Any) -> None:
            self.client, self.asked = client.client, client

        def call(self, request: Any) -> Any:
            answer = self.asked.call(request)
            if request.method == "set.tag_communications" and len(tags_set(desk)) == 1:
                desk.exchange.fault(Fault.BAD_GATEWAY, method=request.method, times=5)
            return answer

    with desk.monkeypatch.context() as patch:
        patch.setattr(CallApiHook, "data_api", property(lambda hook: Down(set_tag(hook))))
        with pytest.raises(CallApiError):
            waiting.run()
    before = len(desk.sent(but=()))
    result = waiting.retry()

    assert sorted(result["tags"]) == [37, 38]
    assert sorted(tags_set(desk)) == ["37", "38"]
    assert desk.sent(but=())[before:] == ["set.tag_communications"]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_was_tagged_by_an_earlier_try_is_not_tagged_again(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=70))
    waiting = task(desk, way, tags={"answered": 36}, timeout=40)

    with pytest.raises(CallStillActive):
        waiting.run()
    waiting.retry()

    assert desk.exchange.requests("tag.call") == 1


@ways
def test_a_tag_whose_request_got_no_answer_is_set_once(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    desk.exchange.fault(Fault.DROP_AFTER, method="tag.call")
    desk.exchange.fault(Fault.DROP_AFTER, method="set.tag_communications")

    assert sorted(task(desk, way, tags=TAGS).run()["tags"]) == [36, 38]
    assert sorted(tags_set(desk)) == ["36", "38"]


@ways
def test_a_tag_that_does_not_exist_fails_without_retries_and_without_a_second_call(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))

    with pytest.raises(CallApiFailure, match="tag_not_found") as caught:
        task(desk, way, tags={"answered": 999}).run()

    (call,) = desk.exchange.calls
    placed = f"tags: call session {call.call_session_id} was placed, and tag 999 cannot be set: "
    assert str(caught.value).startswith(placed)
    assert str(caught.value).endswith("`airflow callapi tags` lists the account's tags")
    assert desk.exchange.rings(CONTACT) == 1


# --- answers that are required ---


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_was_not_answered_fails_and_the_retry_calls_again(desk, way):
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = task(desk, way, require_answer=True, external_id="mine")

    with pytest.raises(CallNotAnswered, match=r"subscriber_busy\); a retry calls again") as failure:
        calling.run()
    assert not isinstance(failure.value, AirflowFailException), "a retry is meant to call again"
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    result = calling.retry()

    assert (result["answered"], result["attempt"], result["external_id"]) == (True, 2, "mine-2")
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_error_of_the_last_try_promises_no_retry(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = task(desk, require_answer=True, external_id="mine")
    calling.ti.max_tries = 0

    with pytest.raises(CallNotAnswered, match="this was the last try: to call again, clear this task"):
        calling.run()


@ways
def test_the_log_names_the_awaited_event_and_the_deadline_before_the_wait(desk, way, capsys):
    task(desk, way, timeout=600.0).run()

    (wait,) = [line for line in capsys.readouterr().out.splitlines() if "Waiting until call session" in line]
    assert re.search(r"session \d+ ends, at the latest until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", wait)


@pytest.mark.parametrize(("retries", "warned"), [(1, True), (0, False)])
def test_the_log_warns_without_a_journal_that_a_retry_may_dial_again(desk, capsys, retries, warned):
    calling = task(desk, durable=False)
    calling.ti.max_tries = retries

    calling.run()

    assert ("A retry may dial again" in capsys.readouterr().out) is warned


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unknown_answer_fails_without_retries_because_a_retry_would_ring_again(desk, way, capsys):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = task(desk, way, require_answer=True)

    with pytest.raises(CallOutcomeUnknown) as failure:
        calling.run()
    log = capsys.readouterr().out
    assert log.index("require_answer without the Data API") < log.index("placing the call")
    assert isinstance(failure.value, AirflowFailException)
    with pytest.raises(CallOutcomeUnknown):
        calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_require_answer_accepts_an_observed_answer_without_the_data_api(desk, way):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    assert task(desk, way, require_answer=True).run()["answered"] is True


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_observed_answer_is_kept_over_deferrals_without_the_data_api(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    calling = task(desk, "deferral", require_answer=True)

    result = calling.run()

    waits = [deferral.trigger.serialize()[1] for deferral in calling.deferrals]
    assert [(wait["until"], wait["call"]["answered"]) for wait in waits] == [
        ("answered", None),
        ("ended", True),
    ]
    assert result["answered"] is True


# --- reports ---


@ways
def test_the_task_waits_for_a_late_report(desk, way):
    desk.exchange.report_lag = 45.0
    desk.exchange.script(CONTACT, Script(rings=1, talks=2))
    calling = task(desk, way)

    result = calling.run()

    assert (result["answered"], result["source"], result["talk_seconds"]) == (True, "data_api", 2)
    pauses = [d for d in calling.deferrals if d.method_name == "report_due"]
    assert bool(pauses) is (way == "deferral"), "a worker's slot is not held by a deferrable task"
    assert desk.exchange.requests("get.calls_report") >= 3


@ways
@pytest.mark.parametrize("seen", [True, False])
def test_the_wait_for_a_missing_report_ends_after_the_report_timeout(desk, way, seen):
    """This includes a call that no poll has shown, whose end has no known time."""
    desk.exchange.report_lag = 100_000.0
    desk.exchange.script(CONTACT, Script.busy(8) if seen else Script(listed_after=1, rings=1, talks=1))
    calling = task(desk, way, report_timeout=60)

    result = calling.run()

    assert (result["status"], result["observed"], result["answered"], result["source"]) == (
        "ended",
        seen,
        None,
        "list.calls",
    )
    assert 4 <= desk.exchange.requests("get.calls_report") <= 9


@ways
def test_a_missing_report_leaves_a_tag_unset_with_a_warning_instead_of_a_failure(desk, way):
    desk.exchange.report_lag = 100_000.0
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))

    result = task(desk, way, tags=TAGS, report_timeout=30).run()

    assert result["tags"] == [36]


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_only_waits_for_the_report_if_the_earlier_try_died_in_this_wait(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    desk.exchange.fault(
        Fault.BAD_GATEWAY, method="get.calls_report", times=6
    )  # the first one meets the wait for the end
    calling = task(desk, report_timeout=0)

    with pytest.raises(CallApiError):
        calling.run()
    before = len(desk.sent(but=()))
    result = calling.retry()

    assert desk.sent(but=())[before:][0] == "get.calls_report"
    assert "list.calls" not in desk.sent(but=())[before:]
    assert (result["answered"], desk.exchange.rings(CONTACT)) == (False, 1)


# --- time ---


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_outlives_the_timeout_fails_and_a_retry_waits_again_without_dialling(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    calling = task(desk, way, timeout=60)
    started = desk.clock()

    with pytest.raises(CallStillActive, match="does not dial"):
        calling.run()
    assert 60 <= desk.clock() - started <= 70
    result = calling.retry()

    assert (result["status"], result["answered"]) == ("ended", True)
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_answer_does_not_extend_the_timeout_of_a_try(desk, way):
    desk.exchange.script(CONTACT, Script(rings=20, talks=None))
    started = desk.clock()

    with pytest.raises(CallStillActive, match=r"after timeout \(40 s\)"):
        task(desk, way, timeout=40, tags={"answered": 36}).run()

    assert tags_set(desk) == ["36"]
    assert 40 <= desk.clock() - started <= 50


TIME_IS_UP = AirflowTaskTimeout if installed_task_state() else CallApiFailure
"""Without task state (Airflow before 3.3), the error forbids retries, because they could dial."""


def test_execution_timeout_continues_during_a_deferral(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = task(desk, "deferral", execution_timeout=timedelta(seconds=30))
    started = desk.clock()

    with pytest.raises(TIME_IS_UP, match="execution_timeout"):
        calling.run()

    assert 30 <= desk.clock() - started <= 40
    assert desk.exchange.active_calls, "without cancel_on_kill the call goes on"


def test_execution_timeout_counts_from_the_start_of_the_task_and_not_from_the_last_deferral(desk):
    """An answer ends the first deferral after 20 s; the second may last the remaining 20."""
    desk.exchange.script(CONTACT, Script(rings=20, talks=None))
    calling = task(desk, "deferral", execution_timeout=timedelta(seconds=40), tags={"answered": 36})
    started = desk.clock()

    with pytest.raises(TIME_IS_UP):
        calling.run()

    assert len(calling.deferrals) == 2
    assert 40 <= desk.clock() - started <= 50
    assert tags_set(desk) == ["36"]


def test_an_execution_timeout_releases_the_call_with_cancel_on_kill(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    with pytest.raises(TIME_IS_UP):
        task(desk, "deferral", execution_timeout=timedelta(seconds=30), cancel_on_kill=True).run()

    assert desk.exchange.active_calls == []


@pytest.mark.parametrize("late", [timedelta(hours=25), timedelta(days=30)])
def test_no_one_is_dialled_for_a_run_that_is_older_than_a_day(desk, late):
    calling = task(desk)
    calling.run_after = calling.now - late

    with pytest.raises(CallTooLate, match="max_lateness") as failure:
        calling.run()

    assert isinstance(failure.value, AirflowFailException)
    assert desk.exchange.journal == []


@pytest.mark.parametrize("allowed", [60, timedelta(minutes=1), "never", None])
def test_max_lateness_is_seconds_or_a_timedelta_or_none(desk, allowed):
    changes = {} if allowed == "never" else {"max_lateness": allowed}
    calling = task(desk, **changes)
    calling.run_after = calling.now - timedelta(minutes=2)

    if isinstance(allowed, str) or allowed is None:
        assert calling.run()["status"] == "ended"
    else:
        with pytest.raises(CallTooLate):
            calling.run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_late_retry_still_watches_the_call_that_was_placed_in_time(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=90_000))
    calling = task(desk, timeout=60)
    calling.run_after = calling.now
    with pytest.raises(CallStillActive):
        calling.run()

    desk.clock.advance(86_400)
    with pytest.raises(CallStillActive):
        calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


# --- the journal over tries and clears ---


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_after_an_error_of_the_trigger_watches_the_same_call(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=200))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    calling = task(desk, way)

    with pytest.raises((CallApiError, CallApiTrouble)):
        calling.run()
    assert calling.retry()["status"] == "ended"

    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_finished_call_again_and_a_retry_does_not(desk, way):
    """A retry after success: an on_success callback, or a worker that died before Airflow knew."""
    desk.exchange.script(CONTACT, Script(rings=3, talks=10))
    calling = task(desk, way)
    first = calling.run()

    assert calling.retry() == first
    assert desk.exchange.rings(CONTACT) == 1
    assert calling.clear()["attempt"] == 2
    assert desk.exchange.rings(CONTACT) == 2


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_finished_call_again_also_if_the_dag_file_has_one_retry_less(desk, way):
    calling = task(desk, way)
    first = calling.run()
    calling.run_clears += 1  # of another task
    assert calling.retry() == first
    calling.more_context["task"] = SimpleNamespace(retries=RETRIES - 1)
    calling.ti.try_number = 1

    calling.run_clears += 1
    calling.ti.max_tries = calling.ti.try_number + RETRIES - 1  # as before the clear
    assert calling.retry()["attempt"] == 2
    assert desk.exchange.rings(CONTACT) == 2


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unconfirmed_call_is_not_taken_for_the_call_whose_record_airflow_has_deleted(
    desk, way, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    calling = task(desk, way)
    calling.run()
    calling.state.values.clear()
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call", times=2)

    for _ in range(2):
        with pytest.raises(CallUnresolved):
            calling.clear()
    assert desk.exchange.rings(CONTACT) == 1

    assert calling.clear()["answered"]
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_is_plain_json_without_a_phone_number_or_a_credential(desk):
    desk.connect(login=True)
    desk.exchange.script(CONTACT, Script(rings=3, talks=10))
    calling = task(desk, "deferral", tags=TAGS)

    calling.run()

    assert calling.state is not None
    (record,) = calling.state.values.values()
    account = desk.exchange.account
    for secret in (CONTACT, account.password, account.key, *desk.exchange.call_api.tokens):
        assert secret not in record


@ways
def test_a_wait_that_timed_out_is_not_retried_without_a_durable_journal(desk, way):
    """Airflow before 3.3: a retry does not know the call and could ring again."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = task(desk, way, timeout=30)
    calling.state = None

    with pytest.raises(CallApiFailure, match=r"is still active after timeout \(30 s\)\. Not retried"):
        calling.run()


# --- kills ---


def test_a_kill_releases_the_call_only_with_cancel_on_kill(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    class Killed(BaseException):
        pass

    def die(_: float) -> None:
        raise Killed

    for cancel in (False, True):
        calling = task(desk, cancel_on_kill=cancel, external_id=str(cancel))
        calling.state = type(calling.state)()  # another task
        with monkeypatch.context() as patch:
            patch.setattr("airflow_provider_callapi.system_clock.sleep", die)
            with pytest.raises(Killed):
                calling.run()
        assert len(desk.exchange.active_calls) == 1
        calling.operator.on_kill()
        assert len(desk.exchange.active_calls) == (0 if cancel else 1)
        desk.exchange.reset()
        desk.exchange.script(CONTACT, Script(rings=0, talks=None))


def test_a_kill_before_the_call_is_placed_sends_no_request(desk):
    operator = task(desk, cancel_on_kill=True).make()

    operator.on_kill()

    assert desk.exchange.journal == []


def test_a_kill_after_the_end_of_the_call_sends_no_release(desk):
    desk.exchange.script(CONTACT, Script.busy(3))
    calling = task(desk, cancel_on_kill=True)
    calling.run()

    calling.operator.on_kill()

    assert "release.call" not in desk.sent()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_kill_that_cannot_reach_the_service_does_not_raise(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = task(desk, cancel_on_kill=True, timeout=10)
    with pytest.raises(CallStillActive):
        calling.run()
    calling.operator._try.wait.active_session_id = desk.exchange.active_calls[0].call_session_id
    desk.exchange.fault(Fault.BAD_GATEWAY, times=9)

    calling.operator.on_kill()

    assert len(desk.exchange.active_calls) == 1


# --- deferral ---


def fail_deferral(calling: Task, reason: str) -> None:
    """Run the task until it is deferred, and let the deferral fail, as Airflow does."""
    with pytest.raises(TaskDeferred):
        calling.make().execute(calling.context)
    calling.desk.clock.advance(7200)  # the call has ended
    calling.make().resume_execution("__fail__", {"error": reason}, calling.context)


failures_of_deferrals = pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])


@failures_of_deferrals
@pytest.mark.parametrize("lost", ["durable=False", "Airflow before 3.3"])
def test_a_failed_deferral_is_not_retried_without_a_journal(desk, reason, lost):
    calling = task(desk, "deferral", durable=lost != "durable=False")
    if lost != "durable=False":
        calling.state = None

    with pytest.raises(CallApiFailure, match=f"{reason}. Not retried: a call may have been placed"):
        fail_deferral(calling, reason)

    assert desk.exchange.rings(CONTACT) == 1


@failures_of_deferrals
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_retry_after_a_failed_deferral_continues_with_the_call_of_the_journal(desk, reason):
    calling = task(desk, "deferral")

    with pytest.raises(AirflowException, match=reason) as failure:
        fail_deferral(calling, reason)

    assert not isinstance(failure.value, AirflowFailException)
    assert calling.retry()["status"] == "ended"
    assert desk.exchange.rings(CONTACT) == 1


def test_a_deferral_stores_no_phone_number(desk):
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))
    calling = task(desk, "deferral", tags=TAGS)

    calling.run()

    assert len(calling.deferrals) == 2
    for deferred, event in zip(calling.deferrals, calling.events, strict=True):
        assert CONTACT not in f"{deferred.trigger.serialize()} {deferred.kwargs} {event}"
        assert deferred.timeout is not None


def test_an_unreadable_event_raises_an_error_instead_of_finishing_the_call(desk):
    calling = task(desk, "deferral")
    for event in (None, {}, {"something": "else"}):
        with pytest.raises((CallApiTrouble, CallApiFailure)):
            calling.make().execute_complete(calling.context, event=event)


@pytest.mark.parametrize("interval", [0, -1.0])
def test_a_poll_interval_that_is_not_positive_is_refused_when_the_dag_is_parsed(interval):
    with pytest.raises(ValueError, match="poll_interval"):
        CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number="74993720692",
            contact="79260000001",
            contact_message={"type": "tts", "value": "Hello"},
            poll_interval=interval,
        )


@pytest.mark.parametrize(
    "error", [AirflowNotFoundException("The conn_id isn't defined"), OSError("the API server restarts")]
)
def test_an_unreadable_connection_in_the_triggerer_for_some_seconds_loses_neither_outcome_nor_tags(
    desk, error
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=100))
    desk.lose_connection(21, error)

    result = task(desk, "deferral", tags=TAGS).run()

    assert result["answered"] is True
    assert sorted(tags_set(desk)) == ["36", "38"]
    assert desk.exchange.rings(CONTACT) == 1


# --- answers of an account that is not as the connection states ---


@ways
@pytest.mark.parametrize("account", ["UTC", "Asia/Vladivostok", "America/New_York"])
@pytest.mark.parametrize("talks", [40, 1], ids=["listed", "over before a poll"])
def test_an_unconfirmed_call_is_found_even_if_the_connection_names_another_time_zone(
    desk, way, account, talks
):
    desk.exchange.account.timezone = account
    desk.connect(extra={"timezone": "Europe/Moscow"})
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    result = task(desk, way, delivery="at_least_once").run()

    (call,) = desk.exchange.calls
    assert result["call_session_id"] == call.call_session_id
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.parametrize("talks", [40, 1], ids=["listed", "over before a poll"])
def test_an_unconfirmed_call_with_an_id_of_this_package_is_found_without_the_accounts_time_zone(
    desk, way, talks
):
    desk.connect(extra={"timezone": None})
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    desk.exchange.fault(Fault.BAD_GATEWAY, method="get.account", times=1000)

    result = task(desk, way, wait_for_completion=False).run()

    (call,) = desk.exchange.calls
    assert result["call_session_id"] == call.call_session_id
    assert "get.account" not in desk.sent()


@ways
@pytest.mark.parametrize("external_id", [None, "order-7"])
def test_the_report_of_another_call_does_not_change_the_outcome(desk, way, external_id, monkeypatch):
    """A Data API that ignores the filter returns the reports of all calls."""
    monkeypatch.setattr(
        "airflow_provider_callapi.emulator.list_page.build_predicate", lambda *_: lambda row: True
    )
    other = "79160000077"
    desk.exchange.script(other, Script(rings=0, talks=20))
    desk.exchange.script(CONTACT, Script.busy(2))
    desk.start(other)
    desk.clock.advance(100)

    result = task(desk, way, tags=TAGS, external_id=external_id).run()

    (call,) = [call for call in desk.exchange.calls if call.contact == CONTACT]
    assert (result["call_session_id"], result["answered"]) == (call.call_session_id, False)
    assert result["finish_reason"] == call.finish_reason
    assert sorted(tags_set(desk)) == ["37", "38"]


# --- absence that is proven ---


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_whose_request_was_lost_is_placed_once_its_absence_is_proven(desk, way):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    began = desk.clock()

    result = task(desk, way, absence_proven_after=300).run()

    assert (result["attempt"], result["answered"]) == (1, True)
    assert desk.exchange.rings(CONTACT) == 1
    (ring,) = [entry for entry in desk.exchange.journal if entry.kind == "ring"]
    assert 300 <= ring.time - began < 400


@ways
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("talks", [40, 1, 600], ids=["listed", "over before a poll", "long"])
def test_a_call_whose_answer_was_lost_is_found_and_not_placed_again(desk, way, talks):
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.report_lag = 100.0
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    result = task(desk, way, absence_proven_after=300).run()

    assert (result["attempt"], result["answered"]) == (1, True)
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_continues_with_a_placed_call_although_its_absence_can_no_longer_be_proven(desk):
    desk.exchange.script(CONTACT, Script(rings=1, talks=60))
    calling = task(desk, absence_proven_after=300, timeout=30)
    with pytest.raises(CallStillActive):
        calling.run()
    desk.connect(extra={"data_api": False})

    desk.sleep(10)
    assert calling.retry()["status"] == "ended"
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_that_cannot_search_for_an_unconfirmed_call_states_that_the_phone_may_have_rung(
    desk, monkeypatch
):
    desk.exchange.script(CONTACT, Script.busy(0))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    calling = task(desk, absence_proven_after=300)
    _lose_the_first_try(calling, monkeypatch)
    desk.connect(extra={"data_api": False})

    with pytest.raises(CallApiFailure, match=r"extra\.data_api.* external_id af-\S+-1 may have been placed"):
        calling.retry()


def _fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the worker ends here")


def _lose_the_first_try(calling, monkeypatch):
    """Run a try whose start request gets no answer, and which dies before its search for the call."""
    with monkeypatch.context() as patched:
        patched.setattr(CallApiHook, "poll_snapshots", _fails)
        with pytest.raises(RuntimeError):
            calling.run()


@pytest.mark.parametrize(
    ("changes", "data_api", "reason"),
    [({}, False, r"extra\.data_api"), ({"durable": False}, True, "durable=True")],
    ids=["no Data API", "no journal"],
)
def test_absence_proven_after_is_refused_before_dialling_if_absence_cannot_be_proven(
    desk, changes, data_api, reason
):
    desk.connect(extra={"data_api": data_api})
    with pytest.raises(CallApiFailure, match=f"absence_proven_after needs .*{reason}"):
        task(desk, absence_proven_after=300, **changes).run()
    assert desk.exchange.journal == []


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("changes", [{}, {"absence_proven_after": 300}], ids=["at most once", "proof"])
def test_a_try_with_another_connection_does_not_search_for_the_call_of_an_earlier_try(
    desk, monkeypatch, changes
):
    desk.exchange.script(CONTACT, Script(rings=1, talks=60))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    options: dict[str, Any] = dict(changes)
    calling = Task(desk, lambda: task(desk, **options).make())
    _lose_the_first_try(calling, monkeypatch)

    options["callapi_conn_id"] = desk.connect_another_account()
    with pytest.raises(CallApiFailure, match=r"external_id af-\S+-1 may .* connection callapi_default,"):
        calling.retry()
    options["callapi_conn_id"] = "callapi_default"

    assert calling.retry()["answered"]
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_try_with_another_connection_does_not_take_an_active_call_for_ended(desk, way):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    options: dict[str, Any] = {"timeout": 30}
    calling = Task(desk, lambda: task(desk, way, **options).make())
    with pytest.raises(CallStillActive):
        calling.run()

    options["callapi_conn_id"] = desk.connect_another_account()
    with pytest.raises(CallApiFailure, match=r"call session \d+ was placed through connection callapi_def"):
        calling.retry()
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_resumed_task_with_another_connection_does_not_take_an_active_call_for_ended(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    options: dict[str, Any] = {"tags": {"answered": 36}}
    calling = Task(desk, lambda: task(desk, "deferral", **options).make())
    trigger = calling.trigger

    def change_the_connection(given):
        event = trigger(given)
        options["callapi_conn_id"] = desk.connect_another_account()
        return event

    monkeypatch.setattr(calling, "trigger", change_the_connection)
    with pytest.raises(CallApiFailure, match=r"call session \d+ was placed through connection callapi_def"):
        calling.run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_new_call_may_use_another_connection_than_the_last_call(desk):
    options: dict[str, Any] = {}
    calling = Task(desk, lambda: task(desk, **options).make())
    calling.run()

    options["callapi_conn_id"] = desk.connect_another_account()
    assert calling.retry()["attempt"] == 1, "a retry returns the finished call"
    assert calling.clear()["attempt"] == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_alert_that_must_ring_may_use_another_connection(desk, monkeypatch):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    options: dict[str, Any] = {"delivery": "at_least_once"}
    calling = Task(desk, lambda: task(desk, **options).make())
    _lose_the_first_try(calling, monkeypatch)

    options["callapi_conn_id"] = desk.connect_another_account()
    assert calling.retry()["answered"]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("seconds", [0, 59, float("inf"), float("nan"), -1])
def test_absence_proven_after_is_finite_and_at_least_appear_timeout(desk, seconds):
    with pytest.raises(ValueError, match=r"absence_proven_after: .*(at least appear_timeout|at most)"):
        task(desk, absence_proven_after=seconds).make()


@pytest.mark.parametrize(
    ("field", "given", "named"),
    [
        ("contact_message", {"type": "tts", "value": f"Файл {OF_A_FILE_NAME}"}, "contact_message.value"),
        ("external_id", f"order-{HALF}", "external_id"),
    ],
)
def test_a_text_with_half_of_a_character_is_refused_before_the_call(desk, field, given, named):
    """In the DAG file, or in a rendered template: no journal remains, so a corrected retry calls."""
    values = {"contact": CONTACT, "virtual_phone_number": VNUMBER, "contact_message": TTS}
    with pytest.raises(CallApiFailure, match=f"{named}: a text of whole characters is needed"):
        CallApiStartInformerCallOperator(task_id="call", **{**values, field: given})

    operator = CallApiStartInformerCallOperator(task_id="call", **values)
    setattr(operator, field, given)
    task = Task(desk, lambda: operator)
    with pytest.raises(CallApiFailure, match=f"{named}: a text of whole .*This try placed no call"):
        task.run()
    assert desk.sent() == []
    setattr(operator, field, values.get(field))
    assert task.retry()["call_session_id"]
    assert desk.exchange.rings(CONTACT) == 1
