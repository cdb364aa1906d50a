"""Run an emulated telephone exchange on a real port.

A uvicorn server runs in a thread of this process until the ``with`` block of the `Emulator` ends.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Self

import uvicorn

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.transport.asgi_app import EmulatorApp
from airflow_provider_callapi.emulator.web_app import web_app

_TIMEOUT = 10.0
"""The longest time in seconds in which the server starts, ends, or closes or opens its port."""
_RUNNING: list[Exchange] = []
"""The exchange of each running emulator of this process. Their calls have different session ids."""
_RUNNING_LOCK = threading.Lock()


class Emulator:
    """A server that answers HTTP requests for an emulated telephone exchange, inside a ``with`` block.

    An `Emulator` serves one ``with`` block only.

    :param exchange: the exchange. None: a new exchange.
    :param host: the address to listen on.
    :param port: the port to listen on. 0: any free port. Inside the block, the attribute ``port`` is the
        actual port.
    :raises OSError: the port cannot be used.
    :raises RuntimeError: the server has failed, or has not started within ten seconds.
    """

    def __init__(self, exchange: Exchange | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.exchange = exchange or Exchange()
        self.host = host
        self.port = port
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._closings = 0
        """How many faults and `refusing` blocks keep the port closed now."""
        self._thread = threading.Thread(target=self._run, name="callapi-emulator", daemon=True)

    @property
    def url(self) -> str:
        """The base URL of the emulated telephone exchange, without an API version: ``http://127.0.0.1:8484``.

        If ``host`` is a wildcard address (``0.0.0.0`` or ``::``), the URL contains the loopback address. If
        ``port`` is 0, the URL is usable only inside the ``with`` block.
        """
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def connection(self, *, login: bool = False) -> dict[str, Any]:
        """Return an Airflow connection to the first account of the emulated telephone exchange, as a dict.

        As JSON, the dict is a valid value of the variable ``AIRFLOW_CONN_CALLAPI_DEFAULT``.

        :param login: True: the connection contains the account's login and password. False: it contains the
            account's permanent key as the password.
        :return: the keys ``conn_type``, ``host``, ``port``, ``password``, ``extra``, and with ``login`` also
            ``login``.
        """
        account = self.exchange.account
        host, _, _ = self.url.rpartition(":")
        connection: dict[str, Any] = {
            "conn_type": "callapi",
            "host": host,
            "port": self.port,
            "password": account.password if login else account.key,
            "extra": {"timezone": account.timezone},
        }
        if account.version != Account.version:  # Airflow warns that the default value is too short to mask
            connection["extra"]["api_version"] = account.version
        if login:
            connection["login"] = account.login
        if not self.host.startswith("127."):
            connection["extra"]["allow_http"] = True
        if self.exchange.services:
            connection["extra"] |= {"data_api": True, "data_api_host": self.url}
        return connection

    def __enter__(self) -> Self:
        self._socket = _bind(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        self._thread.start()
        if not self._started.wait(_TIMEOUT) or self._failure is not None:
            raise RuntimeError(f"The emulator did not start on {self.host}:{self.port}.") from self._failure
        self.exchange.port_closers.append(self._close_port_for)
        with _RUNNING_LOCK:
            used = {each.id_block for each in _RUNNING if each is not self.exchange}
            if self.exchange.id_block in used:
                self.exchange.take_ids(next(n for n in count(self.exchange.id_block) if n not in used))
            _RUNNING.append(self.exchange)
        return self

    def __exit__(self, *_: object) -> None:
        with _RUNNING_LOCK:
            _RUNNING.remove(self.exchange)
        self.exchange.port_closers.remove(self._close_port_for)
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._app.close)
        self._thread.join(_TIMEOUT)
        self._socket.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Context manager: while the ``with`` block runs, the emulator refuses all connections.

        At the start of the block, the emulator stops listening, but keeps the port reserved. The emulator
        also closes the open connections. If a client waits for an answer, the emulator sends the answer, and
        then closes the connection. After the block, the emulator accepts connections again.
        """
        self._run_on_loop(self._close_port())
        try:
            yield
        finally:
            self._run_on_loop(self._reopen_port())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # __enter__ reports every failure
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._app = EmulatorApp(self.exchange, web_app(self.exchange))
        config = uvicorn.Config(
            self._app,
            http="h11",  # EmulatorApp can break connections of h11 only
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # longer than usual pauses between two polls
        )
        self._server = _NotifyingServer(config, self._started)
        await self._server.serve(sockets=[self._socket])

    # --- close the port ---

    def _run_on_loop(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_TIMEOUT)

    def _close_port_for(self, seconds: float) -> None:
        self._run_on_loop(self._close_port())
        reopen = lambda: asyncio.ensure_future(self._reopen_port())  # noqa: E731
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, reopen)

    async def _close_port(self) -> None:
        self._closings += 1
        if self._closings > 1:
            return
        for server in self._server.servers:
            server.close()
        self._socket.close()
        # The new socket is bound but does not listen. The system refuses connections and reserves the port.
        self._socket = _bind(self.host, self.port)
        for connection in list(self._server.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)

    async def _reopen_port(self) -> None:
        self._closings -= 1
        if not self._closings and not self._server.should_exit:
            await self._server.startup(sockets=[self._socket])


class _NotifyingServer(uvicorn.Server):
    """A uvicorn server that sets a `threading.Event` as soon as it listens on its port."""

    def __init__(self, config: uvicorn.Config, listening: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's delay for accepted connections only if the socket names the protocol.
    new_socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    new_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        new_socket.bind((host, port))
    except OSError:
        new_socket.close()
        raise
    return new_socket
