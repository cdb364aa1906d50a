"""The hook: an Airflow connection as a client that repeats what may be repeated, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import tenacity
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import (
    AccessDenied,
    CallApiError,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.jsonrpc import JsonRpc
from airflow_provider_callapi.api.methods import ListCalls, Repeat, Request, other
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.snapshot import look
from airflow_provider_callapi.calls.watch import DONE, Phase, SessionWatch, Until
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid
from airflow_provider_callapi.hooks.settings import ConnectionSettings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

R = TypeVar("R")

_ATTEMPTS = 5
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)


class CallApiHook(BaseHook):
    """Talk to the Call API through an Airflow connection of type ``callapi``.

    .. code-block:: python

        with CallApiHook() as hook:
            for session in hook.call(ListCalls()):
                print(session.call_session_id)

    :param callapi_conn_id: the connection; looked up at the first use, not here.
    :param max_limit_wait: seconds to wait, in all, for used up points to come back; a reset further
        away raises `LimitExceeded`, which carries the seconds.
    """

    conn_name_attr = "callapi_conn_id"
    default_conn_name = "callapi_default"
    conn_type = "callapi"
    hook_name = "CoMagic / UIS Call API"

    def __init__(
        self, callapi_conn_id: str = default_conn_name, *, max_limit_wait: float = 120.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.callapi_conn_id = callapi_conn_id
        self.max_limit_wait = max_limit_wait
        self._sleep: Callable[[float], None] = time.sleep

    def get_conn(self) -> Client:
        """The client of this connection; made once a hook."""
        return self.client

    @cached_property
    def settings(self) -> ConnectionSettings:
        """The connection's fields, read and checked.

        :raises ConnectionSettingsInvalid: names the field.
        """
        return read_settings(self.get_connection(self.callapi_conn_id))

    @cached_property
    def client(self) -> Client:
        """The Call API of this connection: single requests, no repeats."""
        return make_client(self.settings)

    @property
    def limits(self) -> Limits | None:
        """The points left, as the newest answer that told them said; None before there was one."""
        return self.client.limits

    def call(self, request: Request[R]) -> R:
        """Send a request; repeat it after trouble where a repeat cannot do it twice.

        A limit that is reset soon enough is waited for: a refused request was not carried out.

        :raises CallApiError: see `airflow_provider_callapi.api.errors`.
        """
        sending = tenacity.Retrying(
            retry=lambda state: self._pause_before_repeat(request, state) is not None,
            wait=lambda state: self._pause_before_repeat(request, state) or 0.0,
            before_sleep=self._log_pause,
            sleep=self._sleep,
            reraise=True,
        )
        answer: R = sending(self.client.call, request)
        version = self.client.api_version
        if version is not None and version.deprecated:
            self.log.warning(
                "Version %s of the Call API is about to go; set extra.api_version of connection %s to %s",
                version.current_version,
                self.callapi_conn_id,
                version.latest_version,
            )
        return answer

    def call_method(self, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Call a method by its name, for methods and parameters that this version does not know.

        :param params: without ``access_token``.
        :return: ``result.data`` as it is.
        """
        return self.call(other(name, params or {}))

    def watch_session(self, watch: SessionWatch, *, until: Until, poll_interval: float) -> Phase:
        """Look at the active calls, and sleep, until the watch has seen what it waits for."""
        while True:
            snapshot = look(self.client, time.time)
            if snapshot.failure:
                self.log.warning("A look at the active calls failed: %s", snapshot.failure)
            phase = watch.feed(snapshot)
            if phase in DONE[until]:
                return phase
            self._sleep(snapshot.pause(poll_interval))

    def logout(self) -> None:
        """End the session of a login. Costs a point. Does nothing to a permanent access key."""
        self.client.log_out()

    def test_connection(self) -> tuple[bool, str]:
        """Try the credentials with list.calls, which costs no points."""
        try:
            active = self.client.call(ListCalls())
        except ConnectionSettingsInvalid as error:
            return False, str(error)
        except AccessDenied as error:
            if error.mnemonic != "component_disabled":
                return False, str(error)
            return True, (
                "Connected, but list.calls is not available: calls can be started, and not be waited for. "
                f"{error}"
            )
        except CallApiError as error:
            return False, str(error)
        return True, f"Connected; {len(active)} active calls"

    def close(self) -> None:
        """Close the HTTP connection. A temporary token is left to expire: logging out costs a point."""
        if "client" in self.__dict__:
            self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _pause_before_repeat(self, request: Request[Any], state: tenacity.RetryCallState) -> float | None:
        """Seconds to wait before sending the request again; None: do not send it again."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, LimitExceeded):  # refused before anything was done
            affordable = state.idle_for + error.retry_after <= self.max_limit_wait
            return float(error.retry_after) if affordable else None
        if state.attempt_number >= _ATTEMPTS:
            return None
        if isinstance(error, NotSent):  # nothing left this machine
            return _BACKOFF(state)
        if isinstance(error, (Unanswered, ServiceFailed)) and request.repeat is not Repeat.NEVER:
            return _BACKOFF(state)
        return None

    def _log_pause(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.log.warning(
            "%s; sending it again in %.1f s (attempt %d)",
            error,
            state.upcoming_sleep,
            state.attempt_number + 1,
        )


def read_settings(connection: Connection) -> ConnectionSettings:
    """Read an Airflow connection of type ``callapi``."""
    return ConnectionSettings.read(
        connection.conn_id,
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
    )


def make_client(settings: ConnectionSettings) -> Client:
    """A client of the Call API with its own HTTP session and its own login."""
    rpc = JsonRpc(settings.url, timeout=settings.timeout, verify=settings.verify)
    return Client(rpc, settings.credentials(), clock=time.time)
