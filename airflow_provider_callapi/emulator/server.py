"""The exchange on a real port: uvicorn in a thread, for as long as a ``with`` block lasts."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import uvicorn

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.asgi_app import HttpDoor
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.web_app import web

_START_TIMEOUT = 10.0


class Emulator:
    """An exchange that listens for HTTP.

    :param exchange: a new one by default.
    :param port: 0: any free one.
    """

    def __init__(self, exchange: Exchange | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.exchange = exchange or Exchange()
        self.host = host
        self.port = port
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="callapi-emulator", daemon=True)

    @property
    def url(self) -> str:
        """Base URL without the version. A wildcard address is reached by way of loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"

    def connection(self, *, login: bool = False) -> dict[str, Any]:
        """An Airflow connection to this exchange, as JSON.

        :param login: with login and password; by default with the permanent key.
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
        if account.version != Account.version:  # Airflow warns of the default, a value too short to mask
            connection["extra"]["api_version"] = account.version
        if login:
            connection["login"] = account.login
        if not self.host.startswith("127."):
            connection["extra"]["allow_http"] = True
        if self.exchange.services:
            connection["extra"] |= {"data_api": True, "data_api_host": self.url}
        return connection

    def __enter__(self) -> Self:
        self._socket = _bound(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        self._thread.start()
        if not self._started.wait(_START_TIMEOUT) or self._failure is not None:
            raise RuntimeError("the emulator did not start") from self._failure
        self.exchange.refuse_for.append(self._refuse_for)
        return self

    def __exit__(self, *_: object) -> None:
        self.exchange.refuse_for.remove(self._refuse_for)
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._door.close)
        self._thread.join(_START_TIMEOUT)
        self._socket.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Connections are refused inside the block; open ones are closed. The port stays ours."""
        self._on_loop(self._shut())
        try:
            yield
        finally:
            self._on_loop(self._reopen())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # whatever it is, __enter__ has to hear of it
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._door = HttpDoor(self.exchange, web(self.exchange))
        config = uvicorn.Config(
            self._door,
            http="h11",  # whose connections HttpDoor can break
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, self._started)
        await self._server.serve(sockets=[self._socket])

    # --- a closed port ---

    def _on_loop(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_TIMEOUT)

    def _refuse_for(self, seconds: float) -> None:
        self._on_loop(self._shut())
        reopen = lambda: asyncio.ensure_future(self._reopen())  # noqa: E731
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, reopen)

    async def _shut(self) -> None:
        for server in self._server.servers:
            server.close()
        self._socket.close()
        # bound and not listening: nobody else can take the port, and the system refuses
        self._socket = _bound(self.host, self.port)
        for connection in list(self._server.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)

    async def _reopen(self) -> None:
        if not self._server.should_exit:
            await self._server.startup(sockets=[self._socket])


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named, asyncio switches Nagle's delay off on what is accepted
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
