"""Polls the active calls of an account for a hook, until a call is answered or has ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.watching.absence_history import AbsenceHistory
from airflow_provider_callapi.calls.watching.answer_witness import AnswerWitness
from airflow_provider_callapi.calls.watching.end_witness import EndWitness
from airflow_provider_callapi.calls.watching.host_snapshots import HostSnapshots, private_folder
from airflow_provider_callapi.calls.watching.poll_interval import LAST_POLL_SECONDS
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.calls.watching.watch import WAIT_ENDS_IN, Phase, SessionWatch, Until
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource
from airflow_provider_callapi.observability.log_lines import update_watch

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.api.client import Client


class Polls:
    """Polls the active calls of one account, and asks the Data API about the calls for which a task waits.

    The methods with the same names in `CallApiHook` explain the parameters and errors.

    :param client: a client of the Call API.
    :param data_api: the Data API as a second source. None: the connection does not use the Data API.
    :param warn: a function that logs a warning: a text with placeholders, and the values.
    :param clock: a function that returns the current time, epoch seconds.
    :param sleep: a function that sleeps for a number of seconds.
    """

    def __init__(
        self,
        client: Client,
        data_api: WitnessSource | None,
        *,
        warn: Callable[..., object],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._data_api = data_api
        self._warn = warn
        self._clock = clock
        self._sleep = sleep
        self._absences = AbsenceHistory()

    @cached_property
    def answer_witness(self) -> AnswerWitness | None:
        """The object that asks the Data API which contacts have picked up. None: there is no Data API."""
        # On some accounts, only the Data API shows that a contact has picked up.
        return None if self._data_api is None else AnswerWitness(self._data_api)

    @cached_property
    def _end_witness(self) -> EndWitness | None:
        """The object that asks the Data API whether a call that ``list.calls`` no longer shows has ended."""
        return None if self._data_api is None else EndWitness(self._data_api)

    def take_snapshot(self, awaited: Collection[int] = (), *, time_limit: float = math.inf) -> Snapshot:
        """Poll the active calls once, and return the snapshot."""
        return self._absences.extend(self._poll(awaited, time_limit=time_limit))

    def _poll(self, awaited: Collection[int] = (), *, time_limit: float) -> Snapshot:
        """Poll once. The snapshot lacks what earlier polls have shown about missing calls."""
        snapshot = take_snapshot(self._client, self._clock, time_limit=time_limit)
        if snapshot.failure:
            self._warn("Polling the active calls failed: %s", snapshot.failure)
        witness = self.answer_witness
        if witness is None:
            return snapshot
        has_time = time_limit > LAST_POLL_SECONDS
        if has_time and (calls := witness.due(snapshot, awaited)):
            witness.ask(calls, snapshot.at)
        return replace(snapshot, answered=witness.answered_in(snapshot))

    def poll_snapshots(
        self,
        poll_interval: float,
        *,
        awaited: Callable[[], Collection[int]] = tuple,
        until: float = math.inf,
    ) -> Iterator[Snapshot]:
        """Poll the active calls in an endless loop, and yield the result of each poll as a snapshot."""
        while True:
            snapshot = self.take_snapshot(awaited(), time_limit=self._time_limit(until))
            yield snapshot
            self._sleep(max(min(snapshot.pause(poll_interval), until - self._clock()), 0.0))

    def watch_session(
        self,
        watch: SessionWatch,
        *,
        until: Until,
        poll_interval: float,
        shared_name: str,
        after_each_poll: Callable[[], object] = lambda: None,
    ) -> Phase:
        """Poll the active calls until one call is answered or has ended, or until the watch's deadline.

        :param shared_name: a file name that stands for the account. The tasks of this host that wait for the
            ends of calls of this account share their polls through files with this name.
        """
        for snapshot in self._snapshots_for(watch, until, poll_interval, shared_name):
            after_each_poll()
            if self.observe(watch, snapshot) in WAIT_ENDS_IN[until]:
                break
        return watch.phase

    def observe(self, watch: SessionWatch, snapshot: Snapshot) -> Phase:
        """Update the watch of a call with a snapshot, and return the call's phase."""
        if self._end_witness is not None:
            snapshot = self._end_witness.extend(snapshot, watch.awaited_end(snapshot))
        return update_watch(watch, snapshot)

    def _snapshots_for(
        self, watch: SessionWatch, until: Until, poll_interval: float, shared_name: str
    ) -> Iterator[Snapshot]:
        """Poll the active calls in an endless loop, and yield each snapshot.

        If ``until`` is ``ended``, this host's tasks on the same account can share polls.
        """
        # Only tasks on this host that use the same account share polls. Without a private folder, none do.
        folder = private_folder() if until == "ended" else None
        if folder is None:
            return self.poll_snapshots(
                poll_interval, awaited=lambda: watch.awaited_answers(until), until=watch.deadline
            )
        shared = HostSnapshots(
            folder,
            shared_name,
            call_session_id=watch.call_session_id,
            interval=poll_interval,
            take_snapshot=lambda: self._poll(time_limit=self._time_limit(watch.deadline)),
            until=watch.deadline,
            clock=self._clock,
        )
        return shared.poll(self._sleep)

    def _time_limit(self, until: float) -> float:
        """Return how many seconds a poll may take if the wait ends at ``until``, epoch seconds."""
        return max(until - self._clock(), LAST_POLL_SECONDS)
