"""HTTPS connections share a TLS context, and each connection still verifies its own server."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from certificates import Authority

from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.api.transport import shared_tls
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc

if TYPE_CHECKING:
    from conftest import Connection, RawServer

    Serve = Callable[..., RawServer]

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

both_kinds = pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "kept"])
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


@pytest.fixture(autouse=True)
def _no_bundle_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BUNDLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The TLS contexts that were made since the test began."""
    made: list[Any] = []
    make = shared_tls.create_urllib3_context

    def create(**options: Any) -> Any:
        made.append(make(**options))
        return made[-1]

    shared_tls._make_context.cache_clear()
    monkeypatch.setattr(shared_tls, "create_urllib3_context", create)
    return made


def obliging(connection: Connection) -> None:
    while request := connection.read_request():
        connection.reply({"jsonrpc": "2.0", "id": request.json["id"], "result": "ok"})


def is_answered(url: str, verify: bool | str | Path, fresh: bool = True) -> bool:
    """Return whether a request gets an answer. False: nothing of the request was sent."""
    rpc = JsonRpc(url, timeout=60, verify=verify if isinstance(verify, bool) else str(verify))
    try:
        return rpc.send("start.informer_call", {}, new_connection=fresh).result == "ok"
    except NotSent:
        return False
    finally:
        rpc.close()


# --- sharing ---


def test_start_requests_share_one_tls_context_and_use_separate_connections(
    serve: Serve, authority: Authority, contexts: list[Any]
) -> None:
    server = serve(obliging, authority.server())
    for _ in range(5):
        assert is_answered(server.url, authority.bundle)
    assert len(contexts) == 1
    assert [request.connection for request in server.requests] == [1, 2, 3, 4, 5]


def test_the_kept_connection_shares_the_tls_context_of_the_start_requests(
    serve: Serve, authority: Authority, contexts: list[Any]
) -> None:
    server = serve(obliging, authority.server())
    rpc = JsonRpc(server.url, timeout=60, verify=str(authority.bundle))
    for fresh in (False, True, False, True, False):
        rpc.send("x", {}, new_connection=fresh)
    rpc.close()
    assert len(contexts) == 1
    assert [request.connection for request in server.requests] == [1, 2, 1, 3, 1]


def test_threads_may_start_calls_at_the_same_time(serve: Serve, authority: Authority) -> None:
    server = serve(obliging, authority.server())
    shared_tls._make_context.cache_clear()
    answered: list[bool] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait(60)
        answered.extend(is_answered(server.url, authority.bundle) for _ in range(3))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answered == [True] * 24
    assert server.connections == 24


# --- each connection verifies its server ---


@both_kinds
def test_an_untrusted_certificate_is_refused_after_a_trusted_one(
    serve: Serve, authority: Authority, tmp_path: Path, fresh: bool
) -> None:
    trusted = serve(obliging, authority.server())
    untrusted = serve(obliging, Authority(tmp_path, "stranger").server())
    for _ in range(2):
        assert is_answered(trusted.url, authority.bundle, fresh)
        assert not is_answered(untrusted.url, authority.bundle, fresh)
    assert untrusted.requests == []


@both_kinds
@pytest.mark.parametrize(
    "certificate",
    [{"host": "127.0.0.2"}, {"host": "callapi.test"}, {"days": -1}],
    ids=["another address", "another name", "expired"],
)
def test_a_wrong_certificate_of_a_trusted_authority_is_refused(
    serve: Serve, authority: Authority, certificate: dict[str, Any], fresh: bool
) -> None:
    right, wrong = (serve(obliging, authority.server(**more)) for more in ({}, certificate))
    for _ in range(2):
        assert is_answered(right.url, authority.bundle, fresh)
        assert not is_answered(wrong.url, authority.bundle, fresh)
    assert wrong.requests == []


def test_a_host_name_is_verified_by_its_name_and_not_by_its_address(
    serve: Serve, authority: Authority
) -> None:
    named = serve(obliging, authority.server("localhost"))
    assert is_answered(named.url.replace("127.0.0.1", "localhost"), authority.bundle)
    assert not is_answered(named.url, authority.bundle)


@both_kinds
def test_verify_false_accepts_any_certificate_and_changes_no_other_connection(
    serve: Serve, authority: Authority, fresh: bool
) -> None:
    server = serve(obliging, authority.server("callapi.test", days=-1))
    for _ in range(2):
        assert is_answered(server.url, False, fresh)
        assert not is_answered(server.url, authority.bundle, fresh)
        assert not is_answered(server.url, True, fresh)


# --- the CA bundle ---


def write_in_place(bundle: Path, authority: Authority) -> None:
    bundle.write_bytes(authority.bundle.read_bytes())


def replace_file(bundle: Path, authority: Authority) -> None:
    new = bundle.with_suffix(".new")
    new.write_bytes(authority.bundle.read_bytes())
    os.utime(new, ns=(0, bundle.stat().st_mtime_ns))
    new.replace(bundle)


def point_link_elsewhere(bundle: Path, authority: Authority) -> None:
    """Change the bundle as Kubernetes changes a mounted file."""
    bundle.unlink()
    bundle.symlink_to(authority.bundle)


@both_kinds
@pytest.mark.parametrize("change", [write_in_place, replace_file, point_link_elsewhere])
def test_the_next_connection_uses_a_changed_bundle(
    serve: Serve, tmp_path: Path, change: Callable[[Path, Authority], None], fresh: bool
) -> None:
    old, new = Authority(tmp_path, "one"), Authority(tmp_path, "two")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(old.bundle.read_bytes())
    old_server, new_server = (serve(obliging, authority.server()) for authority in (old, new))
    assert [is_answered(server.url, bundle, fresh) for server in (old_server, new_server)] == [True, False]
    change(bundle, new)
    assert [is_answered(server.url, bundle, fresh) for server in (old_server, new_server)] == [False, True]


def test_a_kept_session_that_connects_again_reads_the_changed_bundle(serve: Serve, tmp_path: Path) -> None:
    def once(connection: Connection) -> None:
        request = connection.read_request()
        assert request
        answer = {"jsonrpc": "2.0", "id": request.json["id"], "result": "ok"}
        connection.reply(answer, "200 OK", "Connection: close")

    old, new = Authority(tmp_path, "one"), Authority(tmp_path, "two")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(old.bundle.read_bytes())
    server = serve(once, old.server())
    rpc = JsonRpc(server.url, timeout=60, verify=str(bundle))
    with contextlib.closing(rpc):
        assert rpc.send("list.calls", {}, new_connection=False).result == "ok"
        write_in_place(bundle, new)
        with pytest.raises(NotSent):
            rpc.send("list.calls", {}, new_connection=False)


def test_a_request_whose_bundle_has_vanished_is_not_sent(serve: Serve, authority: Authority) -> None:
    server = serve(obliging, authority.server())
    assert is_answered(server.url, authority.bundle)
    authority.bundle.unlink()
    assert not is_answered(server.url, authority.bundle)


def test_a_request_whose_bundle_has_no_certificate_is_not_sent(
    serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    server = serve(obliging, authority.server())
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    assert not is_answered(server.url, empty)
    assert server.requests == []


def test_a_directory_of_certificates_is_read_again_for_each_connection(
    serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    server = serve(obliging, authority.server())
    directory = tmp_path / "certificates"
    directory.mkdir()
    file = directory / authority.file_name_in_directory
    assert not is_answered(server.url, directory)
    file.write_bytes(authority.bundle.read_bytes())
    assert is_answered(server.url, directory)
    file.unlink()
    assert not is_answered(server.url, directory)


@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
def test_the_variables_of_the_environment_apply_as_they_do_in_requests(
    serve: Serve, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server = serve(obliging, authority.server())
    assert not is_answered(server.url, True)
    directory = tmp_path / "certificates"
    directory.mkdir()
    (directory / authority.file_name_in_directory).write_bytes(authority.bundle.read_bytes())
    monkeypatch.setenv(variable, str(directory if variable.endswith("DIR") else authority.bundle))
    is_honoured = True
    try:
        requests.post(server.url, data=b'{"id": 1}', timeout=60)
    except requests.exceptions.SSLError:
        is_honoured = False
    assert is_honoured is (variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    assert is_answered(server.url, True) is is_honoured
    monkeypatch.delenv(variable)
    assert not is_answered(server.url, True)


# --- proxies ---


def tunnelling(connection: Connection) -> None:
    """Answer CONNECT, and pass all bytes on in both directions."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.sock.recv(1)
    host, _, port = head.split()[1].decode().rpartition(":")
    with socket.create_connection(
        (host.replace("callapi.test", "127.0.0.1"), int(port)), timeout=5
    ) as target:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(OSError):
            pass_on(connection.sock, target)


def pass_on(client: socket.socket, service: socket.socket) -> None:
    """Pass all bytes on until one side ends. Two threads must not use one TLS connection at the same time."""
    other = {client: service, service: client}
    while True:
        unread = [side for side in other if isinstance(side, ssl.SSLSocket) and side.pending()]
        for source in unread or select.select(list(other), [], [], 60)[0]:
            data = source.recv(65536)
            if not data:
                return
            other[source].sendall(data)


@pytest.fixture
def proxied(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RawServer]:
    """``proxied(tls)`` starts a proxy; a request to ``callapi.test`` then goes through the proxy."""

    def start(tls: ssl.SSLContext | None = None) -> RawServer:
        proxy = serve(tunnelling, tls)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removesuffix("/v4.0"))
        return proxy

    return start


def behind_proxy(server: RawServer) -> str:
    return server.url.replace("127.0.0.1", "callapi.test")


@pytest.mark.parametrize("proxy_speaks_tls", [False, True], ids=["http", "https"])
def test_a_start_through_a_proxy_verifies_the_service(
    serve: Serve,
    authority: Authority,
    proxied: Callable[..., RawServer],
    contexts: list[Any],
    proxy_speaks_tls: bool,
) -> None:
    right, wrong = serve(obliging, authority.server("callapi.test")), serve(obliging, authority.server())
    proxy = proxied(authority.server() if proxy_speaks_tls else None)
    for _ in range(2):
        assert is_answered(behind_proxy(right), authority.bundle)
        assert not is_answered(behind_proxy(wrong), authority.bundle)
    assert proxy.connections == 4
    assert len(contexts) == 1


def test_a_proxy_without_a_trusted_certificate_is_refused(
    serve: Serve, authority: Authority, proxied: Callable[..., RawServer], tmp_path: Path
) -> None:
    server = serve(obliging, authority.server("callapi.test"))
    proxied(Authority(tmp_path, "stranger").server())
    assert not is_answered(behind_proxy(server), authority.bundle)
    assert server.connections == 0
