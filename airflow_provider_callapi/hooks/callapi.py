"""The hook: an Airflow connection as a client that repeats what may be repeated, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.data_api import (
    REPORT_INTERVAL,
    CallReport,
    GetCallLegsReport,
    GetCallsReport,
    equals,
    report_time,
)
from airflow_provider_callapi.api.methods import Request, other
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.retrying_client import ATTEMPTS, RetryingClient
from airflow_provider_callapi.calls.answers import answered_from_legs, answered_from_report
from airflow_provider_callapi.calls.lost_call import LostCall
from airflow_provider_callapi.calls.outcome import Outcome, with_report
from airflow_provider_callapi.calls.placing import FindReportedCall
from airflow_provider_callapi.calls.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.calls.watch import WAIT_ENDS_IN, Phase, SessionWatch, Until
from airflow_provider_callapi.connection.check import check_connection
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import ConnectionSettings, read_settings
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid
from airflow_provider_callapi.observability import observe

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

R = TypeVar("R")

_DAY = 86_400.0


class CallApiHook(BaseHook):
    """Talk to the Call API through an Airflow connection of type ``callapi``.

    .. code-block:: python

        with CallApiHook() as hook:
            for session in hook.call(ListCalls()):
                print(session.call_session_id)

    :param callapi_conn_id: the connection; looked up at the first use, not here.
    :param max_limit_wait: seconds to wait, in all, for used up points to come back; a reset further
        away raises `LimitExceeded`, which carries the seconds.
    :param attempts: how often a request is sent at the most, after trouble; 1: never again.
    """

    conn_name_attr = "callapi_conn_id"
    default_conn_name = "callapi_default"
    conn_type = "callapi"
    hook_name = "CoMagic / UIS Call API"

    def __init__(
        self,
        callapi_conn_id: str = default_conn_name,
        *,
        max_limit_wait: float = 120.0,
        attempts: int = ATTEMPTS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.callapi_conn_id = callapi_conn_id
        self.max_limit_wait = max_limit_wait
        self._deprecation_told = False
        self.attempts = attempts

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Connection:
        """The connection, for who runs in an event loop. Airflow 3.0's base has no such method."""
        return await get_async_connection(conn_id)

    def get_conn(self) -> Client:
        """The Call API of this connection: single requests, no repeats."""
        return self.call_api.client

    @cached_property
    def settings(self) -> ConnectionSettings:
        """The connection's fields, read and checked.

        :raises ConnectionSettingsInvalid: names the field.
        """
        return read_settings(self.get_connection(self.callapi_conn_id))

    @cached_property
    def call_api(self) -> RetryingClient:
        """The Call API of this connection."""
        return self._repeating(make_client(self.settings))

    @cached_property
    def data_api(self) -> RetryingClient:
        """The Data API of this connection, with a login and limits of its own.

        :raises ConnectionSettingsInvalid: the connection does not use it.
        """
        if self.settings.data_api_url is None:
            raise ConnectionSettingsInvalid(
                f"connection {self.callapi_conn_id}: this needs the Data API; set extra.data_api to true"
            )
        return self._repeating(make_client(self.settings, service="data_api"))

    @property
    def has_data_api(self) -> bool:
        """Whether the connection uses the Data API."""
        return self.settings.data_api_url is not None

    @property
    def limits(self) -> Limits | None:
        """The points left, as the newest answer that told them said; None before there was one."""
        return self.call_api.client.limits

    def call(self, request: Request[R], *, before: Callable[[], object] = lambda: None) -> R:
        """Send a request; repeat it after trouble where a repeat cannot do it twice.

        A limit that is reset soon enough is waited for: a refused request was not carried out.

        :param before: called before each attempt; what it raises ends them.
        :raises CallApiError: see `airflow_provider_callapi.api.errors`.
        """
        answer = self.call_api.call(request, before=before)
        version = self.call_api.client.api_version
        if version is not None and version.deprecated and not self._deprecation_told:
            self._deprecation_told = True
            self.log.warning(
                "Version %s of the Call API will be withdrawn; set extra.api_version of connection %s to %s",
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

    def poll_snapshots(self, poll_interval: float) -> Iterator[Snapshot]:
        """Looks at the active calls, one after the other, sleeping in between. Never ends by itself."""
        while True:
            snapshot = take_snapshot(self.get_conn(), time.time)
            if snapshot.failure:
                self.log.warning("A look at the active calls failed: %s", snapshot.failure)
            yield snapshot
            time.sleep(snapshot.pause(poll_interval))

    def watch_session(self, watch: SessionWatch, *, until: Until, poll_interval: float) -> Phase:
        """Look, and sleep, until the watch has seen what it waits for."""
        for snapshot in self.poll_snapshots(poll_interval):
            if observe(watch, snapshot) in WAIT_ENDS_IN[until]:
                break
        return watch.phase

    def call_report(
        self,
        call_session_id: int | None = None,
        *,
        external_id: str | None = None,
        contact: str | None = None,
        since: float | None = None,
    ) -> CallReport | None:
        """What the Data API's report says of a call, finished or going on; None: it is not there (yet).

        :param call_session_id: the call; or
        :param external_id: the id that was given at its start. Authors repeat their ids: the newest call
            with it counts, of those to ``contact`` (where that is given) and from ``since`` on.
        :param since: epoch seconds before which the call did not start; 30 days ago by default.
        """
        if call_session_id is not None:
            wanted = equals("id", call_session_id)
        elif external_id is not None:
            wanted = equals("call_api_external_id", external_id)
        else:
            raise ValueError("call_session_id or external_id is needed")
        first, last = self._interval(since)
        found = self.data_api.call(
            GetCallsReport(date_from=first, date_till=last, filter=wanted, include_ongoing_calls=True)
        )
        if external_id is not None:
            lost = LostCall(external_id, contact, since, self.settings.timezone)
            found = [report for report in found if lost.matches(report)]
        return max(found, key=lambda report: report.id, default=None)

    def await_report(
        self,
        call_session_id: int | None = None,
        *,
        external_id: str | None = None,
        contact: str | None = None,
        since: float | None = None,
        timeout: float,
    ) -> CallReport | None:
        """As `call_report`, asking again: a call that has ended is reported some time later.

        :param timeout: seconds to go on asking.
        """
        due = time.time() + timeout
        while True:
            report = self.call_report(call_session_id, external_id=external_id, contact=contact, since=since)
            left = due - time.time()
            if report is not None or left <= 0:
                return report
            time.sleep(min(REPORT_INTERVAL, left))

    def finder(self, *, timeout: float = 0.0) -> FindReportedCall | None:
        """How `place` finds a call in the Data API; None where the connection does not use it.

        :param timeout: seconds to go on asking.
        """

        def find(external_id: str, contact: str, since: float) -> int | None:
            report = self.await_report(external_id=external_id, contact=contact, since=since, timeout=timeout)
            return report.id if report else None

        return find if self.has_data_api else None

    def fetch_final_outcome(self, call: Outcome) -> tuple[Outcome, CallReport] | None:
        """What the Data API makes of a finished call; None: its report is not there yet."""
        report = self.call_report(call.call_session_id, since=call.started_at)
        if report is None or not report.finished:
            return None
        answered = call.answered or answered_from_report(report)
        if answered is None:
            first, last = self._interval(call.started_at)
            wanted = equals("call_session_id", call.call_session_id)
            legs = self.data_api.call(GetCallLegsReport(date_from=first, date_till=last, filter=wanted))
            answered = answered_from_legs(legs)
        return with_report(call, report, answered, self.settings.timezone), report

    def logout(self) -> None:
        """End the session of a login. Costs a point. Does nothing to a permanent access key."""
        self.get_conn().log_out()

    def test_connection(self) -> tuple[bool, str]:
        """Whether the connection works, and what to do where it does not. Costs no points.

        The Data API is tried, too, where the connection uses it.
        """
        return check_connection(lambda: self.settings)

    def close(self) -> None:
        """Close the HTTP connections. Temporary tokens are left to expire: logging out costs a point."""
        for name in ("call_api", "data_api"):
            if name in self.__dict__:
                self.__dict__[name].client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _repeating(self, client: Client) -> RetryingClient:
        return RetryingClient(client, max_limit_wait=self.max_limit_wait, attempts=self.attempts)

    def _interval(self, since: float | None) -> tuple[str, str]:
        """The dates of a report, a day wider on both sides than any clock or zone can be wrong."""
        now, zone = time.time(), self.settings.timezone
        first = now - 30 * _DAY if since is None else since
        return report_time(first - _DAY, zone), report_time(now + _DAY, zone)
