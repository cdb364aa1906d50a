"""Requests that `JsonRpc` sends to a scripted server, and what the server answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_callapi.api.errors import CallApiError, Unanswered
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply

if TYPE_CHECKING:
    from conftest import Connection, RawServer, WireRequest

    Serve = Callable[..., RawServer]

METHOD = "start.informer_call"
PARAMS = {"access_token": "top-secret-token", "contact": "79260000001", "text": "Привет"}

both_kinds = pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "kept"])


def good(request: WireRequest, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request.json["id"], "result": {"data": [1]}, **more}


def obliging(connection: Connection) -> None:
    """Answer every request of a connection."""
    while request := connection.read_request():
        connection.reply(good(request))


def answering(make: Callable[[WireRequest], Any], status: str = "200 OK") -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.reply(make(request), status)

    return script


def send(rpc: JsonRpc | str, fresh: bool = True, **more: Any) -> Reply:
    if isinstance(rpc, str):
        rpc = JsonRpc(rpc, timeout=60)
    try:
        return rpc.send(METHOD, {**PARAMS, **more}, new_connection=fresh)
    finally:
        if not fresh:
            rpc.close()


def failure(kind: type[CallApiError], rpc: JsonRpc | str, fresh: bool = True) -> CallApiError:
    """Send a request that must fail. Return the error, which names the method and shows no secret."""
    with pytest.raises(CallApiError) as caught:
        send(rpc, fresh)
    error = caught.value
    assert type(error) is kind, error
    assert error.method == METHOD
    assert error.request_id
    assert error.maybe_done is (kind is Unanswered)
    assert not error.permanent
    shown: BaseException | None = error
    while shown is not None:
        assert "top-secret-token" not in str(shown) + repr(shown)
        assert "79260000001" not in str(shown) + repr(shown)
        shown = shown.__cause__ or shown.__context__
    return error
