"""Bounds on every answer: its seconds, its bytes before and after unpacking, its depth."""

from __future__ import annotations

import gzip
import importlib
import json
import random
import socket
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import requests.adapters
from certificates import Authority
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import NotSent, Unanswered
from airflow_provider_callapi.api.transport import bounded_http
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, _is_deeper_than

if TYPE_CHECKING:
    from conftest import Connection, RawServer, WireRequest

    Serve = Callable[..., RawServer]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"
both_kinds = pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "kept"])


def dripping(first: bytes, drop: bytes) -> Callable[[Connection], None]:
    """Return a script that sends ``first``, and then ``drop`` again and again, faster than any time limit."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(first)
        while not connection.server.stopped.wait(0.02):
            connection.send(drop)

    return script


DRIPS = {
    "status line": dripping(b"HTTP/1.1 200 ", b"x"),
    "headers": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "body": dripping(HEAD + b"\r\n", b" "),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "gzip": dripping(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 10)[:10], b"\0"),
    "informational answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@both_kinds
@pytest.mark.parametrize("case", DRIPS)
def test_an_answer_that_drips_ends_when_the_time_of_the_request_is_up(
    serve: Serve, case: str, fresh: bool
) -> None:
    rpc = JsonRpc(serve(DRIPS[case]).url, timeout=0.4)
    begin = time.monotonic()
    with pytest.raises(Unanswered):
        rpc.send("start.informer_call", {}, new_connection=fresh)
    rpc.close()
    assert time.monotonic() - begin < 30


def test_one_request_may_have_less_time_than_the_others(serve: Serve) -> None:
    rpc = JsonRpc(serve(DRIPS["body"]).url, timeout=60)
    begin = time.monotonic()
    with pytest.raises(Unanswered):
        rpc.send("list.calls", {}, new_connection=False, time_limit=0.3)
    rpc.close()
    assert time.monotonic() - begin < 30


def test_a_request_through_a_proxy_that_drips_its_answer_is_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(dripping(b"HTTP/1.1 200 ", b"x"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    begin = time.monotonic()
    with pytest.raises(NotSent):
        JsonRpc("https://callapi.test/v4.0", timeout=0.4).send("start.informer_call", {}, new_connection=True)
    assert time.monotonic() - begin < 30
    assert [request.head.split(" HTTP")[0] for request in proxy.requests] == ["CONNECT callapi.test:443"]


def answering_with(body: Callable[[WireRequest], bytes], *headers: str) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            connection.reply(body(request), "200 OK", *headers)

    return script


def answer_of(size: int) -> Callable[[WireRequest], bytes]:
    """Return a function that returns a valid answer of exactly ``size`` bytes."""

    def answer(request: WireRequest) -> bytes:
        return json.dumps({"id": request.json["id"], "result": "ok"}).encode().ljust(size)

    return answer


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encoding", PACKED)
def test_an_answer_is_read_up_to_the_largest_size_and_not_beyond(
    serve: Serve, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MAX_ANSWER_BYTES", 200_000)
    for size, is_read in ((200_000, True), (200_001, False), (5_000_000, False)):
        answer = answer_of(size)
        server = serve(
            answering_with(
                lambda request, a=answer: PACKED[encoding](a(request)), f"Content-Encoding: {encoding}"
            )
        )
        rpc = JsonRpc(server.url, timeout=5)
        if is_read:
            assert rpc.send("list.calls", {}, new_connection=True).result == "ok"
        else:
            with pytest.raises(Unanswered, match="too large"):
                rpc.send("list.calls", {}, new_connection=True)


@pytest.mark.parametrize("status", ["200 OK", "308 Permanent Redirect"])
def test_a_packed_answer_that_unpacks_to_a_bomb_takes_little_memory(serve: Serve, status: str) -> None:
    packer = zlib.compressobj(9, wbits=31)
    megabyte = b" " * 1_000_000
    bomb = b"".join([*(packer.compress(megabyte) for _ in range(250)), packer.flush()])
    assert len(bomb) < 2_000_000

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(bomb, status, "Content-Encoding: gzip", "Location: https://callapi.test/")

    server = serve(script)
    tracemalloc.start()
    try:
        with pytest.raises(Unanswered, match="too large"):
            JsonRpc(server.url, timeout=10).send("list.calls", {}, new_connection=True)
        assert tracemalloc.get_traced_memory()[1] < 4 * bounded_http.MAX_ANSWER_BYTES
    finally:
        tracemalloc.stop()


@both_kinds
@pytest.mark.parametrize("target", ["https://callapi.test/", "//[::1", "http://callapi.test:port/"])
def test_a_redirect_whose_packed_body_breaks_off_is_unanswered(
    serve: Serve, target: str, fresh: bool
) -> None:
    packed = gzip.compress(random.Random(1).randbytes(1000))
    head = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Encoding: gzip\r\n"
    sent = f"{head}Content-Length: {len(packed)}\r\n\r\n".encode() + packed[:500]

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(sent)

    rpc = JsonRpc(serve(script).url, timeout=5)
    with pytest.raises(Unanswered):
        rpc.send("start.informer_call", {}, new_connection=fresh)
    rpc.close()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "unknown"])
def test_an_answer_in_an_encoding_that_was_not_asked_for_is_unanswered(serve: Serve, encoding: str) -> None:
    server = serve(answering_with(answer_of(100), f"Content-Encoding: {encoding}"))
    with pytest.raises(Unanswered, match="cannot be unpacked"):
        JsonRpc(server.url, timeout=5).send("start.informer_call", {}, new_connection=True)
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("where", ["result", "error"])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_a_deep_answer_is_unanswered(serve: Serve, where: str, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    deep = opening * 500 + "1" + brackets[1] * 500

    def body(request: WireRequest) -> bytes:
        return f'{{"id": "{request.json["id"]}", "{where}": {deep}}}'.encode()

    with pytest.raises(Unanswered, match="nested too deeply"):
        JsonRpc(serve(answering_with(body)).url, timeout=5).send("x", {}, new_connection=True)


json_values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def depth_of(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)


@given(json_values, st.integers(0, 8))
def test_the_depth_is_the_number_of_containers_inside_each_other(value: Any, levels: int) -> None:
    assert _is_deeper_than(value, levels) is (depth_of(value) > levels)


# --- a SOCKS proxy ---


@pytest.fixture
def asked_of_socks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """A stand-in for the package PySocks. The fixture is the addresses to which the proxy should connect."""
    asked: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], **given: Any) -> socket.socket:
        asked.append(address)
        return socket.create_connection((given["proxy_addr"], given["proxy_port"]), given["timeout"])

    package = ModuleType("socks")
    vars(package).update(create_connection=create_connection, ProxyError=OSError, PROXY_TYPE_SOCKS5=2)
    monkeypatch.setitem(sys.modules, "socks", package)
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
    manager = importlib.import_module("urllib3.contrib.socks").SOCKSProxyManager
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks")
    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", manager)
    return asked


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_through_a_socks_proxy_is_sent_and_ends_when_its_time_is_up(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked_of_socks: list[tuple[str, int]],
    scheme: str,
) -> None:
    authority = Authority(tmp_path)
    tls = authority.server("callapi.test") if scheme == "https" else None
    for script, answers in ((answering_with(answer_of(100)), True), (DRIPS["body"], False)):
        monkeypatch.setenv("ALL_PROXY", f"socks5://{serve(script, tls).address}")
        rpc = JsonRpc(
            f"{scheme}://callapi.test/v4.0", timeout=5 if answers else 0.4, verify=str(authority.bundle)
        )
        if answers:
            assert rpc.send("list.calls", {}, new_connection=False).result == "ok"
        else:
            with pytest.raises(Unanswered):
                rpc.send("start.informer_call", {}, new_connection=True)
        rpc.close()
    assert asked_of_socks == [("callapi.test", 443 if tls else 80)] * 2


# --- proxies of the environment ---


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@both_kinds
def test_a_request_to_this_machine_uses_no_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str, fresh: bool
) -> None:
    proxy = serve(answering_with(answer_of(100)))
    server = serve(answering_with(answer_of(100)))
    monkeypatch.setenv(variable, f"http://{proxy.address}")
    for host in ("127.0.0.1", "localhost"):
        rpc = JsonRpc(server.url.replace("127.0.0.1", host), timeout=5)
        assert rpc.send("list.calls", {"access_token": "secret"}, new_connection=fresh).result == "ok"
        rpc.close()
    assert proxy.requests == []
    assert len(server.requests) == 2


def test_a_request_to_another_machine_uses_the_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(answering_with(answer_of(100)))
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    JsonRpc("http://callapi.test/v4.0", timeout=5).send("list.calls", {}, new_connection=True)
    assert len(proxy.requests) == 1


def test_a_kept_connection_uses_the_proxy_for_each_request(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answering_with(answer_of(100)))
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    rpc = JsonRpc("http://callapi.test/v4.0", timeout=5)
    for _ in range(3):
        rpc.send("list.calls", {}, new_connection=False)
    rpc.close()
    assert len(proxy.requests) == 3
