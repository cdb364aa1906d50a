"""A kill of a start operator: Airflow's signal handler calls ``on_kill``, and the process goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow_fakes import CONTACT, Desk, Task, informer_task, refuse_stage
from ways_to_wait import waiting_task, ways

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallStillActive
from airflow_provider_callapi.operators._call import call_wait

pytest_plugins = ["airflow_desk"]

START = "start.informer_call"
TALK = Script(rings=3, talks=300)
cancels = pytest.mark.parametrize("cancel", [True, False])
needs_task_state = pytest.mark.needs_airflow("3.3", "task state")


@pytest.fixture
def calling(desk: Desk) -> Callable[..., Task]:
    """Return a function that makes a task whose contact talks for five minutes."""
    desk.exchange.script(CONTACT, TALK)

    def make(way: str = "worker", **changes: Any) -> Task:
        return informer_task(desk, deferrable=way == "deferral", **changes)

    return make


def kill_before(desk: Desk, killed: Task, method: str) -> None:
    """Kill the task when it sends its first request for this method. The request is already on its way."""
    send, kills = JsonRpc.send, [killed]

    def on_its_way(rpc: JsonRpc, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == method and kills:
            kills.pop().operator.on_kill()
        return send(rpc, name, *args, **kwargs)

    desk.monkeypatch.setattr(JsonRpc, "send", on_its_way)


def kill_during_sleep(desk: Desk, killed: Task, seconds: float) -> None:
    """Kill the task when it has slept this long. The sleep goes on, as after every signal in Python."""
    kill_at, kills = desk.clock() + seconds, [killed]

    def sleep(seconds: float) -> None:
        desk.sleep(seconds)
        if kills and desk.clock() >= kill_at:
            kills.pop().operator.on_kill()

    desk.monkeypatch.setattr("airflow_provider_callapi.system_clock.sleep", sleep)


def run_killed(killed: Task) -> None:
    with pytest.raises(CallApiTrouble, match="killed"):
        killed.run()


# --- before the start request ---


@ways
def test_a_kill_before_the_try_begins_prevents_the_start_request(desk, calling, way):
    operator = calling(way).make()
    operator.on_kill()

    with pytest.raises(CallApiTrouble, match="killed"):
        operator.execute(calling().context)

    assert desk.sent() == []


def test_a_kill_during_the_wait_for_the_calling_hours_ends_the_wait_and_no_one_is_dialled(desk, calling):
    killed = calling(calling_hours=["09:00", "21:00"])
    desk.clock.advance(12 * 3600)
    began = desk.clock()
    kill_during_sleep(desk, killed, 10)

    run_killed(killed)

    assert desk.sent() == []
    assert desk.clock() - began < 13


@needs_task_state
def test_a_kill_during_a_wait_for_points_prevents_the_start_request_and_the_retry_dials_once(desk, calling):
    desk.start("79160000000")
    desk.exchange.account.minute_limit = 1
    killed = calling()
    kill_during_sleep(desk, killed, 1)

    run_killed(killed)

    assert desk.exchange.rings(CONTACT) == 0
    assert killed.journal["stage"] == "nothing"
    desk.exchange.account.minute_limit = 1000
    assert (killed.retry()["attempt"], desk.exchange.rings(CONTACT)) == (1, 1)


def test_a_kill_during_the_login_prevents_the_start_request(desk, calling):
    desk.connect(login=True)
    killed = calling()
    kill_before(desk, killed, "login.user")

    run_killed(killed)

    assert START not in desk.sent()


# --- while the start request is on its way ---


@ways
@cancels
@pytest.mark.parametrize("waits", [True, False])
@needs_task_state
def test_a_call_whose_answer_arrives_after_the_kill_is_released_only_with_cancel_on_kill(
    desk, calling, way, cancel, waits
):
    killed = calling(way, cancel_on_kill=cancel, wait_for_completion=waits)
    kill_before(desk, killed, START)

    run_killed(killed)

    assert (killed.deferrals, desk.exchange.rings(CONTACT)) == ([], 1)
    assert desk.sent().count("release.call") == int(cancel)
    assert len(desk.exchange.active_calls) == int(not cancel)
    (call,) = desk.exchange.calls
    assert killed.journal["call"]["call_session_id"] == call.call_session_id
    assert killed.retry()["call_session_id"] == call.call_session_id
    assert desk.exchange.rings(CONTACT) == 1


@needs_task_state
def test_the_log_names_a_call_that_goes_on_after_the_kill(desk, calling, capsys):
    killed = calling()
    kill_before(desk, killed, START)

    run_killed(killed)

    (call,) = desk.exchange.calls
    assert f"Call session {call.call_session_id} goes on" in capsys.readouterr().out


@needs_task_state
@pytest.mark.parametrize("lost", [[], ["started"]], ids=["stored", "not stored"])
def test_the_error_of_a_kill_names_the_call_that_the_try_has_placed(desk, calling, lost):
    killed = calling()
    kill_before(desk, killed, START)
    for stage in lost:
        refuse_stage(desk.monkeypatch, stage)

    with pytest.raises(CallApiTrouble, match=r"from now on, .* Call session \d+ was placed") as caught:
        killed.run()

    assert str(desk.exchange.calls[0].call_session_id) in str(caught.value)


@needs_task_state
def test_a_killed_call_that_cannot_be_stored_is_released_with_cancel_on_kill(desk, calling):
    killed = calling(cancel_on_kill=True)
    kill_before(desk, killed, START)
    refuse_stage(desk.monkeypatch, "started")

    run_killed(killed)

    assert (desk.exchange.rings(CONTACT), desk.exchange.active_calls) == (1, [])


@needs_task_state
def test_a_killed_call_without_an_answer_is_released_if_the_next_poll_shows_it(desk, calling):
    desk.exchange.fault(Fault.DROP_AFTER, method=START)
    killed = calling(cancel_on_kill=True)
    kill_before(desk, killed, START)

    run_killed(killed)

    assert (desk.exchange.rings(CONTACT), desk.exchange.active_calls) == (1, [])


@needs_task_state
def test_a_kill_ends_the_search_for_an_unconfirmed_call_and_the_retry_searches_again(desk, calling):
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    killed = calling(delivery="at_least_once")
    kill_before(desk, killed, START)

    run_killed(killed)

    assert desk.exchange.rings(CONTACT) == 0
    assert killed.journal["stage"] == "starting"
    assert killed.retry()["status"] == "ended"
    assert desk.exchange.rings(CONTACT) == 1


# --- while the task waits for its call ---


@cancels
@pytest.mark.parametrize("options", [{}, {"require_answer": True}])
@needs_task_state
def test_a_kill_during_the_wait_is_no_success_and_no_judgement_of_the_cut_call(
    desk, calling, cancel, options
):
    killed = calling(cancel_on_kill=cancel, **options)
    began = desk.clock()
    kill_during_sleep(desk, killed, 20)

    run_killed(killed)

    assert desk.clock() - began < 60
    assert desk.sent().count("release.call") == int(cancel)
    assert killed.journal["stage"] == "started"


@needs_task_state
def test_a_kill_during_the_wait_for_a_report_ends_the_wait(desk, calling):
    desk.exchange.report_lag = 100_000.0
    killed = calling(report_timeout=3600)
    began = desk.clock()
    kill_during_sleep(desk, killed, 400)

    run_killed(killed)

    assert desk.clock() - began < 410
    assert killed.journal["stage"] == "ended"


@needs_task_state
def test_a_kill_before_the_deferral_prevents_the_deferral(desk, calling):
    killed = calling("deferral", cancel_on_kill=True)
    log_wait = call_wait.log_wait

    def killed_meanwhile(*args: Any) -> None:
        log_wait(*args)
        killed.operator.on_kill()

    desk.monkeypatch.setattr(call_wait, "log_wait", killed_meanwhile)

    run_killed(killed)

    assert (killed.deferrals, desk.exchange.active_calls) == ([], [])
    assert desk.sent().count("release.call") == 1


@ways
@pytest.mark.parametrize("at", ["start", "wait"])
def test_without_a_journal_a_killed_try_whose_call_was_placed_is_not_retried(desk, calling, way, at):
    killed = calling(way, durable=False, cancel_on_kill=True)
    if at == "start" or way == "deferral":
        kill_before(desk, killed, START)
    else:
        kill_during_sleep(desk, killed, 20)

    with pytest.raises(CallApiFailure, match=r"killed.*Not retried: call session \d+ was placed"):
        killed.run()

    assert (desk.exchange.rings(CONTACT), desk.exchange.active_calls) == (1, [])


# --- whether a call is released ---


def test_a_kill_before_the_call_is_placed_sends_no_request(desk):
    operator = waiting_task(desk, cancel_on_kill=True).make()

    operator.on_kill()

    assert desk.exchange.journal == []


def test_a_kill_releases_the_call_only_with_cancel_on_kill(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    class Killed(BaseException):
        pass

    def die(_: float) -> None:
        raise Killed

    for cancel in (False, True):
        calling = waiting_task(desk, cancel_on_kill=cancel, external_id=str(cancel))
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


def test_a_kill_after_the_end_of_the_call_sends_no_release(desk):
    desk.exchange.script(CONTACT, Script.busy(3))
    calling = waiting_task(desk, cancel_on_kill=True)
    calling.run()

    calling.operator.on_kill()

    assert "release.call" not in desk.sent()


@needs_task_state
def test_a_kill_that_cannot_reach_the_service_does_not_raise(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = waiting_task(desk, cancel_on_kill=True, timeout=10)
    with pytest.raises(CallStillActive):
        calling.run()
    calling.operator._try.wait.active_session_id = desk.exchange.active_calls[0].call_session_id
    desk.exchange.fault(Fault.BAD_GATEWAY, times=9)

    calling.operator.on_kill()

    assert len(desk.exchange.active_calls) == 1
