"""Watch one call in the event loop of Airflow's triggerer, until the wait for it is over."""

from __future__ import annotations

import asyncio

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.watching.poll_interval import LAST_POLL_SECONDS
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import WAIT_ENDS_IN, SessionWatch, Until
from airflow_provider_callapi.event_loop.polls_by_connection import subscribe
from airflow_provider_callapi.observability.log_lines import time_out_watch, update_watch

_LONGEST_PAUSE = 30.0
"""The longest time in seconds for which a wait goes on after its deadline, until the next regular poll.

A trigger must fire before Airflow's own time limit of the deferral, which is a minute after the deadline.
"""


async def watch_call(callapi_conn_id: str, watch: SessionWatch, until: Until, poll_interval: float) -> None:
    """Poll until the wait for a call is over, and update ``watch`` with what the polls show.

    The wait is over when the call is answered or has ended, as ``until`` requires, or at the deadline of
    ``watch``. All waits for calls of one connection share the polls.

    :param callapi_conn_id: id of the Airflow connection.
    :param until: ``answered`` or ``ended``. With ``answered``, the wait also ends if the call ends.
    :param poll_interval: seconds between two polls. Of all waits of a connection, the shortest counts.
    :raises Exception: the polls failed, with a permanent error or too many times in a row.
    """
    async with subscribe(
        callapi_conn_id,
        poll_interval,
        lambda: watch.awaited_answers(until),
        only_call=watch.call_session_id,
        wake_at=watch.deadline,
    ) as next_snapshot:
        try:
            async with asyncio.timeout(_seconds_left(watch, poll_interval)) as limit:
                while watch.phase not in WAIT_ENDS_IN[until]:
                    # Thousands of triggers may wait here. A local variable would keep a snapshot for each.
                    _observe(watch, await next_snapshot(), until)
        except TimeoutError:
            if not limit.expired():
                raise  # a poll's own error
            time_out_watch(watch)


def _observe(watch: SessionWatch, snapshot: Snapshot, until: Until) -> None:
    phase = update_watch(watch, snapshot)
    # A watch reports an answer that it first observes at the deadline, and ends with the next snapshot. The
    # next regular poll would be too late.
    if phase not in WAIT_ENDS_IN[until] and snapshot.at >= watch.deadline:
        time_out_watch(watch)


def _seconds_left(watch: SessionWatch, poll_interval: float) -> float:
    """Return the number of seconds after which the wait ends even without a new snapshot."""
    # Usually, the first snapshot after the deadline ends the wait. If no such snapshot comes, e.g. because a
    # poll hangs, the wait ends when this time is over.
    until_deadline = max(watch.deadline - system_clock.now(), 0.0)
    return until_deadline + min(poll_interval, _LONGEST_PAUSE) + LAST_POLL_SECONDS
