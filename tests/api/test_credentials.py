"""Access tokens: requested at first use, renewed in time, replaced once after a refusal, never printed."""

from __future__ import annotations

import itertools
import pickle
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.credentials import AccessKey, Credentials, LoginSession
from airflow_provider_callapi.api.errors import (
    AuthenticationFailed,
    NotSent,
    TokenInvalid,
)
from airflow_provider_callapi.api.methods import (
    ListCalls,
    LoginUser,
    LogoutUser,
    StartInformerCall,
    request_by_name,
)
from airflow_provider_callapi.api.models import AccessToken
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.api.retrying_client import RetryingClient

if TYPE_CHECKING:
    from conftest import ScriptedService

PASSWORD = "correct-horse-battery"
INVALID = {
    "error": {
        "code": -32001,
        "message": "Access token is invalid",
        "data": {"mnemonic": "access_token_invalid", "field": "access_token"},
    }
}
CALL = StartInformerCall.from_values(
    {
        "virtual_phone_number": VNUMBER,
        "contact": "79260000000",
        "contact_message": {"type": "tts", "value": "Привет"},
    }
)


class Logins:
    """A login function that counts its calls. A token is valid for ``life`` seconds of the service clock."""

    def __init__(self, service_now: float = 0.0, life: float = 3600.0) -> None:
        self.service_now = service_now
        self.life = life
        self.count = 0

    def __call__(self, login: str, password: str) -> AccessToken:
        assert (login, password) == ("me", PASSWORD)
        self.count += 1
        return AccessToken(access_token=f"token-{self.count}", expire_at=self.service_now + self.life)


def signing_in(service: ScriptedService, good: set[str] | None = None) -> None:
    """Let the service accept the tokens in ``good`` (None: all) and issue token-1, token-2…"""

    def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "login.user":
            token = f"token-{service.methods.count('login.user')}"
            return {"result": {"data": {"access_token": token, "expire_at": 3600}}}
        if good is not None and params["access_token"] not in good:
            return INVALID
        return {"result": {"data": {"call_session_id": 5} if method == CALL.method else []}}

    service.answer = answer


# --- when to log in ---


def test_the_client_does_not_log_in_before_it_needs_a_token(service: ScriptedService) -> None:
    signing_in(service)
    client = service.client(LoginSession("me", PASSWORD))
    assert service.asked == []
    client.call(ListCalls())
    client.call(ListCalls())
    assert service.methods == ["login.user", "list.calls", "list.calls"]
    assert service.asked[0][1] == {"login": "me", "password": PASSWORD}
    assert service.tokens("list.calls") == ["token-1", "token-1"]


def test_login_itself_carries_no_token(service: ScriptedService) -> None:
    signing_in(service)
    token = service.client().call(LoginUser(login="me", password=PASSWORD))
    assert token.access_token == "token-1"
    assert service.asked == [("login.user", {"login": "me", "password": PASSWORD})]


def test_a_token_is_replaced_sixty_seconds_before_its_end() -> None:
    session, logins = LoginSession("me", PASSWORD), Logins()
    assert session.token(logins, 0.0) == "token-1"
    assert session.token(logins, 3539.9) == "token-1"
    assert session.token(logins, 3540.0) == "token-2"
    assert logins.count == 2


@given(
    expires=st.floats(0, 1e5),
    moments=st.lists(st.floats(0, 1e5), min_size=1, max_size=20).map(sorted),
)
def test_a_token_with_a_plausible_end_is_not_used_in_its_last_minute_and_another_one_for_an_hour(
    expires: float, moments: list[float]
) -> None:
    session, got = LoginSession("me", PASSWORD), []

    def log_in(login: str, password: str) -> AccessToken:
        got.append(now)
        return AccessToken(access_token=f"token-{len(got)}", expire_at=expires)

    for now in moments:
        assert session.token(log_in, now) == f"token-{len(got)}"
        is_plausible = 120 <= expires - got[-1] <= 86_400
        assert now < (expires if is_plausible else got[-1] + 3600) - 60 or now == got[-1]
    for earlier, later in itertools.pairwise(got):
        assert later - earlier >= 59.999


@pytest.mark.parametrize("skew", [-1e6, -7200.0, -3600.0, 0.0, 3600.0, 7200.0, 1e9])
def test_a_wrong_clock_or_a_lifetime_in_place_of_an_end_causes_no_login_a_minute(skew: float) -> None:
    session, logins = LoginSession("me", PASSWORD), Logins(service_now=1e9)
    for second in range(0, 3540, 10):
        session.token(logins, 1e9 + skew + second)
    assert logins.count == 1


def test_many_threads_log_in_once() -> None:
    session, logins, barrier = LoginSession("me", PASSWORD), Logins(), threading.Barrier(16)
    tokens: list[str] = []

    def slowly(login: str, password: str) -> AccessToken:
        time.sleep(0.05)
        return logins(login, password)

    def work() -> None:
        barrier.wait(60)
        tokens.append(session.token(slowly, 0.0))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert tokens == ["token-1"] * 16
    assert logins.count == 1


def test_many_threads_with_one_refused_token_renew_it_once(service: ScriptedService) -> None:
    signing_in(service, good={"token-2"})
    service.delay = 0.02
    client = service.client(LoginSession("me", PASSWORD))
    barrier = threading.Barrier(8)
    answers: list[Any] = []

    def work() -> None:
        barrier.wait(60)
        answers.append(client.call(ListCalls()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [[]] * 8
    assert service.methods.count("login.user") == 2


def test_a_failed_login_is_tried_again_by_the_next_request() -> None:
    session, logins = LoginSession("me", PASSWORD), Logins()

    def failing(login: str, password: str) -> AccessToken:
        raise NotSent("no such host")

    with pytest.raises(NotSent):
        session.token(failing, 0.0)
    assert session.token(logins, 0.0) == "token-1"


# --- a refused token ---


def test_a_refused_token_is_renewed_once_and_the_request_sent_once_more(
    service: ScriptedService,
) -> None:
    signing_in(service, good={"token-2"})
    assert service.client(LoginSession("me", PASSWORD)).call(ListCalls()) == []
    assert service.methods == ["login.user", "list.calls", "login.user", "list.calls"]
    assert service.tokens("list.calls") == ["token-1", "token-2"]


def test_a_start_that_was_refused_for_its_token_is_sent_once_more(
    service: ScriptedService,
) -> None:
    signing_in(service, good={"token-2"})
    assert service.client(LoginSession("me", PASSWORD)).call(CALL).call_session_id == 5
    assert service.methods.count(CALL.method) == 2


@pytest.mark.parametrize("request_", [ListCalls(), CALL])
def test_a_request_whose_new_token_is_refused_counts_as_not_sent(
    service: ScriptedService, request_: Request[Any]
) -> None:
    """Another program may log in at the same time, and end the token: no retry is in vain."""
    signing_in(service, good=set())
    with pytest.raises(NotSent, match=f"{request_.method}: the token of a new login is refused") as caught:
        service.client(LoginSession("me", PASSWORD)).call(request_)
    assert service.methods == ["login.user", request_.method] * 2
    assert (caught.value.permanent, caught.value.maybe_done) == (False, False)
    assert not re.search(r"token-\d", f"{caught.value}{caught.value.__cause__}")


def test_a_start_request_is_sent_again_until_the_service_accepts_the_token_of_a_login(
    service: ScriptedService,
) -> None:
    signing_in(service, good={"token-4"})
    client = RetryingClient(service.client(LoginSession("me", PASSWORD)), sleep=lambda seconds: None)
    assert client.call(CALL).call_session_id == 5
    assert service.tokens(CALL.method) == ["token-1", "token-2", "token-2", "token-3", "token-3", "token-4"]


def test_a_token_that_another_thread_has_renewed_is_kept() -> None:
    session, logins = LoginSession("me", PASSWORD), Logins()
    old = session.token(logins, 0.0)
    assert session.discard_refused(old)
    assert session.token(logins, 0.0) == "token-2"
    assert session.discard_refused(old)
    assert session.token(logins, 0.0) == "token-2"
    assert logins.count == 2


@pytest.mark.parametrize(
    "mnemonic", ["access_token_expired", "access_token_blocked", "auth_error", "forbidden"]
)
def test_other_refusals_are_final(service: ScriptedService, mnemonic: str) -> None:
    signing_in(service)
    inner = service.answer
    error = {"code": -32001, "message": "no", "data": {"mnemonic": mnemonic}}
    service.answer = lambda method, params: (
        inner(method, params) if method == "login.user" else {"error": error}
    )
    with pytest.raises(AuthenticationFailed):
        service.client(LoginSession("me", PASSWORD)).call(ListCalls())
    assert service.methods == ["login.user", "list.calls"]


def test_a_wrong_password_is_tried_once(service: ScriptedService) -> None:
    service.answer = lambda method, params: {
        "error": {
            "code": -32001,
            "message": f"Login or password is wrong: {params['password']}",
            "data": {"mnemonic": "auth_error", "field": "password", "value": params["password"]},
        }
    }
    with pytest.raises(AuthenticationFailed) as caught:
        service.client(LoginSession("me", PASSWORD)).call(ListCalls())
    assert service.methods == ["login.user"]
    assert PASSWORD not in str(caught.value) + repr(caught.value)
    assert caught.value.permanent


def test_the_error_of_a_login_by_name_hides_the_password(service: ScriptedService) -> None:
    service.answer = lambda method, params: {
        "error": {"code": -32001, "message": f"Wrong password {params['password']}"}
    }
    request = request_by_name("login.user", {"login": "me", "password": PASSWORD})
    with pytest.raises(AuthenticationFailed) as caught:
        service.client(AccessKey("permanent-key")).call(request)
    assert PASSWORD not in str(caught.value) + repr(caught.value)


def test_a_login_without_an_answer_did_not_send_the_request(service: ScriptedService) -> None:
    service.answer = lambda method, params: {"result": {"data": {"no": "token"}}}
    with pytest.raises(NotSent) as caught:
        service.client(LoginSession("me", PASSWORD)).call(CALL)
    assert caught.value.method == CALL.method
    assert not caught.value.maybe_done
    assert service.methods == ["login.user"]


def test_a_broken_renewal_after_a_refusal_did_not_send_the_request_either(
    service: ScriptedService,
) -> None:
    signing_in(service, good=set())
    inner = service.answer
    service.answer = lambda method, params: (
        {"result": {}}
        if method == "login.user" and service.methods.count(method) > 1
        else inner(method, params)
    )
    with pytest.raises(NotSent):
        service.client(LoginSession("me", PASSWORD)).call(CALL)
    assert service.methods == ["login.user", CALL.method, "login.user"]


# --- a permanent key ---


def test_a_key_is_sent_as_it_is_and_never_renewed(service: ScriptedService) -> None:
    service.answer = lambda method, params: INVALID
    with pytest.raises(TokenInvalid):
        service.client(AccessKey("permanent-key")).call(ListCalls())
    assert service.asked == [("list.calls", {"access_token": "permanent-key"})]


def test_a_key_is_never_logged_out(service: ScriptedService) -> None:
    client = service.client(AccessKey("permanent-key"))
    client.log_out()
    client.close()
    assert AccessKey("permanent-key").forget() is None
    assert service.asked == []


@pytest.mark.parametrize("request_", [LogoutUser(), request_by_name("logout.user", {})], ids=type)
@pytest.mark.parametrize("credentials", [AccessKey("permanent-key"), LoginSession("me", PASSWORD)], ids=type)
def test_a_logout_request_is_refused_since_it_would_end_a_key_too(
    service: ScriptedService, credentials: Credentials, request_: Request[Any]
) -> None:
    with pytest.raises(TypeError, match=r"log_out\(\)"):
        service.client(credentials).call(request_)
    assert service.asked == []


# --- logging out ---


def test_closing_a_client_leaves_the_token_to_expire(service: ScriptedService) -> None:
    signing_in(service)
    client = service.client(LoginSession("me", PASSWORD))
    client.call(ListCalls())
    client.close()
    assert "logout.user" not in service.methods


def test_a_logout_ends_the_current_token_and_causes_no_login(
    service: ScriptedService,
) -> None:
    signing_in(service)
    inner = service.answer
    service.answer = lambda method, params: (
        {"result": {"data": {"success": True}}} if method == "logout.user" else inner(method, params)
    )
    client = service.client(LoginSession("me", PASSWORD))
    client.log_out()
    assert service.asked == []
    client.call(ListCalls())
    client.log_out()
    client.log_out()
    client.call(ListCalls())
    assert service.methods == [
        "login.user",
        "list.calls",
        "logout.user",
        "login.user",
        "list.calls",
    ]
    assert service.tokens("logout.user") == ["token-1"]
    assert service.tokens("list.calls") == ["token-1", "token-2"]


def test_a_logout_succeeds_if_the_token_has_ended(service: ScriptedService) -> None:
    signing_in(service)
    client = service.client(LoginSession("me", PASSWORD))
    client.call(ListCalls())
    service.answer = lambda method, params: INVALID
    client.log_out()
    assert service.methods[-1] == "logout.user"


# --- nothing is printed ---


def test_no_object_prints_a_secret(service: ScriptedService) -> None:
    signing_in(service)
    session, key = LoginSession("me", PASSWORD), AccessKey("permanent-key")
    client = service.client(session)
    client.call(ListCalls())
    objects = [
        session,
        key,
        client,
        client.rpc,
        client.limits,
        LoginUser(login="me", password=PASSWORD),
        AccessToken(access_token="token-1", expire_at=1),
        session.token,
        client.call,
    ]
    shown = "".join(f"{thing!r}{thing!s}" for thing in objects)
    for secret in (PASSWORD, "permanent-key", "token-1"):
        assert secret not in shown


def test_a_login_session_cannot_be_pickled() -> None:
    """A lock cannot be pickled, so a login session with its password cannot become an XCom."""
    with pytest.raises(TypeError):
        pickle.dumps(LoginSession("me", PASSWORD))
