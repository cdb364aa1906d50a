"""Build the HTTP response to a POST request, and apply the faults that change a response.

The modules `in_process` and `asgi_app` use this module. These two modules simulate the faults of the
connection, e.g. `Fault.HANG`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.faults import Fault, PlannedFault
from airflow_provider_callapi.emulator.json_array import to_json
from airflow_provider_callapi.emulator.services.dispatcher import Dispatcher

VERSION_PATH = re.compile(r"/(v\d+\.\d+)/?")

_JSON = "application/json; charset=UTF-8"
_HTML = "text/html; charset=UTF-8"
_RETRY_AFTER = 2
"""The seconds in the Retry-After header of `Fault.TOO_MANY_REQUESTS`."""


class HttpResponse(NamedTuple):
    """An HTTP response of the emulator.

    :ivar status: the HTTP status, e.g. 200.
    :ivar content_type: the Content-Type header.
    :ivar body: the whole body.
    :ivar location: the Location header of a redirect. None: the response is no redirect.
    :ivar retry_after: the Retry-After header, in seconds. None: the response has no Retry-After header.
    """

    status: int
    content_type: str
    body: bytes
    location: str | None = None
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers of the response, as a dict: name → value.

        Content-Length is the length of the whole body, even if `Fault.TRUNCATED` cuts the body.
        """
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        if self.location is not None:
            headers["Location"] = self.location
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers

    @property
    def first_half(self) -> bytes:
        """The first half of the body. With `Fault.TRUNCATED`, a client receives only this half."""
        return self.body[: len(self.body) // 2]


class HandledPost(NamedTuple):
    """The response to a POST request, and the fault that was planned for the request.

    :ivar response: the response. A fault such as `Fault.HTML` has already changed it. A fault of the
        connection, such as `Fault.HANG`, has not: the code that sends the response must simulate this fault.
    :ivar planned: the planned fault. None: no fault was planned.
    """

    response: HttpResponse
    planned: PlannedFault | None

    @property
    def fault(self) -> Fault | None:
        """The kind of the planned fault, e.g. `Fault.HANG`; None: no fault was planned for the request."""
        return self.planned.fault if self.planned else None


def handle_post(
    dispatcher: Dispatcher, path: str, headers: Mapping[str, str], body: bytes, ip: str
) -> HandledPost:
    """Carry out a POST request. Return the response, and the fault that a test has planned for the request.

    - If the path names no API version: the response has the HTTP status 404.
    - If the header Content-Length is missing: the response has the HTTP status 411.
    - If a fault is planned: the emulator carries out the request only if `Fault.carried_out` is True.

    :param dispatcher: the emulated telephone exchange, which answers the request.
    :param path: the path of the URL, e.g. ``/v4.0``.
    """
    version = VERSION_PATH.fullmatch(path)
    if version is None:
        return HandledPost(_html(404, "Not Found"), None)
    if "Content-Length" not in headers:
        return HandledPost(_html(411, "Length Required"), None)
    planned = dispatcher.take_fault(body)
    answer: dict[str, Any] = {}
    if planned is None or planned.fault.carried_out:
        answer = dispatcher.handle_bytes(
            body, ip, version=version[1], content_type=headers.get("Content-Type", "")
        )
    if planned and planned.fault in _FAULTY_RESPONSES:
        return HandledPost(_FAULTY_RESPONSES[planned.fault](answer), planned)
    status = dispatcher.profile.error_http_status if "error" in answer else 200
    return HandledPost(_json(answer)._replace(status=status), planned)


def _json(answer: dict[str, Any]) -> HttpResponse:
    return HttpResponse(200, _JSON, to_json(answer))


def _html(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, _HTML, f"<html><body><h1>{status} {text}</h1></body></html>".encode())


def _internal_error(answer: dict[str, Any]) -> HttpResponse:
    error = RpcError("internal_error").error_object
    return _json({"jsonrpc": "2.0", "id": answer["id"], "error": error})


_FAULTY_RESPONSES: dict[Fault, Callable[[dict[str, Any]], HttpResponse]] = {
    Fault.BAD_GATEWAY: lambda _: _html(502, "Bad Gateway"),
    Fault.GATEWAY_TIMEOUT_AFTER: lambda _: _html(504, "Gateway Time-out"),
    Fault.TOO_MANY_REQUESTS: lambda _: _html(429, "Too Many Requests")._replace(retry_after=_RETRY_AFTER),
    Fault.INTERNAL_ERROR: _internal_error,
    Fault.GARBAGE: lambda _: HttpResponse(200, _JSON, b"\x00\xfe{]garbage\xff"),
    Fault.HTML: lambda _: _html(200, "Technical works"),
    Fault.REDIRECT: lambda _: _html(307, "Moved")._replace(location="https://elsewhere.invalid/"),
    Fault.WRONG_ID: lambda answer: _json({**answer, "id": "id-of-another-request"}),
}
"""Fault → function that makes the faulty response from the JSON-RPC answer.

Faults of the connection have no entry.
"""
