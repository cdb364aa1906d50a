"""A control request that rings or plays something is sent once in all tries, also if a try is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow_fakes import CONTACT, RETRIES, TTS, Task, TaskInstance

from airflow_provider_callapi.api.errors import CallApiError, NotSent
from airflow_provider_callapi.api.methods import METHODS, SessionRequest
from airflow_provider_callapi.api.request import Repeat
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators import call_control
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

pytest_plugins = ["airflow_desk"]

OPERATORS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "make.call": (call_control.CallApiMakeCallOperator, {"to": "79260000077"}),
    "transfer.talk": (call_control.CallApiTransferTalkOperator, {}),
    "restore.talk": (call_control.CallApiRestoreTalkOperator, {}),
    "hold.call": (call_control.CallApiHoldCallOperator, {"contact_message": TTS}),
    "unhold.call": (call_control.CallApiUnholdCallOperator, {}),
    "add.coach": (call_control.CallApiAddCoachOperator, {"phone_number": "79260000009"}),
    "disconnect.leg": (call_control.CallApiDisconnectLegOperator, {"leg_id": 287866221}),
    "send.dtmf": (call_control.CallApiSendDtmfOperator, {"dtmf_string": "5"}),
    "call.talk_option": (call_control.CallApiCallTalkOptionOperator, {"button": "1"}),
}
every_operator = pytest.mark.parametrize("method", OPERATORS)
task_state = pytest.mark.needs_airflow("3.3", "task state")


def test_every_control_request_that_must_not_be_repeated_is_tested_here():
    assert OPERATORS.keys() == {
        name
        for name, request_type in METHODS.items()
        if issubclass(request_type, SessionRequest) and request_type.repeat is Repeat.NEVER
    }


@pytest.fixture
def session(desk: Any) -> int:
    """Return the session id of a call that lasts."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    session_id: int = desk.start()
    desk.clock.advance(5)
    return session_id


def control_task(desk: Any, method: str, session: int) -> Task:
    kind, params = OPERATORS[method]
    return Task(desk, lambda: kind(task_id="task", retries=2, call_session_id=session, **params))


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("transfer.talk", "has no third party: first hold.call, then make.call"),
        ("restore.talk", "has no third party: first hold.call, then make.call"),
        ("make.call", "is not on hold: first hold.call, then make.call"),
        ("unhold.call", "is not on hold: first hold.call"),
    ],
)
def test_the_error_of_a_request_in_a_wrong_state_names_the_call_and_the_next_step(
    desk, session, method, said
):
    with pytest.raises(CallApiFailure) as caught:
        control_task(desk, method, session).run()

    assert str(caught.value).startswith(f"{method}: call session {session} {said} (")


@every_operator
def test_the_error_about_a_call_that_is_not_active_names_the_call(desk, method):
    with pytest.raises(CallApiFailure) as caught:
        control_task(desk, method, 123456).run()

    assert str(caught.value).startswith(f"{method}: call session 123456 has ended or never existed")


class Killed(BaseException):
    """The task's process is killed."""


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a context manager in which a task is killed while it waits for the answer to its request."""
    send = CallApiHook.call

    @contextmanager
    def kill(*, before_the_request: bool = False) -> Iterator[None]:
        def call(self: CallApiHook, request: Any, *, before_each_send: Callable[[], object]) -> Any:
            if before_the_request:
                before_each_send()
                raise Killed
            with suppress(CallApiError):  # the call's state may not allow the request
                send(self, request, before_each_send=before_each_send)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(CallApiHook, "call", call)
            with pytest.raises(Killed):
                yield

    return kill


@task_state
@every_operator
@pytest.mark.parametrize("before_the_request", [False, True])
def test_only_a_clear_by_a_user_sends_the_request_again_after_a_kill(
    desk, session, killing, method, before_the_request
):
    task = control_task(desk, method, session)
    with killing(before_the_request=before_the_request):
        task.run()
    sent = desk.exchange.requests(method)
    assert sent == (not before_the_request)

    for _ in range(2):
        with pytest.raises(CallUnresolved, match="ended before it got an answer"):
            task.retry()
    assert desk.exchange.requests(method) == sent

    with suppress(CallApiFailure):
        task.clear()
    assert desk.exchange.requests(method) == sent + 1


@task_state
@every_operator
def test_a_clear_sends_the_request_again_also_if_the_dag_file_has_one_retry_less(desk, session, method):
    task = control_task(desk, method, session)
    with suppress(CallApiFailure):
        task.run()
    task.run_clears += 1
    task.more_context["task"] = SimpleNamespace(retries=RETRIES - 1)
    task.ti.max_tries = task.ti.try_number + RETRIES - 1  # as before the clear

    with suppress(CallApiFailure):
        task.retry()
    assert desk.exchange.requests(method) == 2


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_a_retry_without_task_state_is_noticed_with_any_retries_in_the_dag_file(
    desk, session, killing, retries
):
    task = control_task(desk, "send.dtmf", session)
    task.state = None
    with killing(before_the_request=True):
        task.run()
    task.more_context["task"] = SimpleNamespace(retries=retries)
    with pytest.raises(CallUnresolved, match="an earlier try may have sent"):
        task.retry()
    assert desk.exchange.requests("send.dtmf") == 0


@every_operator
def test_a_retry_never_sends_the_request_without_task_state(desk, session, killing, method):
    task = control_task(desk, method, session)
    task.state = None
    with killing(before_the_request=True):
        task.run()

    with pytest.raises(CallUnresolved, match="an earlier try may have sent"):
        task.retry()
    assert desk.exchange.requests(method) == 0

    task.run_clears += 1
    task.ti.max_tries = task.ti.try_number + 2  # Airflow adds the task's retries when a user clears the task
    with suppress(CallApiFailure):
        task.retry()
    assert desk.exchange.requests(method) == 1


@task_state
def test_a_retry_after_the_answer_was_stored_returns_the_result_again(desk, session):
    task = control_task(desk, "send.dtmf", session)
    result = task.run()

    assert task.retry() == result
    assert desk.exchange.call(session).dtmf == ["5"]


@task_state
@every_operator
def test_the_next_try_sends_a_request_if_the_connection_could_not_be_read(desk, session, method, monkeypatch):
    task = control_task(desk, method, session)
    with monkeypatch.context() as patch:
        patch.delenv("AIRFLOW_CONN_CALLAPI_DEFAULT")
        with pytest.raises(AirflowNotFoundException):
            task.run()
    assert desk.exchange.requests(method) == 0

    with suppress(CallApiFailure):  # the call's state may not allow the request
        task.retry()

    assert desk.exchange.requests(method) == 1


@task_state
def test_the_next_try_sends_a_request_that_was_certainly_not_carried_out(desk, session):
    task = control_task(desk, "send.dtmf", session)
    desk.exchange.fault(Fault.REFUSE, method="send.dtmf", times=5)
    with pytest.raises(NotSent):
        task.run()

    task.retry()

    assert desk.exchange.call(session).dtmf == ["5"]


@task_state
def test_a_request_about_another_call_is_another_request(desk, session, killing):
    with killing():
        (task := control_task(desk, "send.dtmf", session)).run()
    other = desk.start()
    desk.clock.advance(5)
    task.make = control_task(desk, "send.dtmf", other).make

    task.retry()

    assert desk.exchange.call(other).dtmf == ["5"]


@task_state
@every_operator
def test_no_request_is_sent_if_the_intent_cannot_be_stored(desk, session, monkeypatch, method):
    task = control_task(desk, method, session)

    def down(*_: Any, **__: Any) -> None:
        raise OSError("the API server is down")

    monkeypatch.setattr(task.state, "set", down)

    with pytest.raises(OSError, match="API server"):
        task.run()
    assert desk.exchange.requests(method) == 0


@every_operator
def test_an_operator_inside_another_task_sends_no_request(desk, session, method):
    """Of two requests in one task, the second would be taken for a repetition of the first."""
    kind, params = OPERATORS[method]
    loop = Task(desk, lambda: None, TaskInstance(task_id="loop"))

    with pytest.raises(CallApiFailure, match=r"Operator task .* inside task loop.*no request was sent"):
        kind(task_id="task", call_session_id=session, **params).execute(loop.context)

    assert desk.exchange.requests(method) == 0


def test_a_loop_over_tones_in_one_task_fails_after_the_first(desk, session):
    """The second tone would be taken for a repetition of the first, and silently not be sent."""

    class Dials(call_control.CallApiSendDtmfOperator):
        def execute(self, context):
            for self.dtmf_string in "12":
                super().execute(context)

    task = Task(desk, lambda: Dials(task_id="task", call_session_id=session, dtmf_string="1"))

    with pytest.raises(CallApiFailure, match="only one journal"):
        task.run()

    assert desk.exchange.requests("send.dtmf") == 1


@pytest.mark.parametrize("kind", [call_control.CallApiReleaseCallOperator, CallApiSessionSensor])
def test_the_result_of_a_refused_call_names_the_refusal(desk, kind):
    refused = {"call_session_id": None, "status": "refused"}
    with pytest.raises(CallApiFailure, match=r"the service refused the call .* there is no call"):
        Task(desk, lambda: kind(task_id="t", call_session_id=refused)).run()
    assert desk.sent() == []
