"""HTTP requests with two limits: the time of a whole request, and the size of an answer.

`BoundedSession` limits the time of the whole request. The library `requests` alone does not: it restarts its
time limit whenever bytes arrive. If a service sent one byte per second, a request could last for ever.

`read_body` limits the size of an answer, both compressed and decompressed.
"""

from __future__ import annotations

import io
import zlib
from functools import cache, partial
from http.client import HTTPResponse
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import resolve_cert_reqs

from airflow_provider_callapi.api.transport.shared_tls import shared_tls_context

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""The largest allowed answer in bytes, both compressed and decompressed.

An answer to ``list.calls`` with 20 000 calls is smaller.
"""
ACCEPTED_ENCODINGS = "gzip, deflate"
"""The value of the header ``Accept-Encoding``: the encodings that `read_body` decompresses."""
_CHUNK = 65_536
_MOST_AT_ONCE = 64
"""The largest number of threads that use one session. urllib3 warns if it keeps fewer connections."""


class AnswerTooLarge(Exception):
    """The body of an HTTP answer is larger than `MAX_ANSWER_BYTES`."""


class AnswerUnreadable(Exception):
    """The body of an HTTP answer cannot be decompressed: the encoding is unknown, or bytes are damaged."""


def read_body(response: requests.Response) -> bytes:
    """Return the decompressed body of an HTTP answer that was requested with ``stream=True``.

    :raises AnswerTooLarge: the body is larger than `MAX_ANSWER_BYTES`, compressed or decompressed.
    :raises AnswerUnreadable: the encoding of the body is unknown, or the compressed body is damaged or not
        complete.
    :raises OSError, urllib3.exceptions.HTTPError: the connection failed, or the time of the request is up.
    """
    unpack = _Unpacker(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    sent = 0
    while chunk := response.raw.read(_CHUNK, decode_content=False):
        sent += len(chunk)
        body += unpack(chunk, MAX_ANSWER_BYTES - len(body))
        if sent > MAX_ANSWER_BYTES or len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge
    if not unpack.is_complete:
        raise AnswerUnreadable
    return bytes(body)


class _Unpacker:
    """Decompresses the body of an HTTP answer chunk by chunk.

    :param encoding: the value of the answer's header ``Content-Encoding``.
    """

    def __init__(self, encoding: str) -> None:
        self._packed = encoding.strip().lower() not in ("", "identity")
        if self._packed and encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
            raise AnswerUnreadable
        self._zlib = zlib.decompressobj(wbits=47)  # 47: recognises gzip and zlib by the first bytes

    @property
    def is_complete(self) -> bool:
        """Whether the chunks so far are the whole compressed body. Always True for an uncompressed body."""
        return not self._packed or self._zlib.eof

    def __call__(self, chunk: bytes, room: int) -> bytes:
        """Return the next chunk, decompressed, up to ``room`` bytes and one byte more.

        The additional byte shows that the body is too large.

        :raises AnswerUnreadable: the compressed body is damaged.
        """
        if not self._packed:
            return chunk
        try:
            return self._zlib.decompress(chunk, room + 1)
        except zlib.error:
            raise AnswerUnreadable from None


class BoundedSession(requests.Session):
    """An HTTP session whose time limit holds for a whole request, from the connection to the last byte.

    Pass the limit with each request as ``timeout=urllib3.Timeout(total=seconds)``. If a host has several IP
    addresses, the session tries one after another, and each attempt to connect has the whole limit. Such a
    request can last longer than the limit.

    Before the first request to a URL, the session reads the proxies and the CA bundle for this URL from the
    environment. The session keeps these settings for later requests to the URL.

    The session follows no redirect, also without ``allow_redirects=False``.

    :param settings: the dict in which the session keeps the settings. Sessions with the same dict share the
        settings.
    """

    def __init__(self, settings: dict[Any, Any]) -> None:
        super().__init__()
        adapter = _BoundedAdapter(pool_maxsize=_MOST_AT_ONCE)
        self._settings_of = settings
        for scheme in ("http://", "https://"):
            self.mount(scheme, adapter)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        key = (url, tuple(proxies.items()), stream, verify, cert)
        if key not in self._settings_of:
            self._settings_of[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        settings = self._settings_of[key]
        return {**settings, "proxies": dict(settings["proxies"])}

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None for each answer, so that the session follows no redirect.

        For a redirect, `requests` would read the whole body of the answer without a limit, even with
        ``allow_redirects=False``.
        """
        return


class _BoundedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_bounded_connections(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        _use_bounded_connections(manager)
        return manager


def _use_bounded_connections(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme  # a SOCKS proxy has pools of its own
    manager.pool_classes_by_scheme = {scheme: _bounded_pool(pool) for scheme, pool in pools.items()}


@cache
def _bounded_pool(pool_class: Any) -> Any:
    """Return a subclass of a connection pool class of urllib3.

    A connection of this pool stops a request that takes too long.
    """
    connection_class = pool_class.ConnectionCls
    if issubclass(connection_class, _BoundedConnection):
        return pool_class
    bounds = _HttpsConnection if issubclass(connection_class, HTTPSConnection) else _BoundedConnection
    connection_class = type(bounds.__name__, (bounds, connection_class), {})
    return type(pool_class.__name__, (pool_class,), {"ConnectionCls": connection_class})


class _BoundedConnection(HTTPConnection):
    """An HTTP connection that stops a request when the time limit of the whole request is up."""

    def connect(self) -> None:
        self._start_countdown()
        super().connect()

    def _new_conn(self) -> socket:
        connected = super()._new_conn()
        connected.settimeout(_seconds_left(self._countdown))  # for the TLS handshake
        return connected

    def getresponse(self) -> Any:
        self._start_countdown()
        return super().getresponse()

    def _start_countdown(self) -> None:
        # urllib3 has just set self.timeout to the seconds that are left for the whole request.
        self._countdown = Timeout(total=self.timeout)
        self._countdown.start_connect()
        # http.client also uses this class for a proxy's answer to CONNECT
        self.response_class = partial(_BoundedResponse, countdown=self._countdown)  # type: ignore[assignment]


class _HttpsConnection(_BoundedConnection, HTTPSConnection):
    """A `_BoundedConnection` over TLS.

    Connections with the same certificate settings share one TLS context.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A shared context would still trust a certificate after its file was removed from the directory.
        self._shares_context = self.ssl_context is None and not self.ca_cert_dir
        self._bundle = self.ca_certs

    def connect(self) -> None:
        if self._shares_context:
            context = shared_tls_context(resolve_cert_reqs(self.cert_reqs), self._bundle)
            self.ssl_context, self.ca_certs = context, None  # with `ca_certs`, urllib3 reads the bundle again
            if self.proxy_config is not None:
                self.proxy_config = self.proxy_config._replace(ssl_context=context)
        super().connect()


class _BoundedResponse(HTTPResponse):
    """An HTTP answer whose bytes must all arrive before a countdown ends.

    :param countdown: the time limit of the whole request.
    """

    def __init__(self, sock: socket, *args: Any, countdown: Timeout, **kwargs: Any) -> None:
        super().__init__(_BoundedSocket(sock, countdown), *args, **kwargs)  # type: ignore[arg-type]


class _BoundedSocket:
    """Takes the place of a socket in an `HTTPResponse`.

    If the request's time is up, a read from the result of ``makefile`` raises a `TimeoutError`.
    """

    def __init__(self, sock: socket, countdown: Timeout) -> None:
        self._sock = sock
        self._countdown = countdown

    # the only method of a socket that `HTTPResponse` uses
    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock, self._countdown))


class _BoundedReader(io.RawIOBase):
    """A file object that reads from a socket.

    If the time of the whole request (``countdown``) is up, a read raises a `TimeoutError`.
    """

    def __init__(self, sock: socket, countdown: Timeout) -> None:
        super().__init__()
        self._sock = sock
        self._countdown = countdown
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_seconds_left(self._countdown))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _seconds_left(countdown: Timeout) -> float:
    """Return the seconds that are left in the countdown of a request's time limit.

    :raises TimeoutError: no time is left.
    """
    left = countdown.read_timeout
    if not isinstance(left, int | float):
        raise TypeError("a request needs a time limit in seconds")
    if left <= 0:
        raise TimeoutError("the time of the request is up")
    return left
