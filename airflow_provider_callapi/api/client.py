"""A client of the Call API or the Data API.

The client adds the access token to requests, reads answers, and stores how many points (rate-limit units) are
left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from airflow_provider_callapi.api.answer_types import Number
from airflow_provider_callapi.api.credentials import Credentials
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import (
    CallApiError,
    NotSent,
    TokenInvalid,
    Unanswered,
    rejection,
)
from airflow_provider_callapi.api.methods import LoginUser, LogoutUser
from airflow_provider_callapi.api.models import AccessToken, ApiVersion, Limits
from airflow_provider_callapi.api.request import Repeat, Request
from airflow_provider_callapi.api.transport.jsonrpc import NO_TIME_LIMIT, JsonRpc, Reply

R = TypeVar("R")

_TOTAL: TypeAdapter[int | None] = TypeAdapter(Number | None)

_SAME_MINUTE_TOLERANCE = 5.0
"""Seconds.

If the reset times of two answers differ by less, both answers show the limits of the same minute.
"""


class Client:
    """A client of the Call API or the Data API.

    :param rpc: the HTTP connection to the service.
    :param credentials: an `AccessKey` or a `LoginSession`.
    :param clock: returns the current time in epoch seconds.
    :ivar limits: the points that the account has left. None: no answer has stated them yet.
    :ivar api_version: the service's notice that it will withdraw this version of the API. None: no notice.
    """

    def __init__(self, rpc: JsonRpc, credentials: Credentials, *, clock: Callable[[], float]) -> None:
        self.rpc = rpc
        self.credentials = credentials
        self.limits: Limits | None = None
        self.api_version: ApiVersion | None = None
        self._minute_ends_at = 0.0
        self._limits_lock = Lock()
        self._clock = clock

    def call(
        self,
        request: Request[R],
        *,
        time_limit: float = NO_TIME_LIMIT,
        before_each_send: Callable[[], object] = lambda: None,
    ) -> R:
        """Send a request and return the answer, e.g. a `StartedCall` for a start request.

        If the service refuses a temporary token, the client logs in again, and sends the request a second
        time. This is safe: the service has not carried out the request. If the service refuses the new token,
        too, the error is `NotSent`. After other errors, the client repeats nothing.

        :param time_limit: the longest time in seconds for each request to the service, also for a login. A
            shorter ``timeout`` of the client's `JsonRpc` applies.
        :param before_each_send: a function without parameters. The client calls it before each send of the
            request. If a login comes first, the client calls it after the login. If it raises an exception,
            the client does not send the request.
        :raises CallApiError: the request failed. The module `airflow_provider_callapi.api.errors` lists the
            subclasses.
        :raises TypeError: the method of the request is ``logout.user``. Use `log_out`.
        """
        if request.method == LogoutUser.method:  # `request_by_name` makes requests of another class
            raise TypeError(
                "use log_out() of the client, or logout() of the hook: neither ends a permanent key"
            )
        if not request.needs_token:
            before_each_send()
            return self._send(request, {}, time_limit)
        is_after_login = False
        while True:
            token = self._token_for(request, time_limit)
            before_each_send()
            try:
                return self._send(request, {"access_token": token}, time_limit)
            except TokenInvalid as error:
                if is_after_login:
                    # Another program may have logged in meanwhile, and ended this token. A later login may
                    # succeed.
                    raise NotSent(
                        f"the token of a new login is refused: {error}", method=request.method
                    ) from error
                if not self.credentials.discard_refused(token):
                    raise
            is_after_login = True

    def log_out(self) -> None:
        """Log out if the client has a temporary token. A logout costs one point."""
        if token := self.credentials.forget():
            self._send(LogoutUser(), {"access_token": token}, NO_TIME_LIMIT)

    def close(self) -> None:
        """Close the HTTP connection.

        The client stays logged in: a logout costs a point, and a token expires anyway.
        """
        self.rpc.close()

    def _token_for(self, request: Request[Any], time_limit: float) -> str:
        """Return the access token for a request. Log in first if there is no valid token.

        :raises CallApiError: the login failed.
        """

        def log_in(login: str, password: str) -> AccessToken:
            return self._send(LoginUser(login=login, password=password), {}, time_limit)

        try:
            return self.credentials.token(log_in, self._clock())
        except CallApiError as error:
            if not error.maybe_done:
                raise
            # The login may have taken effect, but the request itself was not sent: it can be repeated.
            raise NotSent(f"could not log in: {error}", method=request.method) from error

    def _send(self, request: Request[R], token: Mapping[str, str], time_limit: float) -> R:
        reply = self.rpc.send(
            request.method,
            {**request.params, **token},
            new_connection=request.repeat is Repeat.NEVER,
            time_limit=time_limit,
            exact_type=request.exact_type,
        )
        limits = _read_limits(reply)
        self._store_limits(limits)
        self.api_version = _read_api_version(reply) or self.api_version
        if reply.error is None:
            return _convert(request, request.data_in(reply.result), reply)
        if request.means_already_done(_mnemonic_of(reply.error)):
            return _convert(request, {"success": True, "already": True}, reply)
        secrets = [*token.values(), str(request.params.get("password", ""))]  # of a login
        raise rejection(
            reply.error,
            method=request.method,
            request_id=reply.request_id,
            limits=limits,
            secrets=secrets,
        )

    def _store_limits(self, limits: Limits | None) -> None:
        """Store how many points an answer shows as left.

        Ignore the answer if the stored points come from a newer answer.
        """
        if limits is None:
            return
        minute_ends_at = self._clock() + (limits.minute_reset or 0)
        with self._limits_lock:
            # With several threads, an older answer can arrive later: within a minute, it shows more points.
            same_minute = abs(minute_ends_at - self._minute_ends_at) < _SAME_MINUTE_TOLERANCE
            if same_minute and _has_more_points(limits, self.limits):
                return
            self.limits, self._minute_ends_at = limits, minute_ends_at


def _convert(request: Request[R], data: Any, reply: Reply) -> R:
    """Convert the data of an answer to the answer type of the request.

    :raises Unanswered: the data differs from the method's documentation.
    """
    try:
        answer = request.convert_answer(data)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]["msg"]
    except ValueError as error:  # raised by `read_entries`; its text contains no value of the answer
        problem = str(error)
    else:
        if isinstance(answer, Entries):
            answer.total = _read_total(reply)
        return answer
    raise Unanswered(
        f"the answer differs from the method's documentation: {problem}",
        method=request.method,
        request_id=reply.request_id,
    )


def _mnemonic_of(error: Mapping[str, Any]) -> object:
    data = error.get("data")
    return data.get("mnemonic") if isinstance(data, dict) else None


def _has_more_points(limits: Limits, known: Limits | None) -> bool:
    """Return whether ``limits`` states more points left in this minute than ``known`` does.

    Return False if the two cannot be compared: ``known`` is None, or their ``minute_limit`` differs.
    """
    # If the account's points per minute have changed, the points left cannot be compared.
    if known is None or limits.minute_limit != known.minute_limit:
        return False
    return (limits.minute_remaining or 0) > (known.minute_remaining or 0)


def _read_limits(reply: Reply) -> Limits | None:
    try:
        return Limits.model_validate(reply.metadata["limits"])
    except (KeyError, ValidationError):
        return None


def _read_total(reply: Reply) -> int | None:
    try:
        return _TOTAL.validate_python(reply.metadata.get("total_items"))
    except ValidationError:
        return None


def _read_api_version(reply: Reply) -> ApiVersion | None:
    try:
        return ApiVersion.from_metadata(reply.metadata["api_version"])
    except (AttributeError, KeyError, TypeError, ValidationError):
        return None
