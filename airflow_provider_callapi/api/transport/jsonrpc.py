"""JSON-RPC 2.0 over HTTP. If a request fails, the class of the error shows whether the request was sent.

Source: the introductory chapters of the vendor's Call API document. These chapters require ``POST``, JSON
with a charset, and a correct ``Content-Length``. They forbid two parts of JSON-RPC: batches (several requests
in one), and notifications (requests without an answer).
"""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from requests.auth import AuthBase
from requests.exceptions import InvalidSchema
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from airflow_provider_callapi.api.errors import InvalidParameters, LimitExceeded, NotSent, Unanswered
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.transport.answer_json import load_exact_envelope, load_json
from airflow_provider_callapi.api.transport.bounded_http import (
    ACCEPTED_ENCODINGS,
    AnswerTooLarge,
    AnswerUnreadable,
    BoundedSession,
    read_body,
)
from airflow_provider_callapi.api.transport.busy_gateway import is_gateways_own, seconds_until_retry
from airflow_provider_callapi.api.transport.loopback import proxies_for

_HEADERS = {"Content-Type": "application/json; charset=UTF-8", "Accept-Encoding": ACCEPTED_ENCODINGS}
NO_TIME_LIMIT = float("inf")
_MAX_DEPTH = 64
"""The largest depth of nested objects and arrays that an answer may have."""


@dataclass(frozen=True)
class Reply:
    """The JSON-RPC answer to one request: either a result or an error.

    :ivar request_id: the ``id`` of the request.
    :ivar result: the answer's ``result``. None: the service answered with an error.
    :ivar error: the answer's ``error`` object. None: the request succeeded.
    :ivar metadata: all ``metadata`` of the answer in one dict, e.g. the points left under the key ``limits``.
    :ivar http_status: the HTTP status of the answer. A call does not depend on it. It is for
        ``airflow callapi verify``.
    :ivar repeats_id: whether the answer contains the ``id`` of the request. Only an error may lack it. A call
        does not depend on it either.
    """

    request_id: str
    result: Any = field(default=None, repr=False)
    error: Mapping[str, Any] | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    http_status: int = 200
    repeats_id: bool = True


class _NoAuth(AuthBase):
    """An HTTP authentication that adds nothing, so that `requests` reads no passwords from ``~/.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Payload(io.BytesIO):
    """The body of an HTTP request. If ``was_read`` is False, no byte of the body was sent."""

    was_read = False  # the HTTP library reads the body only after the connection and the headers

    def read(self, size: int | None = -1, /) -> bytes:
        self.was_read = True
        return super().read(size)


class JsonRpc:
    """The HTTP access to one JSON-RPC service.

    :param url: base URL with the version, e.g. ``https://callapi.comagic.ru/v4.0``.
    :param timeout: the longest time for one request, up to the last byte of the answer, in seconds.
    :param verify: True: check the service's TLS certificate. A path: check it with this CA bundle.
    :param new_session: a function that returns a new HTTP session, for tests without a network. None: the
        sessions are `BoundedSession` objects.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        verify: bool | str = True,
        new_session: Callable[[], requests.Session] | None = None,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.verify = verify
        self._new_session = new_session or partial(BoundedSession, {})
        self._proxies = proxies_for(url)
        self._lock = threading.Lock()
        self._session: requests.Session | None = None

    def send(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        new_connection: bool,
        time_limit: float = NO_TIME_LIMIT,
        exact_type: Any = None,
    ) -> Reply:
        """Send one JSON-RPC request once, and return the answer.

        :param method: the method's name, e.g. ``list.calls``.
        :param params: the parameters of the method, with ``access_token`` if the method needs a token.
        :param new_connection: False: use the kept-alive connection, if there is one. The service may close it
            during the request, which can end in `Unanswered`. True: open a new connection. In addition, an
            answer in which a JSON object has a key twice counts as unreadable. Use True for a request that
            must not be repeated.
        :param time_limit: the longest time for this request, in seconds. A shorter ``timeout`` of this
            `JsonRpc` applies.
        :param exact_type: the type of ``result.data`` in an answer with exactly the documented shape. For any
            other answer, ``result.data`` is plain JSON. None: ``result.data`` is always plain JSON.
        :raises InvalidParameters: a text contains a lone surrogate, which UTF-8 cannot encode. Nothing was
            sent.
        :raises NotSent: no byte of the request's body was sent.
        :raises LimitExceeded: a busy HTTP server refused the request. The service has not seen the request.
        :raises Unanswered: the request was sent, but no readable JSON-RPC answer came back in time.
        """
        request_id = uuid.uuid4().hex
        body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        payload = _Payload(_encode(body, method))
        seconds = min(self.timeout, time_limit)
        if new_connection:
            with self._new_session() as session:
                answer = self._post(session, payload, seconds, method, request_id)
        else:
            with self._lock:
                if self._session is None:
                    self._session = self._new_session()
                session = self._session
            answer = self._post(session, payload, seconds, method, request_id)
        return _parse_reply(answer, method, request_id, exact_type, unique_names=new_connection)

    def close(self) -> None:
        """Close the kept-alive HTTP connection, if there is one."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _post(
        self, session: requests.Session, payload: _Payload, seconds: float, method: str, request_id: str
    ) -> _HttpAnswer:
        try:
            with session.post(
                self.url,
                data=payload,
                headers=_HEADERS,
                timeout=Timeout(total=seconds),  # type: ignore[arg-type]  # requests accepts it
                verify=self.verify,
                proxies=self._proxies,
                allow_redirects=False,  # the body contains a token
                auth=_NoAuth(),
                stream=True,
            ) as response:
                source = f"HTTP {response.status_code} from {response.url}"
                busy_for = seconds_until_retry(response.status_code, response.headers)
                return _HttpAnswer(source, response.status_code, read_body(response), busy_for)
        except (AnswerTooLarge, AnswerUnreadable) as error:
            problem = "is too large" if isinstance(error, AnswerTooLarge) else "cannot be unpacked"
            raise Unanswered(
                f"the answer {problem} ({source})", method=method, request_id=request_id
            ) from None
        # RequestException is an OSError. The address of a proxy without a host is a TypeError.
        except (OSError, HTTPError, ValueError, TypeError) as error:
            reason = getattr(error.args[0], "reason", error) if error.args else error
            target = f"{self.url}: {type(reason).__name__}"
            cause: Exception | None = error
            if isinstance(error, ValueError | TypeError) and not isinstance(error, InvalidSchema):
                # An address cannot be read. If it is a proxy's, the text of the error may show its password.
                cause = None
                target += ". Check the host, and the proxy in the environment (HTTPS_PROXY, ALL_PROXY)"
            if payload.was_read:
                raise Unanswered(f"no answer from {target}", method=method, request_id=request_id) from cause
            raise NotSent(f"could not connect to {target}", method=method, request_id=request_id) from cause


def _encode(body: Mapping[str, Any], method: str) -> bytes:
    """Return a JSON-RPC request as the bytes of an HTTP body.

    :raises InvalidParameters: a text contains a lone surrogate, which UTF-8 cannot encode.
    """
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a request class has not checked the text
        raise InvalidParameters(
            "a parameter has half of a character (a lone surrogate), which cannot be sent", method=method
        ) from None


@dataclass(frozen=True)
class _HttpAnswer:
    """One HTTP answer to a JSON-RPC request."""

    source: str  # for error texts: ``HTTP 503 from https://…``
    status: int
    body: bytes = field(repr=False)  # decompressed
    # If a busy HTTP server in front of the service sent this answer: the seconds until a repeat makes sense.
    busy_for: int | None


def _load_envelope(answer: _HttpAnswer, exact_type: Any, *, unique_names: bool) -> dict[str, Any]:
    """Return the JSON object in the body of an answer.

    :raises ValueError: the body is no JSON object with a ``result`` or an ``error``, or a busy server in
        front of the service sent it.
    """
    if exact_type is not None and (exact := load_exact_envelope(answer.body, exact_type)) is not None:
        return exact
    try:
        envelope = load_json(answer.body, unique_names=unique_names)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    if not isinstance(envelope, dict) or ("result" not in envelope and envelope.get("error") is None):
        raise ValueError("the answer is not JSON-RPC")
    if answer.busy_for is not None and is_gateways_own(envelope, answer.status):
        raise ValueError("the answer is not JSON-RPC")
    return envelope


def _parse_reply(
    answer: _HttpAnswer, method: str, request_id: str, exact_type: Any, *, unique_names: bool
) -> Reply:
    """Return the JSON-RPC reply in an HTTP answer.

    :raises Unanswered: no reply to this request.
    :raises LimitExceeded: a busy server refused the request.
    """

    def unanswered(problem: str) -> Unanswered:
        return Unanswered(f"{problem} ({answer.source})", method=method, request_id=request_id)

    try:
        body = _load_envelope(answer, exact_type, unique_names=unique_names)
    except ValueError as problem:
        if answer.busy_for is None:
            raise unanswered(str(problem)) from None
        # The answer is from a server in front of the service. The service has not seen the request.
        raise LimitExceeded(
            f"too many requests ({answer.source})",
            method=method,
            request_id=request_id,
            limits=Limits(minute_remaining=0, minute_reset=answer.busy_for),
        ) from None
    if _is_deeper_than(body, _MAX_DEPTH):
        raise unanswered("the JSON of the answer is nested too deeply")
    error = body.get("error")
    if "result" in body and error is not None:
        raise unanswered("the answer is not JSON-RPC")
    is_error_without_id = error is not None and body.get("id") is None
    if body.get("id") != request_id and not is_error_without_id:
        raise unanswered("the answer is to another request")
    if error is None:
        metadata = _merge_metadata(body["result"], body)
        return Reply(request_id, result=body["result"], metadata=metadata, http_status=answer.status)
    if not isinstance(error, dict):
        raise unanswered("the answer's error is not an object")
    return Reply(
        request_id,
        error=error,
        metadata=_merge_metadata(error.get("data"), error, body),
        http_status=answer.status,
        repeats_id=not is_error_without_id,
    )


def _is_deeper_than(value: Any, levels: int) -> bool:
    """Return whether a JSON value contains objects and arrays that are nested more than ``levels`` deep."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return bool(level)


def _merge_metadata(*parts: Any) -> Mapping[str, Any]:
    """Merge the ``metadata`` of several parts of one answer into one dict.

    If parts contain the same key, the value of the first such part counts.
    """
    # The vendor's document does not state which object of an answer contains `metadata`.
    merged: dict[str, Any] = {}
    for part in reversed(parts):
        if isinstance(part, dict) and isinstance(part.get("metadata"), dict):
            merged.update(part["metadata"])
    return merged
