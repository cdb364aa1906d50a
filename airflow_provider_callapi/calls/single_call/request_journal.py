"""Send a control request at most once in all tries of a task.

Some control requests ring a phone or play a sound, for example ``make.call`` and ``send.dtmf``. The journal
stores a stage before and after the request. The stage decides what the next try does:

=======  ==============================================================================
stage    what the next try does
=======  ==============================================================================
nothing  send the request: the service has certainly not carried out the request yet
sending  fail: the service may have carried out the request
done     return the result again
=======  ==============================================================================

If a user has cleared the task, or if the task now controls a different call, the next try sends the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import SessionRequest
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.stores import KeyValueStore

_RECORD_KEY = "callapi_request"
"""The key under which a journal stores its record."""


class MaybeCarriedOut(Exception):
    """An earlier try of the task may have sent the control request. The effect of the request is unknown."""


@dataclass(frozen=True)
class RequestJournal:
    """The stored record of one task's control request, such as ``send.dtmf``.

    :ivar store: keeps the record for the later tries of the task.
    :ivar clears: shows whether a user has cleared the task since the record was stored.
    """

    store: KeyValueStore
    clears: Clears

    def send_once(self, request: SessionRequest, send: Callable[[Callable[[], None]], Done]) -> Done:
        """Send a control request at most once in all tries of the task, and return the answer.

        If an earlier try has stored the answer to the same request, nothing is sent. A request is the same if
        its API method and its call are the same, and no user has cleared the task after that try.

        :param send: a function that sends the request and returns the answer. It may send the request again
            if the service certainly has not carried it out. Its parameter is a function that stores the stage
            ``sending``; ``send`` must call this function each time before it sends the request.
        :return: the answer to the request, new or stored.
        :raises MaybeCarriedOut: an earlier try may have sent the same request. The request is not sent again.
        :raises CallApiError: the request failed.
        """
        same = {"method": request.method, "call_session_id": request.call_session_id}
        about = {**same, **asdict(self.clears)}
        record: dict[str, Any] = self.store.get(_RECORD_KEY) or {}
        is_same = all(record.get(name) == value for name, value in same.items()) and not self.clears.since(
            Clears.of(record)
        )
        if is_same and record["stage"] == "done":
            return Done(success=True, already=record["already"])
        if is_same and record["stage"] == "sending":
            raise MaybeCarriedOut
        try:
            # What fails before the send, such as the read of a connection, sends nothing.
            done = send(lambda: self.store.set(_RECORD_KEY, {**about, "stage": "sending"}))
        except CallApiError as error:
            if not error.maybe_done:
                self.store.set(_RECORD_KEY, {**about, "stage": "nothing"})
            raise
        self.store.set(_RECORD_KEY, {**about, "stage": "done", "already": done.already})
        return done
