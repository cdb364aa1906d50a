"""The functions through which a task with one call reaches the services, the clock and the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


@dataclass(frozen=True)
class CallGateway:
    """The functions through which `place` reaches the services and the task's log.

    Times are epoch seconds. Without the Data API, ``find_reported_call`` and ``reported_calls`` are None.

    :ivar send: takes a start request, and a function without parameters. Sends the request. Repeats it only
        if the service certainly did not carry it out. Calls the function before each send, and sends nothing
        if the function raises an exception. Raises `OutsideCallingHours` and sends nothing if the contact may
        not be called now. Raises `Killed` and sends nothing if the task was killed.
    :ivar poll_snapshots: polls without end, yields a snapshot after each poll, and sleeps between two polls.
        May raise `Killed` instead of the next poll.
    :ivar find_reported_call: takes the ``external_id``, the contact and the earliest start time of a call,
        and the session ids of other calls. Returns the session id of this call. None: the Data API does not
        report the call.
    :ivar reported_calls: takes a time. Returns the Data API's reports of all calls that began later, both
        active and finished.
    :ivar timezone: returns the IANA name of the account's time zone. May ask the Data API.
    :ivar clock: returns the current time.
    :ivar log: takes a line for the task's log.
    :ivar warn: takes a warning for the task's log.
    """

    send: Callable[[StartCall, Callable[[], object]], StartedCall]
    poll_snapshots: Callable[[], Iterator[Snapshot]]
    find_reported_call: Callable[[str, str, float, Collection[int]], int | None] | None
    reported_calls: Callable[[float], Entries[CallReport]] | None
    timezone: Callable[[], str]
    clock: Callable[[], float]
    log: Callable[[str], None]
    warn: Callable[[str], None]
