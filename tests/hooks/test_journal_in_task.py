"""`CallApiHook.place_call`: the function of a retried task rings no one twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import (
    CONTACT,
    TTS,
    VNUMBER,
    Desk,
    TaskInstance,
    TaskState,
    installed_task_state,
    refuse_stage,
)

from airflow_provider_callapi.api.errors import CallApiError, NotSent
from airflow_provider_callapi.api.methods import ListCalls, StartInformerCall
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallUnresolved,
    CallUnresolvedForNow,
)
from airflow_provider_callapi.hooks import journal_in_task
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]

OTHER = "79161234568"
START = "start.informer_call"
needs_state = pytest.mark.needs_airflow("3.3", "task state")


@dataclass
class Function:
    """A task with a function, over its tries."""

    desk: Desk
    retries: int = 2
    state: TaskState | None = field(default_factory=installed_task_state)
    ti: TaskInstance = field(default_factory=lambda: TaskInstance(start_date=datetime.now(UTC)))
    clears: int = 0
    conn_id: str = "callapi_default"

    def place(
        self, contact: str = CONTACT, text: str = "Hello", external_id: str | None = None, **options: Any
    ) -> dict[str, Any]:
        context = {
            "ti": self.ti,
            "task": SimpleNamespace(retries=self.retries),
            "dag_run": SimpleNamespace(clear_number=self.clears),
        }
        if self.state is not None:
            context["task_state_store"] = self.state
        request = StartInformerCall(
            virtual_phone_number=VNUMBER,
            contact=contact,
            contact_message={"type": "tts", "value": text},
            external_id=external_id,
        )
        with CallApiHook(self.conn_id) as hook:
            return hook.place_call(request, context, **options)

    def retry(self) -> None:
        self.ti.try_number += 1

    def clear(self) -> None:
        self.ti.max_tries += 1
        self.clears += 1
        self.retry()


@pytest.fixture
def function(desk: Desk) -> Function:
    journal_in_task._stores_without_state.clear()  # each test is another process
    return Function(desk)


@needs_state
def test_a_retry_returns_the_calls_that_an_earlier_try_placed(function: Function, desk: Desk) -> None:
    placed = [function.place(CONTACT), function.place(OTHER), function.place(OTHER, "And a second message")]
    desk.clock.advance(60)
    function.retry()
    texts = ["It is later now", "It is later now", "And another text"]
    again = [
        function.place(contact, text) for contact, text in zip([CONTACT, OTHER, OTHER], texts, strict=True)
    ]
    assert again == placed
    assert len({call["external_id"] for call in placed}) == 3
    assert (desk.exchange.rings(CONTACT), desk.exchange.rings(OTHER)) == (1, 2)


@needs_state
def test_a_retry_that_omits_an_earlier_person_rings_no_one_twice(function: Function, desk: Desk) -> None:
    function.place(CONTACT)
    function.retry()
    function.place(OTHER)
    function.retry()
    function.place(OTHER)
    function.place(CONTACT)
    assert (desk.exchange.rings(CONTACT), desk.exchange.rings(OTHER)) == (1, 1)


@needs_state
def test_a_retry_in_another_order_says_each_message_to_the_person_once(
    function: Function, desk: Desk
) -> None:
    said = function.place(CONTACT, "Your order is late")
    desk.exchange.fault(Fault.REFUSE, method=START, times=5)
    with pytest.raises(NotSent):
        function.place(CONTACT, "Your order is ready")
    function.retry()
    new = function.place(CONTACT, "Your order is ready")
    assert new["call_session_id"] != said["call_session_id"]
    assert function.place(CONTACT, "Your order is late") == said
    assert desk.exchange.rings(CONTACT) == 2


def test_two_equal_requests_in_one_try_place_one_call(function: Function, desk: Desk) -> None:
    function.retries = 0
    assert function.place() == function.place()
    assert desk.exchange.rings(CONTACT) == 1


def test_equal_requests_in_several_threads_place_one_call(function: Function, desk: Desk) -> None:
    function.retries = 0
    people = [f"7916123{number:04}" for number in range(10)]
    with ThreadPoolExecutor(8) as pool:
        placed = list(pool.map(function.place, [*people, *people, *people]))
    assert [desk.exchange.rings(person) for person in people] == [1] * 10
    assert len({call["call_session_id"] for call in placed}) == 10


@needs_state
def test_an_answer_that_task_state_cannot_store_fails_the_try_and_the_retry_finds_the_call(
    function: Function, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=600))
    with monkeypatch.context() as patch:
        refuse_stage(patch, "started")
        with pytest.raises(CallApiTrouble, match=r"call session \d+: the phone rings or has rung"):
            function.place()
    function.retry()
    assert function.place()["call_session_id"] == desk.exchange.calls[0].call_session_id
    assert desk.exchange.rings(CONTACT) == 1


@needs_state
def test_an_unconfirmed_call_is_found_by_the_same_try(function: Function, desk: Desk) -> None:
    desk.exchange.fault(Fault.DROP_AFTER, method=START)
    call = function.place()
    assert call["call_session_id"] == desk.exchange.calls[0].call_session_id
    assert desk.exchange.rings(CONTACT) == 1


@needs_state
def test_an_unconfirmed_call_that_is_not_found_is_unresolved_until_a_user_clears_the_task(
    function: Function, desk: Desk
) -> None:
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    with pytest.raises(CallUnresolved):
        function.place()
    function.retry()
    with pytest.raises(CallUnresolved):
        function.place()
    assert desk.exchange.rings(CONTACT) == 0
    function.clear()
    assert function.place()["attempt"] == 2
    assert desk.exchange.rings(CONTACT) == 1


@needs_state
@pytest.mark.parametrize("with_data_api", [True, False])
@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER])
def test_an_unconfirmed_call_is_not_taken_for_another_call_of_the_task_to_the_same_person(
    function: Function, desk: Desk, fault: Fault, with_data_api: bool
) -> None:
    desk.connect(extra={"data_api": with_data_api})
    desk.exchange.script(CONTACT, Script.busy())  # the first call has ended when the second begins
    first = function.place(CONTACT, "Your order is late", external_id="order-7")
    desk.clock.advance(4)
    desk.exchange.script(CONTACT, Script())
    desk.exchange.fault(fault, method=START)
    if fault is Fault.DROP_AFTER:
        second = function.place(CONTACT, "Your order is ready", external_id="order-7")
        assert second["call_session_id"] != first["call_session_id"]
    else:
        with pytest.raises(CallUnresolved):
            function.place(CONTACT, "Your order is ready", external_id="order-7")

    assert desk.exchange.rings(CONTACT) == (2 if fault is Fault.DROP_AFTER else 1)


@needs_state
@pytest.mark.parametrize("stage", ["starting", "started"])
def test_a_retry_through_another_connection_names_the_connection_of_the_earlier_try(
    function: Function, desk: Desk, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """The new account does not show the call. A user who searched there in vain would clear the task."""
    next_stage = {"starting": "started", "started": "done"}[stage]
    with monkeypatch.context() as down:
        refuse_stage(down, next_stage)
        with pytest.raises(Exception, match=r"stored|API_SERVER_ERROR"):
            function.place()
    function.retry()
    function.conn_id = desk.connect_another_account()

    with pytest.raises(CallApiFailure, match=r"through connection callapi_default, .* Restore the value"):
        function.place()

    function.conn_id = "callapi_default"
    function.clear()
    function.retry()
    function.place()
    assert desk.sent(but=("list.calls", "get.account", "get.calls_report")) == [START]


@needs_state
def test_at_least_once_places_an_unconfirmed_call_again_through_another_connection(
    function: Function, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as down:
        refuse_stage(down, "started")
        with pytest.raises(CallApiTrouble):
            function.place(delivery="at_least_once")
    function.retry()
    function.conn_id = desk.connect_another_account()

    assert function.place(delivery="at_least_once")["attempt"] == 2


@needs_state
def test_at_least_once_places_an_unconfirmed_call_again(function: Function, desk: Desk) -> None:
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    assert function.place(delivery="at_least_once")["attempt"] == 2
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    with pytest.raises(CallUnresolvedForNow):
        function.place(OTHER, delivery="at_least_once")


@needs_state
def test_a_refused_call_is_placed_by_the_retry(function: Function, desk: Desk) -> None:
    desk.exchange.account.blacklist.add(CONTACT)
    with pytest.raises(CallApiFailure):
        function.place()
    desk.exchange.account.blacklist.clear()
    function.retry()
    assert function.place()["attempt"] == 1


@needs_state
def test_a_clear_calls_the_person_again(function: Function, desk: Desk) -> None:
    desk.exchange.default_script = Script(rings=1, talks=1)
    first = function.place()
    desk.clock.advance(60)
    function.clear()
    second = function.place()
    function.retry()
    assert function.place() == second != first
    assert desk.exchange.rings(CONTACT) == 2


def test_a_task_with_retries_places_no_call_without_task_state(function: Function, desk: Desk) -> None:
    function.state = None
    with pytest.raises(
        CallApiFailure, match=r"Airflow 3\.3 or later .* Set retries=0 .* This try placed no call"
    ):
        function.place()
    assert desk.sent() == []
    function.retries = 0
    function.place()
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize(
    ("option", "value"), [("appear_timeout", float("nan")), ("appear_timeout", "soon"), ("delivery", "twice")]
)
def test_a_wrong_option_is_named_and_no_call_is_placed(
    function: Function, desk: Desk, option: str, value: Any
) -> None:
    function.retries = 0
    with pytest.raises(CallApiFailure, match=f"{option}.*This use of place_call placed no call"):
        function.place(**{option: value})
    assert desk.sent() == []


@needs_state
@pytest.mark.parametrize("crash_at", range(1, 8))
def test_a_try_that_is_killed_at_any_write_rings_no_one_twice(
    function: Function, desk: Desk, crash_at: int
) -> None:
    """The state is written before each step that cannot be undone."""

    class Killed(BaseException):
        pass

    class Crashing(TaskState):
        left = crash_at

        def set(self, key: str, value: Any, **options: Any) -> None:
            self.left -= 1
            if self.left == 0:
                raise Killed
            super().set(key, value, **options)

    function.state = Crashing()
    for contact in (CONTACT, OTHER):
        try:
            function.place(contact)
        except Killed:
            break
    function.retry()
    for contact in (CONTACT, OTHER):
        try:
            function.place(contact)
        except CallApiError as error:
            pytest.fail(str(error))
        except CallUnresolved:
            assert desk.exchange.rings(contact) == 0
    assert desk.exchange.rings(CONTACT) <= 1
    assert desk.exchange.rings(OTHER) <= 1


def test_a_function_cannot_place_a_call_whose_id_contains_the_phone_number(
    desk: Desk, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs and the returned dict show the id."""
    with pytest.raises(CallApiFailure, match="external_id: contains the phone number") as refused:
        function.place(external_id="order 8 (916) 123-45-67")

    assert desk.sent() == []
    assert "123-45-67" not in f"{refused.value}{caplog.text}"


@pytest.mark.parametrize("request_", [{"contact": CONTACT}, None, ListCalls(), StartInformerCall])
def test_a_function_can_only_place_a_start_request(desk: Desk, request_: Any) -> None:
    with CallApiHook() as hook, pytest.raises(CallApiFailure, match="request: a start request, such as"):
        hook.place_call(request_, {})

    assert desk.sent(but=()) == []


@pytest.mark.parametrize("context", [None, {}, "context", {"ti": None}, [("ti", None), ("task", None)]])
def test_a_call_is_only_placed_with_the_context_of_a_task(desk: Desk, context: Any) -> None:
    request = StartInformerCall(virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS)
    with CallApiHook() as hook, pytest.raises(CallApiFailure, match="context: Airflow's context of the"):
        hook.place_call(request, context)

    assert desk.sent(but=()) == []


@needs_state
def test_an_unconfirmed_call_is_not_taken_for_the_call_whose_record_airflow_has_deleted(
    function: Function, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    assert function.state is not None
    function.place()
    function.state.values.clear()
    desk.clock.advance(3600)
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)
    function.clear()
    with pytest.raises(CallUnresolved):
        function.place()
    assert desk.exchange.rings(CONTACT) == 1
