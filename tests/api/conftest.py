"""A scripted service, and a raw TCP server for answers that no real service sends."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey, Credentials
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc

SOCKET_TIMEOUT = 5.0
"""Timeout in seconds of the raw server's sockets, so that no test hangs."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The JSON examples of the vendor's document, unchanged."""
    return Path(__file__).parents[1] / "data" / "call-api"


# --- a raw TCP server ---


@dataclass(frozen=True)
class WireRequest:
    """One HTTP request, as the raw server received it."""

    head: str
    body: bytes
    connection: int

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.split(":", 1) for line in self.head.split("\r\n")[1:])
        return {name.strip().lower(): value.strip() for name, value in pairs}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Connection:
    """One accepted TCP connection, which the test's script controls."""

    sock: socket.socket
    number: int
    server: RawServer

    def read_request(self) -> WireRequest | None:
        """Return the next HTTP request; None if the client has closed the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.sock.recv(65536)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        request = WireRequest(head.decode("latin-1"), body, self.number)
        length = int(request.headers.get("content-length", 0))
        while len(body) < length:
            chunk = self.sock.recv(65536)
            if not chunk:
                break
            body += chunk
        request = WireRequest(request.head, body, self.number)
        self.server.requests.append(request)
        return request

    def send(self, raw: bytes) -> None:
        self.sock.sendall(raw)

    def reply(self, body: bytes | Any, status: str = "200 OK", *headers: str) -> None:
        """Send an HTTP response. A ``body`` that is not bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", *headers]
        self.send("\r\n".join([*head, "", ""]).encode() + raw)

    def reset(self) -> None:
        """Close the TCP connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Connection], None]


@dataclass
class RawServer:
    """A TCP server on 127.0.0.1 that runs a script for each accepted connection."""

    script: Script
    tls: ssl.SSLContext | None = None
    requests: list[WireRequest] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._sockets: list[socket.socket] = []
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}/v4.0"

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.settimeout(SOCKET_TIMEOUT)
            self.connections += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._run, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, sock: socket.socket, number: int) -> None:
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            self.script(Connection(sock, number, self))
        except OSError:  # the client closed the connection or sent nothing
            pass
        except Exception as error:  # the fixture reports it; a thread's traceback would be lost
            self.failures.append(error)
        finally:
            sock.close()

    def close(self) -> None:
        self.stopped.set()
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(SOCKET_TIMEOUT)


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """``serve(script, tls=None)`` starts a server; all of them are closed after the test."""
    servers: list[RawServer] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> RawServer:
        servers.append(RawServer(script, tls))
        return servers[-1]

    try:
        yield start
    finally:
        for server in servers:
            server.close()
    assert [error for server in servers for error in server.failures] == []


# --- a service that answers from a script ---

Answers = Callable[[str, dict[str, Any]], dict[str, Any]]


class ScriptedService(BaseAdapter):
    """An HTTP adapter that answers each request with ``answer(method, params)``.

    :ivar answer: returns the ``result`` or ``error`` part of the JSON-RPC answer.
    :ivar asked: method and params of every request, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answer: Answers = lambda method, params: {"result": {"data": {"success": True}}}
        self.delay = 0.0

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    def tokens(self, method: str) -> list[Any]:
        return [params.get("access_token") for name, params in self.asked if name == method]

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        body = json.loads(request.body.read())  # type: ignore[union-attr]
        self.asked.append((body["method"], body["params"]))
        time.sleep(self.delay)
        response = requests.Response()
        response.status_code = 200
        response.url = str(request.url)
        envelope = {"jsonrpc": "2.0", "id": body["id"]}
        answer = {**envelope, **self.answer(body["method"], body["params"])}
        response.raw = urllib3.HTTPResponse(io.BytesIO(json.dumps(answer).encode()), preload_content=False)
        return response

    def close(self) -> None:
        pass

    def new_session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://", self)
        return session

    def client(
        self, credentials: Credentials | None = None, clock: Callable[[], float] = lambda: 0.0
    ) -> Client:
        rpc = JsonRpc("http://service.test/v4.0", new_session=self.new_session)
        return Client(rpc, credentials or AccessKey("permanent-key"), clock=clock)


@pytest.fixture
def service() -> ScriptedService:
    """A scripted service: the test defines the answers."""
    return ScriptedService()
