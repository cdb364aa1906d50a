"""Ask the Data API about calls: whether active calls were answered, and whether missing calls have ended.

A call is missing if ``list.calls`` no longer shows it.

The requests do not block the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from airflow_provider_callapi.calls.watching.answer_witness import AnswerWitness
from airflow_provider_callapi.calls.watching.end_witness import EndWitness
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource
from airflow_provider_callapi.connection.account_zone import fetch_timezone
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.event_loop.threads import run_in_thread

_LONGEST_DELAY = 1.0
"""The longest time in seconds for which a request for the ends of calls may delay a snapshot."""
log = logging.getLogger(__name__)


class Witnesses:
    """Asks the Data API which calls were answered or have ended, and adds these facts to snapshots."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._data_api = make_client(settings, service="data_api")
        self._timezone = settings.timezone
        # Each witness learns by itself what the Data API refuses. They ask in two threads at the same time:
        # with shared refusals, both could learn one refused date, and the dates would move two steps.
        source = WitnessSource(self._data_api, settings.period_timezone, self._account_timezone, log.warning)
        self._answers = AnswerWitness(source)
        self._ends = EndWitness(source)
        self._answer_request: asyncio.Future[None] | None = None
        self._end_request: asyncio.Future[None] | None = None

    async def extend(
        self, snapshot: Snapshot, awaited_answers: Collection[int], awaited_ends: Collection[int]
    ) -> Snapshot:
        """Return a copy of the snapshot, with the answers and ends of calls as the Data API reports them.

        :param awaited_answers: the session ids of the active calls for whose answer a trigger waits.
        :param awaited_ends: the session ids of the missing calls for whose end a trigger waits.
        """
        # While a request is in progress, its thread may change the witness. The copy then contains no
        # answers, or no ends.
        return await self._with_ends(self._with_answers(snapshot, awaited_answers), awaited_ends)

    def _with_answers(self, snapshot: Snapshot, awaited: Collection[int]) -> Snapshot:
        if _is_running(self._answer_request):
            return snapshot
        answered = self._answers.answered_in(snapshot)
        # The request runs beside the polls: a later snapshot contains the new answers.
        if calls := self._answers.due(snapshot, awaited):
            self._answer_request = _in_thread(self._answers.ask, calls, snapshot.at)
        return replace(snapshot, answered=answered)

    async def _with_ends(self, snapshot: Snapshot, missing: Collection[int]) -> Snapshot:
        if _is_running(self._end_request):
            return snapshot
        if calls := self._ends.due(snapshot, missing):
            self._end_request = _in_thread(self._ends.ask, calls, snapshot.at)
            await asyncio.wait({self._end_request}, timeout=_LONGEST_DELAY)
            if _is_running(self._end_request):
                return snapshot  # a later snapshot contains the ends
        return replace(snapshot, ends=self._ends.ends_in(snapshot))

    def _account_timezone(self) -> str:
        """Return the IANA name of the account's time zone, such as ``Asia/Omsk``.

        If the connection does not contain it, request it from the Data API.
        """
        if self._timezone is None:
            self._timezone = fetch_timezone(self._data_api.call, log.warning)
        return self._timezone


def _in_thread(ask: Callable[..., None], *arguments: Any) -> asyncio.Future[None]:
    """Ask the Data API in a thread. Log an unexpected error, because nobody awaits the result."""
    request = asyncio.ensure_future(run_in_thread(ask, *arguments))
    request.add_done_callback(_log_failure)
    return request


def _log_failure(request: asyncio.Future[None]) -> None:
    if not request.cancelled() and (error := request.exception()) is not None:
        log.warning("The Data API was not asked about calls: %s: %s", type(error).__name__, error)


def _is_running(request: asyncio.Future[None] | None) -> bool:
    return request is not None and not request.done()
