"""`JsonRpc` against a real socket: the bytes that it sends, and the error for each kind of missing answer."""

from __future__ import annotations

import gzip
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from certificates import Authority
from lone_surrogates import HALF
from requests.adapters import BaseAdapter

from airflow_provider_callapi.api.errors import CallApiError, InvalidParameters, NotSent, Unanswered
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


# --- not sent ---


@both_kinds
def test_a_request_over_a_refused_connection_is_not_sent(serve: Serve, fresh: bool) -> None:
    server = serve(obliging)
    url = server.url
    server.close()
    error = failure(NotSent, url, fresh)
    assert url in str(error)


@both_kinds
def test_a_request_to_an_unknown_host_is_not_sent(fresh: bool) -> None:
    failure(NotSent, "http://nonexistent.invalid/v4.0", fresh)


@pytest.mark.parametrize("url", ["http://a..b/v4.0", f"http://{'a' * 70}.test/", "http://:80/"])
def test_a_request_to_an_invalid_host_is_not_sent(url: str) -> None:
    failure(NotSent, url)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:{}/x@proxy.test:3128",
        "http://me:{}@proxy.test:99999",
        "http://me:{}[@proxy.test:3128",
        "http://me:{}пароль@proxy.test:3128",
        "http://me:{}%D0%BF@proxy.test:3128",
        "socks9://me:{}@proxy.test:3128",
        "ftp://me:{}@proxy.test:3128",
        "http://me:{}@:3128",
        "http://me:{}@",
    ],
)
def test_a_request_through_a_proxy_with_an_unreadable_address_is_not_sent_and_hides_the_proxys_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format("proxy-secret"))
    error = failure(NotSent, "https://callapi.test/v4.0")
    assert "proxy-secret" not in "".join(traceback.format_exception(error))


class FailingAdapter(BaseAdapter):
    """An HTTP adapter that fails before or after it has read the body."""

    def __init__(self, error: Exception, *, read: bool) -> None:
        super().__init__()
        self.error, self.read = error, read

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        if self.read:
            request.body.read(1)  # type: ignore[union-attr]
        raise self.error

    def close(self) -> None:
        pass

    def rpc(self) -> JsonRpc:
        session = requests.Session()
        session.mount("http://", self)
        return JsonRpc("http://x.test", new_session=lambda: session)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectTimeout("slow"),
        requests.ConnectionError(),
        requests.ReadTimeout("odd, but nothing was read"),
        requests.exceptions.SSLError("certificate"),
        requests.exceptions.ProxyError("proxy"),
        UnicodeEncodeError("latin-1", "я", 0, 1, "the user name of a proxy"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_request_counts_as_not_sent_until_its_body_is_read(error: Exception) -> None:
    failure(NotSent, FailingAdapter(error, read=False).rpc())
    failure(Unanswered, FailingAdapter(error, read=True).rpc())


def test_a_tls_request_to_a_plain_port_is_not_sent(serve: Serve) -> None:
    def script(connection: Connection) -> None:
        connection.sock.recv(4096)  # the greeting
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)
    failure(NotSent, server.url.replace("http", "https"))


def test_a_request_that_hangs_in_the_tls_handshake_is_not_sent(serve: Serve) -> None:
    server = serve(lambda connection: connection.server.stopped.wait(5))
    failure(NotSent, JsonRpc(server.url.replace("http", "https"), timeout=0.3))


def test_a_request_to_a_server_with_an_unknown_certificate_is_not_sent(serve: Serve, tmp_path: Path) -> None:
    server = serve(obliging, Authority(tmp_path).server())
    failure(NotSent, server.url)
    assert server.requests == []


def test_a_ca_bundle_with_the_authority_of_the_certificate_is_used(serve: Serve, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = serve(obliging, authority.server())
    assert send(JsonRpc(server.url, verify=str(authority.bundle))).result == {"data": [1]}


def test_a_request_with_a_missing_ca_bundle_is_not_sent(serve: Serve, tmp_path: Path) -> None:
    server = serve(obliging, Authority(tmp_path).server())
    failure(NotSent, JsonRpc(server.url, verify=str(tmp_path / "missing.pem")))


# --- sent, and no answer ---


@both_kinds
def test_a_connection_closed_without_reading_is_unanswered(serve: Serve, fresh: bool) -> None:
    server = serve(lambda connection: time.sleep(0.2))  # the body is in its buffers by then
    failure(Unanswered, server.url, fresh)


def test_a_connection_closed_in_the_middle_of_a_large_body_is_unanswered(serve: Serve) -> None:
    server = serve(lambda connection: connection.sock.recv(1000) and connection.reset())
    with pytest.raises(Unanswered):
        send(server.url, text="я" * 8_000_000)


def after_reading(
    then: Callable[[Connection, WireRequest], None],
) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        request = connection.read_request()
        assert request
        then(connection, request)

    return script


def start_of_an_answer(connection: Connection, request: WireRequest) -> None:
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"jsonrpc": "2.0", ')


def broken_chunks(connection: Connection, request: WireRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")


def raw_answer(raw: bytes) -> Callable[[Connection, WireRequest], None]:
    return lambda connection, request: connection.send(raw)


BROKEN = {
    "closed": lambda connection, request: None,
    "reset": lambda connection, request: connection.reset(),
    "hang": lambda connection, request: connection.server.stopped.wait(5),
    "hang after the head": lambda connection, request: (
        start_of_an_answer(connection, request),
        connection.server.stopped.wait(5),
    ),
    "truncated": start_of_an_answer,
    "broken chunks": broken_chunks,
    "garbage": raw_answer(b"\x00\xff\xfe garbage" * 50),
    "not even a status": raw_answer(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "endless status line": raw_answer(b"HTTP/1.1 200 " + b"x" * 70_000),
    "too many headers": raw_answer(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
    "two lengths": raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10, 20\r\n\r\n{}"),
    "lying gzip": raw_answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
    "no body": raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "204": raw_answer(b"HTTP/1.1 204 No Content\r\n\r\n"),
}


@both_kinds
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_answer_is_unanswered(serve: Serve, case: str, fresh: bool) -> None:
    server = serve(after_reading(BROKEN[case]))
    failure(Unanswered, JsonRpc(server.url, timeout=0.5), fresh)
    for _ in range(200):  # on a busy machine, the client may give up before the server has read
        if server.requests:
            break
        time.sleep(0.02)
    assert len(server.requests) == 1  # and nothing was sent again
    assert server.connections == 1


UNREADABLE: dict[str, Callable[[WireRequest], Any]] = {
    "html": lambda request: b"<html><body>Bad Gateway</body></html>",
    "broken utf-8": lambda request: b'{"jsonrpc": "2.0", "result": "\xff\xfe\xfd"}',
    "half of the json": lambda request: b'{"jsonrpc": "2.0", "id"',
    "deep json": lambda request: b"[" * 200_000,
    "null": lambda request: b"null",
    "number": lambda request: b"5",
    "text": lambda request: b'"ok"',
    "empty object": lambda request: {},
    "batch": lambda request: [good(request)],
    "empty batch": lambda request: [],
    "neither result nor error": lambda request: {"jsonrpc": "2.0", "id": request.json["id"]},
    "both result and error": lambda request: good(request, error={"code": -32603, "message": "x"}),
    "wrong id": lambda request: {**good(request), "id": "another id"},
    "a result without an id": lambda request: {**good(request), "id": None},
    "an error with a wrong id": lambda request: {"id": 7, "error": {"code": -32603}},
    "an error that is text": lambda request: {"id": request.json["id"], "error": "broken"},
    "an error that is null": lambda request: {"id": request.json["id"], "error": None},
    "an error that is null, without an id": lambda request: {"id": None, "error": None},
}


@pytest.mark.parametrize("status", ["200 OK", "502 Bad Gateway", "504 Gateway Timeout"])
@pytest.mark.parametrize("case", UNREADABLE)
def test_a_body_that_does_not_answer_the_request_is_unanswered(serve: Serve, case: str, status: str) -> None:
    server = serve(answering(UNREADABLE[case], status))
    error = failure(Unanswered, server.url)
    assert status[:3] in str(error)
    assert len(server.requests) == 1


@both_kinds
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, status: int, fresh: bool) -> None:
    elsewhere = serve(obliging)

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.reply(b"", f"{status} Moved", f"Location: {elsewhere.url}")

    server = serve(script)
    failure(Unanswered, server.url, fresh)
    assert elsewhere.connections == 0
    assert len(server.requests) == 1


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
