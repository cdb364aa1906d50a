"""One service, asked with typed requests: adds the token, reads the answer, keeps the newest limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar

from pydantic import ValidationError

from airflow_provider_callapi.api.credentials import Credentials
from airflow_provider_callapi.api.errors import (
    CallApiError,
    NotSent,
    TokenInvalid,
    Unanswered,
    rejection,
)
from airflow_provider_callapi.api.jsonrpc import JsonRpc, Reply
from airflow_provider_callapi.api.methods import LoginUser, LogoutUser, Repeat, Request
from airflow_provider_callapi.api.models import AccessToken, ApiVersion, Limits

R = TypeVar("R")

_SAME_MINUTE = 5.0
"""Seconds by which two answers may differ in when a minute ends, and mean the same one."""


class Client:
    """The Call API, or the Data API: both speak the same envelope.

    :param rpc: the service's URL and wire.
    :param credentials: an `AccessKey` or a `LoginSession`.
    :param clock: epoch seconds now.
    :ivar limits: the points left, as the newest answer that told them said.
    :ivar api_version: set where the service says that this version is about to go.
    """

    def __init__(self, rpc: JsonRpc, credentials: Credentials, *, clock: Callable[[], float]) -> None:
        self.rpc = rpc
        self.credentials = credentials
        self.limits: Limits | None = None
        self._minute_ends = 0.0
        self._noting = Lock()
        self.api_version: ApiVersion | None = None
        self._clock = clock

    def call(self, request: Request[R]) -> R:
        """Send a request and read its answer. Never waits, never repeats what may have been done.

        A token that the service refuses is renewed once where there is a login: the refused
        request was not carried out.

        :raises CallApiError: see `airflow_provider_callapi.api.errors`.
        """
        if isinstance(request, LogoutUser):
            raise TypeError("use log_out(): it never ends a permanent key")
        if not request.needs_token:
            return self._send(request, {})
        token = self._token(request)
        try:
            return self._send(request, {"access_token": token})
        except TokenInvalid:
            if not self.credentials.renewable(token):
                raise
        return self._send(request, {"access_token": self._token(request)})

    def log_out(self) -> None:
        """End the session of a temporary token, if there is one. Costs a point."""
        if token := self.credentials.forget():
            self._send(LogoutUser(), {"access_token": token})

    def close(self) -> None:
        """Close the HTTP connection. A temporary token is left to expire: logging out costs a point."""
        self.rpc.close()

    def _token(self, request: Request[Any]) -> str:
        """The token for a request; a login without an answer says nothing about the request itself."""
        try:
            return self.credentials.token(self._log_in, self._clock())
        except CallApiError as error:
            if not error.maybe_done:
                raise
            raise NotSent(f"could not log in: {error}", method=request.method) from error

    def _log_in(self, login: str, password: str) -> AccessToken:
        return self._send(LoginUser(login=login, password=password), {})

    def _send(self, request: Request[R], token: Mapping[str, str]) -> R:
        reply = self.rpc.send(
            request.method, {**request.params, **token}, fresh=request.repeat is Repeat.NEVER
        )
        limits = _limits(reply)
        self._note(limits)
        self.api_version = _api_version(reply) or self.api_version
        if reply.error is None:
            data = reply.result.get("data") if isinstance(reply.result, dict) else None
        elif request.means_already_done(_mnemonic(reply.error)):
            data = {"success": True, "already": True}
        else:
            secrets = [*token.values(), *([request.password] if isinstance(request, LoginUser) else [])]
            raise rejection(
                reply.error,
                method=request.method,
                request_id=reply.request_id,
                limits=limits,
                secrets=secrets,
            )
        try:
            return request.read_answer(data)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise Unanswered(
            f"the answer is not what the method promises: {problem}",
            method=request.method,
            request_id=reply.request_id,
        )

    def _note(self, limits: Limits | None) -> None:
        """Keep the newest counters. Threads' answers overtake each other: of a minute, the newest is the one
        that tells of the fewest points.
        """
        if limits is None:
            return
        ends = self._clock() + (limits.minute_reset or 0)
        with self._noting:
            if abs(ends - self._minute_ends) < _SAME_MINUTE and _tells_more(limits, self.limits):
                return
            self.limits, self._minute_ends = limits, ends


def _mnemonic(error: Mapping[str, Any]) -> object:
    data = error.get("data")
    return data.get("mnemonic") if isinstance(data, dict) else None


def _tells_more(limits: Limits, known: Limits | None) -> bool:
    """Whether these are the same counters, with more points left."""
    if known is None or limits.minute_limit != known.minute_limit:
        return False
    return (limits.minute_remaining or 0) > (known.minute_remaining or 0)


def _limits(reply: Reply) -> Limits | None:
    try:
        return Limits.model_validate((reply.metadata or {})["limits"])
    except (KeyError, ValidationError):
        return None


def _api_version(reply: Reply) -> ApiVersion | None:
    try:
        return ApiVersion.read((reply.metadata or {})["api_version"])
    except (AttributeError, KeyError, TypeError, ValidationError):
        return None
