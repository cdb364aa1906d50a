"""Which HTTP answers prove that a gateway refused a request before the service received it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from airflow_provider_callapi.api.errors import LimitExceeded, Unanswered
from airflow_provider_callapi.api.transport.busy_gateway import seconds_until_retry
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc

if TYPE_CHECKING:
    from conftest import Connection, RawServer

    Serve = Callable[..., RawServer]

NOON = "Sun, 06 Nov 1994 12:00:00 GMT"


def wait(status: int, **headers: str) -> int | None:
    return seconds_until_retry(
        status, CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"retry_after": " 0 "}, 0),
        ({"Retry_After": "Sun, 06 Nov 1994 12:00:30 GMT", "Date": NOON}, 30),
        ({"Retry_After": "Sun, 06 Nov 1994 11:00:00 GMT", "Date": NOON}, 0),
    ],
)
def test_a_status_429_or_503_with_a_readable_retry_after_is_an_invitation_to_repeat(status, headers, seconds):
    assert wait(status, **headers) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry_After": ""},
        {"Retry_After": "soon"},
        {"Retry_After": "-1"},
        {"Retry_After": "1.5"},
        {"Retry_After": "1, 2"},
        {"Retry_After": "٣"},
        {"Retry_After": NOON},
        {"Retry_After": f"Sun, 06 Nov 1994 12:00:30 +{'9' * 20}", "Date": NOON},
        {"Retry_After": f"Sun, {'9' * 20} Nov 1994 12:00:30 GMT", "Date": NOON},
        {"Retry_After": NOON, "Date": "today"},
        {"Retry_After": "Sun, 06 Nov 1994 12:00:30", "Date": "Sun, 06 Nov 1994 12:00:00 -0000"},
    ],
)
def test_a_missing_or_unreadable_retry_after_is_no_invitation_to_repeat(headers):
    assert wait(429, **headers) is None


@given(st.integers(100, 599).filter(lambda status: status not in (429, 503)), st.integers(0, 999))
def test_no_other_status_is_an_invitation_to_repeat(status, seconds):
    assert wait(status, Retry_After=str(seconds)) is None


@given(st.text())
def test_any_text_in_the_header_is_read_or_is_no_invitation_to_repeat(text):
    seconds = wait(503, Retry_After=text, Date=text)
    assert seconds is None or seconds >= 0


def served(serve: Serve, body: Callable[[Any], Any], status: str, *headers: str) -> JsonRpc:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.reply(body(request), status, *headers)

    return JsonRpc(serve(script).url, timeout=5)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>busy</html>", b'"busy"', b"{}", b'{"message": "busy"}'),
        {"error": "Too Many Requests"},
        {"timestamp": "2026-10-19T12:26:48Z", "status": 429, "error": "Too Many Requests", "path": "/v4.0"},
        {"error": ["busy"]},
        {"error": True, "message": "busy"},
        {"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}},
        {"error": {"code": "429", "message": "busy"}},
    ],
)
def test_the_answer_of_a_busy_gateway_is_a_refusal_with_its_time(serve: Serve, body: Any) -> None:
    rpc = served(serve, lambda _: body, "429 Too Many Requests", "Retry-After: 7")
    with pytest.raises(LimitExceeded, match="HTTP 429") as refusal:
        rpc.send("start.informer_call", {}, new_connection=True)
    assert (refusal.value.retry_after, refusal.value.maybe_done) == (7, False)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": -32603, "message": "x"}},
        {"error": {"message": "x"}},
        {"error": {"code": 429, "message": "x"}, "id": None},
        {"error": {"code": 429, "message": "x"}, "jsonrpc": "2.0"},
    ],
)
def test_an_error_that_may_come_from_the_service_is_no_refusal_of_a_gateway(serve: Serve, body: Any) -> None:
    rpc = served(serve, lambda _: body, "429 Too Many Requests", "Retry-After: 7")
    assert rpc.send("start.informer_call", {}, new_connection=True).error == body["error"]


@pytest.mark.parametrize("headers", [(), ("Retry-After: soon",)])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_the_answer_of_a_gateway_without_an_invitation_proves_nothing(
    serve: Serve, status: str, headers: tuple[str, ...]
) -> None:
    rpc = served(serve, lambda _: b"<html>busy</html>", status, *headers)
    with pytest.raises(Unanswered):
        rpc.send("start.informer_call", {}, new_connection=True)


@pytest.mark.parametrize(
    "body",
    [
        lambda request: {"id": "of another request", "result": 1},
        lambda request: {"id": request.json["id"], "result": 1, "error": {"code": 1}},
        lambda request: {"id": request.json["id"], "error": "busy"},
    ],
)
def test_an_answer_that_may_come_from_the_service_proves_nothing_under_a_gateways_status(
    serve: Serve, body: Any
) -> None:
    rpc = served(serve, body, "503 Service Unavailable", "Retry-After: 1")
    with pytest.raises(Unanswered):
        rpc.send("start.informer_call", {}, new_connection=True)


def test_a_result_is_read_with_any_http_status(serve: Serve) -> None:
    rpc = served(serve, lambda request: {"id": request.json["id"], "result": 5}, "503 x", "Retry-After: 1")
    assert rpc.send("start.informer_call", {}, new_connection=True).result == 5
