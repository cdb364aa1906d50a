"""`JsonRpc` against a real socket: the bytes that it sends, its connections, and the answers."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from lone_surrogates import HALF
from rpc_requests import METHOD, PARAMS, answering, both_kinds, good, obliging, send

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply

if TYPE_CHECKING:
    from conftest import Connection, RawServer, WireRequest

    Serve = Callable[..., RawServer]


# --- the bytes of a request ---


@both_kinds
def test_a_request_is_one_post_of_utf8_json_with_its_length(serve: Serve, fresh: bool) -> None:
    server = serve(obliging)
    reply = send(server.url, fresh)
    [request] = server.requests
    assert request.head.startswith("POST /v4.0 HTTP/1.1\r\n")
    assert request.headers["content-type"] == "application/json; charset=UTF-8"
    assert int(request.headers["content-length"]) == len(request.body)
    assert "transfer-encoding" not in request.headers
    assert "authorization" not in request.headers
    assert "Привет".encode() in request.body
    assert request.json == {
        "jsonrpc": "2.0",
        "id": reply.request_id,
        "method": METHOD,
        "params": PARAMS,
    }
    assert reply == Reply(reply.request_id, result={"data": [1]})


def test_params_are_an_object_even_when_empty(serve: Serve) -> None:
    server = serve(obliging)
    JsonRpc(server.url).send("list.calls", {}, new_connection=True)
    assert server.requests[0].json["params"] == {}


@both_kinds
def test_a_request_with_half_of_a_character_is_refused_before_it_is_sent(serve: Serve, fresh: bool) -> None:
    server = serve(obliging)
    with pytest.raises(InvalidParameters, match="half of a character") as refused:
        JsonRpc(server.url).send(METHOD, {"any": [{"name": f"secret{HALF}"}]}, new_connection=fresh)
    assert server.requests == []
    assert not refused.value.maybe_done
    assert "secret" not in str(refused.value)


def test_every_request_has_an_id_of_its_own(serve: Serve) -> None:
    server = serve(obliging)
    rpc = JsonRpc(server.url)
    replies = [rpc.send("list.calls", {}, new_connection=n % 2 == 0) for n in range(6)]
    rpc.close()
    ids = [request.json["id"] for request in server.requests]
    assert len(set(ids)) == 6
    assert all(isinstance(one, str) for one in ids)
    assert {reply.request_id for reply in replies} == set(ids)


def test_netrc_is_not_consulted(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password netrc-secret\ndefault login a password b")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(obliging)
    requests.post(server.url, data=b'{"id": 1}', timeout=60)
    assert "authorization" in server.requests[0].headers  # the trap works
    send(server.url)
    assert "authorization" not in server.requests[1].headers


# --- connections ---


def test_a_kept_connection_is_used_again(serve: Serve) -> None:
    server = serve(obliging)
    rpc = JsonRpc(server.url)
    for _ in range(3):
        rpc.send("list.calls", {}, new_connection=False)
    rpc.close()
    assert server.connections == 1


def test_a_fresh_request_never_uses_a_kept_connection_and_leaves_it_alone(serve: Serve) -> None:
    server = serve(obliging)
    rpc = JsonRpc(server.url)
    for fresh in (False, True, False, True, False):
        rpc.send(METHOD, {}, new_connection=fresh)
    rpc.close()
    assert [request.connection for request in server.requests] == [1, 2, 1, 3, 1]


def test_a_fresh_connection_is_closed_after_its_answer(serve: Serve) -> None:
    closed = threading.Event()

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.reply(good(request))
        closed.set()

    send(serve(script).url)
    assert closed.wait(60)


def test_a_kept_connection_that_the_service_closed_meanwhile_is_replaced(serve: Serve) -> None:
    def once(connection: Connection) -> None:
        request = connection.read_request()
        assert request
        connection.reply(good(request))

    server = serve(once)
    rpc = JsonRpc(server.url, timeout=60)
    for _ in range(3):
        rpc.send("list.calls", {}, new_connection=False)
        time.sleep(0.05)
    rpc.close()
    assert server.connections == 3


def test_a_closed_json_rpc_client_can_be_used_again(serve: Serve) -> None:
    server = serve(obliging)
    rpc = JsonRpc(server.url)
    for _ in range(2):
        rpc.send("list.calls", {}, new_connection=False)
        rpc.close()
    rpc.close()
    assert server.connections == 2


def test_threads_share_one_kept_session_and_close_closes_all(serve: Serve) -> None:
    made: list[requests.Session] = []

    class Session(requests.Session):
        closed = False

        def close(self) -> None:
            self.closed = True
            super().close()

    def new_session() -> requests.Session:
        time.sleep(0.05)
        made.append(Session())
        return made[-1]

    rpc = JsonRpc(serve(obliging).url, timeout=60, new_session=new_session)
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def poll() -> None:
        try:
            barrier.wait(60)
            rpc.send("list.calls", {}, new_connection=False)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rpc.close()
    assert failures == []
    assert all(session.closed for session in made if isinstance(session, Session))


# --- answers ---


ERROR = {"code": -32602, "message": "x", "data": {"mnemonic": "data_type_error"}}


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Internal Server Error"])
@pytest.mark.parametrize("with_id", [True, False])
def test_an_error_is_read_with_any_http_status_and_with_a_null_id(
    serve: Serve, status: str, with_id: bool
) -> None:
    def make(request: WireRequest) -> Any:
        return {"id": request.json["id"] if with_id else None, "error": ERROR}

    reply = send(serve(answering(make, status)).url)
    assert reply.error == ERROR
    assert reply.result is None


@pytest.mark.parametrize("status", ["201 Created", "500 Internal Server Error", "503 No"])
def test_a_result_is_read_with_any_http_status(serve: Serve, status: str) -> None:
    assert send(serve(answering(good, status)).url).result == {"data": [1]}


def test_an_empty_error_object_is_an_error(serve: Serve) -> None:
    reply = send(serve(answering(lambda request: {"id": request.json["id"], "error": {}})).url)
    assert reply.error == {}


@pytest.mark.parametrize("result", [None, [], {}, "text", 0])
def test_a_result_may_be_anything(serve: Serve, result: Any) -> None:
    server = serve(answering(lambda request: {"id": request.json["id"], "result": result}))
    reply = send(server.url)
    assert (reply.result, reply.error) == (result, None)


def test_a_compressed_answer_is_read(serve: Serve) -> None:
    def script(connection: Connection) -> None:
        request = connection.read_request()
        assert request
        body = f'{{"id": "{request.json["id"]}", "result": 5}}'.encode()
        connection.reply(gzip.compress(body), "200 OK", "Content-Encoding: gzip")

    assert send(serve(script).url).result == 5


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"result": {"data": [], "metadata": {"a": 1}}}, {"a": 1}),
        ({"result": {"data": []}, "metadata": {"a": 1}}, {"a": 1}),
        ({"error": {"code": 1, "data": {"metadata": {"a": 1}}}}, {"a": 1}),
        ({"error": {"code": 1, "metadata": {"a": 1}}}, {"a": 1}),
        ({"error": {"code": 1}, "metadata": {"a": 1}}, {"a": 1}),
        ({"error": {"code": 1, "data": "text"}, "metadata": {"a": 1}}, {"a": 1}),
        ({"result": [], "metadata": {"a": 1}}, {"a": 1}),
        ({"result": {"data": [], "metadata": "none"}}, {}),
        ({"result": {"data": []}, "metadata": []}, {}),
        ({"result": {"data": []}}, {}),
    ],
    ids=str,
)
def test_metadata_is_found_in_each_of_its_places(serve: Serve, answer: dict[str, Any], found: Any) -> None:
    server = serve(answering(lambda request: {"id": request.json["id"], **answer}))
    assert send(server.url).metadata == found


def test_a_reply_does_not_print_what_it_carries() -> None:
    """The answer to login.user contains a token; an error object repeats values that were sent."""
    secret = "token-of-an-hour"
    replies = [
        Reply("r", result={"data": {"access_token": secret}}),
        Reply("r", error={"data": {"value": secret}}),
    ]
    assert secret not in repr(replies)
