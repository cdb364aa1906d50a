"""Send a campaign's requests to the Call API and the Data API. Only start requests are sent in parallel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.data_api import OPERATIONS_FIELD, REPORT_FIELDS, SetTagCommunications
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import StartCall, TagCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.watching.snapshot import take_snapshot
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability.spans import join_current_trace


class CampaignServices:
    """Sends the requests of one campaign through the Call API and the Data API of one connection."""

    def __init__(
        self, hook: CallApiHook, *, at_once: int, account_timezone: str, asks_operations: bool
    ) -> None:
        self._hook = hook
        self._report_fields = (*REPORT_FIELDS, OPERATIONS_FIELD) if asks_operations else REPORT_FIELDS
        self._account_timezone = account_timezone
        self._pool = ThreadPoolExecutor(
            at_once, thread_name_prefix="callapi-campaign", initializer=join_current_trace()
        )

    def gateway(
        self,
        *,
        do_not_call: Callable[[], Container[str] | None],
        wish: Callable[[], Wish | None],
        log: Callable[[str], None],
        error: Callable[[str], None],
    ) -> CampaignGateway:
        """Return the functions through which a running campaign uses the services, the clock and the log.

        :param log: takes a line for the task's log.
        :param error: takes an error for the task's log.
        """
        return CampaignGateway(
            start=self.start,
            take_snapshot=lambda: take_snapshot(self._hook.get_conn(), system_clock.now),
            limits=lambda: self._hook.limits,
            reports=self._reports if self._hook.has_data_api else None,
            reported_calls=self._hook.reports.since if self._hook.has_data_api else None,
            tag_active=lambda session_id, tag_id: self._hook.get_conn().call(
                TagCall(call_session_id=session_id, tag_id=tag_id)
            ),
            tag_finished=lambda communication_id, tag_id: self._hook.data_api.client.call(
                SetTagCommunications(communication_id=communication_id, tag_id=tag_id)
            ),
            do_not_call=do_not_call,  # returns None if the list cannot be read now
            wish=wish,
            clock=system_clock.now,
            log=log,
            error=error,
        )

    def start(self, requests: Sequence[StartCall]) -> list[StartedCall | CallApiError]:
        """Send several start requests at the same time, each request once.

        Return the answer or the error of each request, in the same order.
        """
        return list(self._pool.map(self._start, requests))

    def close(self) -> None:
        """Stop the threads. Do not wait for answers to requests. The hook stays open."""
        self._pool.shutdown(wait=False)

    def _start(self, request: StartCall) -> StartedCall | CallApiError:
        try:
            return self._hook.get_conn().call(request)
        except CallApiError as error:
            return error

    def _reports(self, since: float, sessions: Collection[int] | None) -> Any:
        return fetch_finished_calls(
            self._hook.data_api.client,
            since=since,
            until=system_clock.now(),
            timezone=self._account_timezone,
            refusals=self._hook.report_refusals,
            fields=self._report_fields,
            sessions=sessions,
        )
