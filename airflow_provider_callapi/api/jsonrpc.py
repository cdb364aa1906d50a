"""The JSON-RPC 2.0 envelope over HTTP: one POST, one answer, and what its absence proves.

Source: "Введение", "Соглашения" and "Общее" of the vendor's document: POST, JSON with its charset and
a correct Content-Length, no batches, no notifications.
"""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from airflow_provider_callapi.api.errors import NotSent, Unanswered

_HEADERS = {"Content-Type": "application/json; charset=UTF-8"}


@dataclass(frozen=True)
class Reply:
    """A JSON-RPC answer to request ``request_id``: exactly one of ``result`` and ``error`` is set."""

    request_id: str
    result: Any = field(default=None, repr=False)
    error: Mapping[str, Any] | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)


class _NoAuth(AuthBase):
    """Credentials travel in the body; without this, `requests` would look into ``~/.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Payload(io.BytesIO):
    """A body that knows whether it was taken to be sent.

    The wire reads it after connecting, the TLS handshake and the headers. Until then the service
    has nothing that it could carry out, whatever kind of exception ends the attempt.
    """

    taken = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.taken = True
        return super().read(size)


class JsonRpc:
    """One service's URL and how to reach it.

    :param url: base URL with the version, e.g. ``https://callapi.comagic.ru/v4.0``.
    :param timeout: seconds to connect, and between two bytes of the answer.
    :param verify: TLS verification: True, or the path of a CA bundle.
    :param new_session: makes the HTTP session; the one seam where a test replaces the wire.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        verify: bool | str = True,
        new_session: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.verify = verify
        self._new_session = new_session
        self._lock = threading.Lock()
        self._session: requests.Session | None = None

    def send(self, method: str, params: Mapping[str, Any], *, fresh: bool) -> Reply:
        """Send one request, once.

        :param fresh: use a connection of its own: a kept-alive one may be half-closed, and then
            nobody can tell whether the request was read.
        :raises NotSent: no byte of the request left.
        :raises Unanswered: it left, and no JSON-RPC answer to it came back.
        """
        request_id = uuid.uuid4().hex
        body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        payload = _Payload(json.dumps(body, ensure_ascii=False).encode())
        if fresh:
            with self._new_session() as session:
                response = self._post(session, payload, method, request_id)
        else:
            with self._lock:
                if self._session is None:
                    self._session = self._new_session()
                session = self._session
            response = self._post(session, payload, method, request_id)
        return _read(response, method, request_id)

    def _post(
        self, session: requests.Session, payload: _Payload, method: str, request_id: str
    ) -> requests.Response:
        try:
            return session.post(
                self.url,
                data=payload,
                headers=_HEADERS,
                timeout=self.timeout,
                verify=self.verify,
                allow_redirects=False,  # the body holds a token
                auth=_NoAuth(),
            )
        except (OSError, HTTPError) as error:  # RequestException is an OSError
            cause = getattr(error.args[0], "reason", error) if error.args else error
            why = f"{self.url}: {type(cause).__name__}"
            if payload.taken:
                raise Unanswered(f"no answer from {why}", method=method, request_id=request_id) from error
            raise NotSent(f"could not connect to {why}", method=method, request_id=request_id) from error

    def close(self) -> None:
        """Close the kept-alive connection, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _read(response: requests.Response, method: str, request_id: str) -> Reply:
    """Decide from the body whenever it is a JSON-RPC answer; error statuses are documented nowhere."""

    def unanswered(why: str) -> Unanswered:
        return Unanswered(
            f"{why} (HTTP {response.status_code} from {response.url})",
            method=method,
            request_id=request_id,
        )

    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        raise unanswered("the answer is not JSON") from None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or ("result" in body) == (error is not None):
        raise unanswered("the answer is not JSON-RPC")
    anonymous_error = error is not None and body.get("id") is None
    if body.get("id") != request_id and not anonymous_error:
        raise unanswered("the answer is to another request")
    if error is not None:
        if not isinstance(error, dict):
            raise unanswered("the answer's error is not an object")
        data = error.get("data")
        places = (data, error, body)
        return Reply(request_id, error=error, metadata=_metadata(places))
    return Reply(request_id, result=body["result"], metadata=_metadata((body["result"], body)))


def _metadata(places: tuple[Any, ...]) -> Mapping[str, Any]:
    """``metadata`` has no documented place: what any of them holds, the first one first."""
    found: dict[str, Any] = {}
    for place in reversed(places):
        if isinstance(place, dict) and isinstance(place.get("metadata"), dict):
            found.update(place["metadata"])
    return found
