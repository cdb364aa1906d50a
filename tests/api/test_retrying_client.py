"""`RetryingClient` against the emulator: which requests it sends again, and how long it waits for points."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey, Credentials, LoginSession
from airflow_provider_callapi.api.errors import (
    CallApiError,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.methods import (
    ListCalls,
    ReleaseCall,
    SendDtmf,
    StartInformerCall,
    TagCall,
    request_by_name,
)
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Exchange, Fault, ManualClock

CONTACT = "79161234567"
START = StartInformerCall(
    virtual_phone_number=VNUMBER,
    contact=CONTACT,
    contact_message={"type": "tts", "value": "Hello"},  # type: ignore[arg-type]
)
LOST = [
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.HANG,
    Fault.BAD_GATEWAY,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.INTERNAL_ERROR,
    Fault.TRUNCATED,
    Fault.GARBAGE,
    Fault.HTML,
    Fault.REDIRECT,
    Fault.WRONG_ID,
]
"""After these faults it is unknown whether the request was carried out."""


@dataclass
class Desk:
    """An exchange, and clients of it whose sleeps move the exchange's clock."""

    clock: ManualClock = field(default_factory=ManualClock)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange = Exchange(clock=self.clock)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(max(seconds, 0))

    def client(self, credentials: Credentials | None = None, **options: Any) -> RetryingClient:
        rpc = JsonRpc("http://127.0.0.1:9/v4.0", new_session=self.exchange.session)
        key = AccessKey(self.exchange.account.key)
        return RetryingClient(Client(rpc, credentials or key, clock=self.clock), sleep=self.sleep, **options)

    def start(self) -> int:
        """Start a call through another client. Return its session id."""
        return self.client().call(START).call_session_id


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- which requests are sent again ---


@pytest.mark.parametrize("fault", LOST)
def test_a_safe_method_is_sent_again_after_an_error_and_each_repeat_is_logged(desk, fault, caplog):
    desk.exchange.fault(fault, times=4)

    with caplog.at_level(logging.WARNING):
        assert desk.client().call(ListCalls()) == []

    assert len(desk.slept) == 4
    assert all(0 <= pause <= 8 for pause in desk.slept)
    assert caplog.text.count("sending the request again in") == 4
    assert "send 5" in caplog.text


def test_the_repeats_of_a_safe_method_are_bounded(desk):
    desk.exchange.fault(Fault.INTERNAL_ERROR, times=99)

    with pytest.raises(ServiceFailed):
        desk.client().call(ListCalls())

    assert sum(entry.kind == "fault" for entry in desk.exchange.journal) == 5


def test_max_sends_1_disables_repeats(desk):
    desk.exchange.fault(Fault.INTERNAL_ERROR, times=99)

    with pytest.raises(ServiceFailed):
        desk.client(max_sends=1).call(ListCalls())

    assert sum(entry.kind == "fault" for entry in desk.exchange.journal) == 1
    assert desk.slept == []


@pytest.mark.parametrize("fault", LOST)
def test_a_start_request_whose_answer_was_lost_is_never_sent_again(desk, fault):
    desk.exchange.fault(fault, method="start.informer_call")

    with pytest.raises((Unanswered, ServiceFailed)) as failure:
        desk.client().call(START)

    assert failure.value.maybe_done
    assert desk.exchange.rings(CONTACT) == (1 if fault.carried_out else 0)
    assert desk.slept == []


@pytest.mark.parametrize("fault", [f for f in LOST if f.carried_out])
def test_a_tone_whose_answer_was_lost_is_never_sent_again(desk, fault):
    session = desk.start()
    desk.exchange.fault(fault, method="send.dtmf")

    with pytest.raises((Unanswered, ServiceFailed)):
        desk.client().call(SendDtmf(call_session_id=session, dtmf_string="1"))

    assert desk.exchange.call(session).dtmf == ["1"]


def test_a_start_request_that_was_not_sent_is_sent_again(desk):
    desk.exchange.fault(Fault.REFUSE, times=4)

    desk.client().call(START)

    assert desk.exchange.rings(CONTACT) == 1
    assert len(desk.slept) == 4


def test_a_start_request_that_cannot_be_sent_raises_not_sent(desk):
    desk.exchange.fault(Fault.REFUSE, times=99)

    with pytest.raises(NotSent) as failure:
        desk.client().call(START)

    assert not failure.value.maybe_done
    assert desk.exchange.rings(CONTACT) == 0


def test_a_start_request_whose_login_was_lost_is_sent_again(desk):
    """Only the login was lost; the start request was not sent."""
    account = desk.exchange.account
    desk.exchange.fault(Fault.DROP_AFTER, method="login.user", times=2)

    desk.client(LoginSession(account.login, account.password)).call(START)

    assert desk.exchange.rings(CONTACT) == 1


def test_a_release_whose_answer_was_lost_is_sent_again_and_succeeds(desk):
    session = desk.start()
    desk.exchange.fault(Fault.DROP_AFTER, method="release.call")

    assert desk.client().call(ReleaseCall(call_session_id=session)).already


def test_a_rejected_request_is_not_sent_again(desk):
    with pytest.raises(CallApiError, match="tag_not_found"):
        desk.client().call(TagCall(call_session_id=desk.start(), tag_id=999))

    assert desk.exchange.requests("tag.call") == 1


def test_an_unknown_method_is_not_repeated_because_the_effect_of_a_repeat_is_unknown(desk):
    desk.exchange.fault(Fault.DROP_AFTER)

    with pytest.raises(Unanswered):
        desk.client().call(request_by_name("fax.send", {"contact": CONTACT}))
    assert desk.slept == []


def test_a_known_method_called_by_its_name_is_repeated_as_its_class_allows(desk):
    desk.exchange.fault(Fault.DROP_AFTER, times=1)
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    client = desk.client()
    assert client.call(request_by_name("list.calls", {})) == []
    with pytest.raises(Unanswered):
        client.call(request_by_name("start.informer_call", START.params))

    assert desk.exchange.rings(CONTACT) == 1


def _stop_after(sends: int) -> Callable[[], None]:
    left = [sends]

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("no further sends")

    return count


def test_before_each_send_runs_before_every_send_and_can_stop_the_repeats(desk):
    desk.exchange.fault(Fault.REFUSE, times=99)

    with pytest.raises(RuntimeError, match="no further sends"):
        desk.client().call(START, before_each_send=_stop_after(2))

    assert sum(entry.kind == "fault" for entry in desk.exchange.journal) == 2


@pytest.mark.parametrize("logged_in", [False, True])
def test_before_each_send_runs_after_a_login_and_can_still_stop_the_request(desk, logged_in):
    account = desk.exchange.account
    client = desk.client(LoginSession(account.login, account.password))
    if logged_in:
        client.call(ListCalls())
        desk.exchange.call_api.tokens.clear()  # the service refuses the token, and the client logs in again

    with pytest.raises(RuntimeError, match="no further sends"):
        client.call(START, before_each_send=_stop_after(int(logged_in)))

    assert desk.exchange.calls == []
    assert "login.user" in [entry.method for entry in desk.exchange.journal]


# --- waiting for points ---


def use_up(desk: Desk, *, minute: int = 100, day: int = 100) -> None:
    desk.start()
    account = desk.exchange.account
    account.minute_limit, account.day_limit = minute, day


def test_a_request_waits_for_the_points_of_the_next_minute_and_the_call_is_placed_once(desk):
    use_up(desk, minute=1)
    reset = desk.exchange.limits()["minute_reset"]

    desk.client().call(START.model_copy(update={"contact": "79160000002"}))

    assert desk.slept == [reset]
    assert desk.exchange.rings("79160000002") == 1


def test_a_limit_that_is_reset_too_late_raises_with_the_seconds(desk):
    use_up(desk, day=1)

    with pytest.raises(LimitExceeded) as failure:
        desk.client().call(START)

    assert failure.value.retry_after == desk.exchange.limits()["day_reset"]
    assert str(failure.value.retry_after) in str(failure.value)
    assert desk.slept == []


def test_max_limit_wait_bounds_the_wait(desk):
    use_up(desk, minute=1)

    with pytest.raises(LimitExceeded):
        desk.client(max_limit_wait=0.5).call(START)
    assert desk.slept == []


def test_max_limit_wait_bounds_all_waits_of_a_request_together(desk):
    """Other clients use the account, too: after each reset the points may be used up again."""
    use_up(desk, minute=0)

    with pytest.raises(LimitExceeded):
        desk.client(max_limit_wait=150).call(START)

    assert 0 < sum(desk.slept) <= 150
    assert desk.exchange.rings(CONTACT) == 1  # by use_up


class _Impatient:
    """A Call API client whose sends end with the given errors, one after the other, and then succeed."""

    def __init__(self, *errors: CallApiError) -> None:
        self.errors = list(errors)
        self.sends = 0

    def call(self, request: object, *, before_each_send: object) -> str:
        self.sends += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def _no_points(seconds: int) -> LimitExceeded:
    return LimitExceeded("no points", limits=Limits(minute_remaining=0, minute_reset=seconds))


def test_sends_that_found_no_points_do_not_use_up_max_sends():
    client = _Impatient(*[_no_points(1)] * 5, *[NotSent("refused")] * 4)
    slept: list[float] = []

    assert RetryingClient(client, sleep=slept.append).call(START) == "answer"  # type: ignore[arg-type]
    assert client.sends == 10
    assert slept[:5] == [1.0] * 5
    assert slept[5] <= 0.5, "the first back-off is short, also after waits for points"


def test_pauses_after_other_errors_do_not_use_up_max_limit_wait(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda shortest, longest: longest)
    client = _Impatient(*[NotSent("refused")] * 4, _no_points(60), _no_points(60))
    slept: list[float] = []

    assert RetryingClient(client, sleep=slept.append).call(START) == "answer"  # type: ignore[arg-type]
    assert slept == [0.5, 1.0, 2.0, 4.0, 60.0, 60.0]
