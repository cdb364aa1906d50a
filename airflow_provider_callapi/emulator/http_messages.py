"""A request's way through a door of the exchange: HTTP status and bytes, and the faults on them.

Both doors (real HTTP and the in-process adapter) come through here; only what happens to the
connection itself is theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from airflow_provider_callapi.emulator.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.errors import ERRORS
from airflow_provider_callapi.emulator.faults import Fault, Planned

VERSION_PATH = re.compile(r"/(v\d+\.\d+)/?")

_JSON = "application/json; charset=UTF-8"
_HTML = "text/html; charset=UTF-8"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    location: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """With the Content-Length that belongs to the body."""
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        return headers if self.location is None else {**headers, "Location": self.location}


class Passage(NamedTuple):
    """What became of a request: the answer, and the fault that the door has still to play."""

    answer: Answer
    planned: Planned | None


def post(dispatcher: Dispatcher, path: str, headers: Mapping[str, str], body: bytes, ip: str) -> Passage:
    """Bring a POST to the exchange, unless a fault keeps it away."""
    version = VERSION_PATH.fullmatch(path)
    if version is None:
        return Passage(_page(404, "Not Found"), None)
    if "Content-Length" not in headers:
        return Passage(_page(411, "Length Required"), None)
    planned = dispatcher.take_fault(body)
    answer: dict[str, Any] = {}
    if planned is None or planned.fault.carried_out:
        answer = dispatcher.handle_bytes(
            body, ip, version=version[1], content_type=headers.get("Content-Type", "")
        )
    spoil = _SPOILT.get(planned.fault) if planned else None
    return Passage(spoil(answer) if spoil else _json(answer), planned)


def _json(answer: dict[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(answer, ensure_ascii=False).encode())


def _page(status: int, text: str) -> Answer:
    return Answer(status, _HTML, f"<html><body><h1>{status} {text}</h1></body></html>".encode())


def _internal_error(answer: dict[str, Any]) -> Answer:
    code, message = ERRORS["internal_error"]
    data: dict[str, Any] = {"mnemonic": "internal_error", "field": None, "value": None, "params": {}}
    error = {"code": code, "message": message, "data": {**data, "extended_helper": None}}
    return _json({"jsonrpc": "2.0", "id": answer["id"], "error": error})


_SPOILT: dict[Fault, Callable[[dict[str, Any]], Answer]] = {
    Fault.BAD_GATEWAY: lambda _: _page(502, "Bad Gateway"),
    Fault.GATEWAY_TIMEOUT_AFTER: lambda _: _page(504, "Gateway Time-out"),
    Fault.INTERNAL_ERROR: _internal_error,
    Fault.GARBAGE: lambda _: Answer(200, _JSON, b"\x00\xfe{]garbage\xff"),
    Fault.HTML: lambda _: _page(200, "Technical works"),
    Fault.REDIRECT: lambda _: _page(307, "Moved")._replace(location="https://elsewhere.invalid/"),
    Fault.WRONG_ID: lambda answer: _json({**answer, "id": "somebody-elses"}),
}
"""Faults of the answer. The others happen to the connection."""
