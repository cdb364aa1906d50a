"""JSON-RPC 2.0 over HTTP. If a request fails, the class of the error shows whether the request was sent.

Source: the introductory chapters of the vendor's Call API document. These chapters require ``POST``, JSON
with a charset, and a correct ``Content-Length``. JSON-RPC batches and notifications are not allowed.
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
    """The JSON-RPC answer to one request: either a result or an error.

    :ivar request_id: the ``id`` of the request.
    :ivar result: the answer's ``result``. None if the service answered with an error.
    :ivar error: the answer's ``error`` object. None: the request succeeded.
    :ivar metadata: the answer's ``metadata`` objects, merged.
    """

    request_id: str
    result: Any = field(default=None, repr=False)
    error: Mapping[str, Any] | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)


class _NoAuth(AuthBase):
    """An HTTP authentication that adds nothing, so that `requests` reads no passwords from ``~/.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Payload(io.BytesIO):
    """A request body that records whether the HTTP library has read the body.

    The HTTP library reads the body only after the connection, the TLS handshake and the headers. So if the
    library has not read the body, the service has not carried out the request.
    """

    was_read = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.was_read = True
        return super().read(size)


class JsonRpc:
    """The HTTP access to one JSON-RPC service.

    :param url: base URL with the version, e.g. ``https://callapi.comagic.ru/v4.0``.
    :param timeout: seconds to wait for the connection, and seconds to wait for each next part of the answer.
    :param verify: TLS verification: True, or the path of a CA bundle.
    :param new_session: a function that creates an HTTP session. Tests pass a session without a network.
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

    def send(self, method: str, params: Mapping[str, Any], *, new_connection: bool) -> Reply:
        """Send one JSON-RPC request once, and return the answer.

        :param new_connection: True: use a new connection for this request. False: a kept-alive connection may
            be used. If the service closes a kept-alive connection during the send, it is unknown whether the
            service has read the request.
        :raises NotSent: no byte of the request's body was sent.
        :raises Unanswered: the request was sent, and no JSON-RPC answer came back.
        """
        request_id = uuid.uuid4().hex
        body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        payload = _Payload(json.dumps(body, ensure_ascii=False).encode())
        if new_connection:
            with self._new_session() as session:
                response = self._post(session, payload, method, request_id)
        else:
            with self._lock:
                if self._session is None:
                    self._session = self._new_session()
                session = self._session
            response = self._post(session, payload, method, request_id)
        return _parse_reply(response, method, request_id)

    def close(self) -> None:
        """Close the kept-alive HTTP connection, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None

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
                allow_redirects=False,  # the body contains a token
                auth=_NoAuth(),
            )
        except (OSError, HTTPError) as error:  # RequestException is an OSError
            cause = getattr(error.args[0], "reason", error) if error.args else error
            target = f"{self.url}: {type(cause).__name__}"
            if payload.was_read:
                raise Unanswered(f"no answer from {target}", method=method, request_id=request_id) from error
            raise NotSent(f"could not connect to {target}", method=method, request_id=request_id) from error


def _parse_reply(response: requests.Response, method: str, request_id: str) -> Reply:
    """Return the JSON-RPC answer in the body of an HTTP response.

    Ignore the HTTP status, because the vendor documents no error statuses.

    :raises Unanswered: the body is not a JSON-RPC answer to the request ``request_id``.
    """

    def unanswered(problem: str) -> Unanswered:
        return Unanswered(
            f"{problem} (HTTP {response.status_code} from {response.url})",
            method=method,
            request_id=request_id,
        )

    try:
        body = _load_json(response.content)
    except (ValueError, RecursionError):
        raise unanswered("the answer is not JSON") from None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or ("result" in body) == (error is not None):
        raise unanswered("the answer is not JSON-RPC")
    is_error_without_id = error is not None and body.get("id") is None
    if body.get("id") != request_id and not is_error_without_id:
        raise unanswered("the answer is to another request")
    if error is None:
        return Reply(request_id, result=body["result"], metadata=_merge_metadata(body["result"], body))
    if not isinstance(error, dict):
        raise unanswered("the answer's error is not an object")
    return Reply(request_id, error=error, metadata=_merge_metadata(error.get("data"), error, body))


def _load_json(content: bytes) -> Any:
    """Return the JSON value in the body of an answer.

    Half of a surrogate pair (``\\ud800``) becomes U+FFFD, because no other library accepts such a text.

    :raises ValueError: the body is not JSON.
    """
    body = json.loads(content)
    if b"\\ud" not in content.lower():
        return body
    text = json.dumps(body, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _merge_metadata(*parts: Any) -> Mapping[str, Any]:
    """Return the ``metadata`` objects of an answer's parts, merged into one dict.

    If two parts contain the same key, the value of the earlier part is used. All parts are read, because the
    vendor's document does not state which part contains ``metadata``.
    """
    merged: dict[str, Any] = {}
    for part in reversed(parts):
        if isinstance(part, dict) and isinstance(part.get("metadata"), dict):
            merged.update(part["metadata"])
    return merged
