"""The error of `JsonRpc` says whether a request was not sent, or sent and not answered."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from certificates import Authority
from requests.adapters import BaseAdapter
from rpc_requests import answering, both_kinds, failure, good, obliging, send

from airflow_provider_callapi.api.errors import NotSent, Unanswered
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc

if TYPE_CHECKING:
    from conftest import Connection, RawServer, WireRequest

    Serve = Callable[..., RawServer]


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
