"""Defines how the probes of ``airflow callapi verify`` reach the services, the clock and the user's screen.

A `Service` returns each answer with details that the package's own client leaves out, e.g. the HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from airflow_provider_callapi.api.answer_types import Id, Number
from airflow_provider_callapi.api.entries import Entries, read_entries
from airflow_provider_callapi.api.errors import CallApiError, Rejected, Unanswered, rejection
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply

LIMIT_EXCEEDED = "limit_exceeded"
"""The mnemonic of the error if no points are left. The service may have placed the call nevertheless."""
_MOST_WAITS = 3
"""How often `Service.send` waits for the next minute at most."""
_MINUTE = 60.0
_NUMBER: TypeAdapter[int] = TypeAdapter(Number)
_SESSION_ID: TypeAdapter[int] = TypeAdapter(Id)


def read_session_id(value: object) -> int | None:
    """Read a session id in a service's answer.

    :param value: a JSON value, e.g. the number ``206597836`` or the text ``"206597836"``.
    :return: the session id; None: the value is not a session id.
    """
    return _read_number(_SESSION_ID, value)


def _read_number(kind: TypeAdapter[int], value: object) -> int | None:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


@dataclass(frozen=True)
class Answer:
    """The reply of the Call API or the Data API to one request.

    :ivar data: the JSON value of ``result.data``; None: the answer contains no data.
    :ivar error: the mnemonic of the error, or the error code as text. None: the request succeeded.
    :ivar error_field: the name of the parameter that caused the error; None: not named.
    :ivar error_value: the value that caused the error; None: not named. The value can be a secret.
    :ivar limits: points (rate-limit units), e.g. ``{"day_remaining": 99990}``, and seconds, e.g.
        ``{"minute_reset": 30}``, from ``metadata.limits``. Empty: the answer contains no limits.
    :ivar http_status: the HTTP status of the answer, e.g. 200.
    :ivar repeats_id: whether the answer contains the ``id`` of the request.
    :ivar rejected: the error as an exception; None: the request succeeded.
    """

    data: Any = field(repr=False)
    error: str | None
    error_field: str | None
    error_value: Any = field(repr=False)
    limits: Mapping[str, int]
    http_status: int
    repeats_id: bool
    rejected: Rejected | None = field(repr=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects in ``data`` of the answer, as a list.

        A single object becomes a list of one. If ``data`` is neither a list nor an object, the list is empty.
        """
        data = self.data if isinstance(self.data, list) else [self.data]
        return [row for row in data if isinstance(row, dict)]

    @property
    def calls(self) -> Entries[CallSession]:
        """The active calls in an answer to ``list.calls``, without the calls that cannot be read.

        :raises Rejected: the service has refused the request.
        :raises Unanswered: the answer contains no list.
        """
        self.raise_for_error()
        try:
            return read_entries(CallSession, self.data)
        except ValueError as error:
            raise Unanswered("the answer contains no list of calls", method="list.calls") from error

    def raise_for_error(self) -> None:
        """If the answer contains an error, raise an exception.

        :raises Rejected: the service has refused the request.
        """
        if self.rejected is not None:
            raise self.rejected


class Service:
    """Sends requests to the Call API or to the Data API, with the credentials of the Airflow connection.

    :param rpc: sends the JSON-RPC requests to the service.
    :param login: the user name for the login. None: no login, because ``secret`` is an access key.
    :param secret: the password for the login, or the permanent access key.
    :param sleep: a function that waits for a number of seconds.
    :ivar limits: how many points are left, and when they reset, in the form of `Answer.limits`. The values
        come from the newest answer that contained them. Empty: no answer has contained them yet.
    """

    def __init__(
        self, rpc: JsonRpc, *, login: str | None, secret: str, sleep: Callable[[float], object]
    ) -> None:
        self.login = login
        self.limits: Mapping[str, int] = {}
        self._rpc = rpc
        self._secret = secret
        self._sleep = sleep
        self._token = None if login else secret

    def access_token(self) -> str:
        """Return the access token for requests. If the object has no token yet, log in first.

        :raises CallApiError: the service refuses the login, gives no answer, or gives an answer without a
            token.
        """
        if self._token is None:
            self.log_in().raise_for_error()
        if self._token is None:
            raise Unanswered("the answer contains no access token", method="login.user")
        return self._token

    def log_in(self) -> Answer:
        """Log in, and use the new access token for all later requests.

        :return: the service's reply. If the service refuses the login, the reply contains the error.
        :raises CallApiError: the service gives no answer.
        """
        answer = self._send("login.user", {"login": self.login, "password": self._secret})
        if isinstance(answer.data, dict) and isinstance(answer.data.get("access_token"), str):
            self._token = answer.data["access_token"]
        return answer

    def send_once(self, method: str, params: Mapping[str, Any], token: str | None = None) -> Answer:
        """Send a request once, even if no points are left.

        :param method: the method of the API, e.g. ``list.calls``.
        :param params: the parameters of the request, without ``access_token``.
        :param token: the access token for this request. None: the access token of this object, after a
            login if necessary.
        :return: the answer. If the service refuses the request, the answer contains the error.
        :raises CallApiError: the service gives no answer, or refuses the login.
        """
        return self._send(method, {**params, "access_token": token or self.access_token()})

    def send(self, method: str, **params: Any) -> Answer:
        """Send a request. Repeat it if the token has expired or no points are left.

        - If the token has expired: log in, and repeat the request once.
        - If no points are left: wait for the next minute, and repeat the request, at most three times.

        Never use this method for a start request: the service could place the call twice.

        :param method: the method of the API, e.g. ``list.calls``.
        :param params: the parameters of the request, without ``access_token``.
        :return: the answer to the last request. If the service still refuses it, the answer contains the
            error.
        :raises CallApiError: the service gives no answer, or refuses the login.
        """
        answer = self.send_once(method, params)
        if answer.error == "access_token_invalid" and self.login:
            self.log_in().raise_for_error()
            answer = self.send_once(method, params)
        for _ in range(_MOST_WAITS):
            if answer.error != LIMIT_EXCEEDED:
                break
            self._await_next_minute(answer.limits)
            answer = self.send_once(method, params)
        return answer

    def try_send(self, method: str, **params: Any) -> Answer | None:
        """Send a request as `send` does. If the request fails, return None instead of the error.

        :return: the answer of a successful request. None: the service gave no answer, or refused the request
            or the login.
        """
        try:
            answer = self.send(method, **params)
        except CallApiError:
            return None
        return answer if answer.error is None else None

    def await_points(self, points: int) -> None:
        """If too few points are left in the present minute, wait for the next minute.

        The newest limits in an answer show how many points are left. If no answer has contained limits, the
        method does not wait.

        :param points: how many points the next requests need.
        """
        left, limit = self.limits.get("minute_remaining"), self.limits.get("minute_limit")
        if left is not None and limit is not None and left < min(points, limit):
            self._await_next_minute(self.limits)

    def _await_next_minute(self, limits: Mapping[str, int]) -> None:
        self._sleep(min(max(1.0, float(limits.get("minute_reset") or _MINUTE)), _MINUTE))

    def _send(self, method: str, params: Mapping[str, Any]) -> Answer:
        reply = self._rpc.send(method, params, new_connection=method.startswith("start."))
        answer = _read(reply, method, self._secrets())
        self.limits = answer.limits or self.limits
        return answer

    def _secrets(self) -> list[str]:
        return [secret for secret in (self._secret, self._token) if secret]


@dataclass(frozen=True)
class Gateway:
    """The services and functions that a run of ``airflow callapi verify`` and its probes use.

    :ivar call_api: sends requests to the Call API.
    :ivar data_api: sends requests to the Data API. None: the connection does not use the Data API.
    :ivar clock: a function that returns the time in epoch seconds.
    :ivar sleep: a function that waits for a number of seconds.
    :ivar say: a function that shows the user what happens, or what the person at the phone must do.
    """

    call_api: Service
    data_api: Service | None
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    say: Callable[[str], object]


def _read(reply: Reply, method: str, secrets: list[str]) -> Answer:
    error = reply.error
    detail = error.get("data") if error is not None else None
    detail = detail if isinstance(detail, dict) else {}
    result = reply.result if isinstance(reply.result, dict) else {}
    return Answer(
        data=result.get("data"),
        error=None if error is None else str(detail.get("mnemonic") or error.get("code")),
        error_field=detail.get("field"),
        error_value=detail.get("value"),
        limits=_read_limits(reply.metadata.get("limits")),
        http_status=reply.http_status,
        repeats_id=reply.repeats_id,
        rejected=None if error is None else rejection(error, method=method, secrets=secrets),
    )


def _read_limits(limits: object) -> dict[str, int]:
    raw = limits if isinstance(limits, dict) else {}
    numbers = {name: _read_number(_NUMBER, value) for name, value in raw.items()}
    return {name: number for name, number in numbers.items() if number is not None}
