"""Placing a call once: the journal of one call, and the only code that sends a ``start.*``.

A call cannot be taken back and the service has no idempotency key, so the intent is stored before
the request leaves. Whoever finds an intent without a result searches for the call by its
``external_id`` and never simply dials again. ``place`` is the way through this table:

=================  ==================================================================================
the journal says   what the next try does
=================  ==================================================================================
nothing            place the call
starting           search for external_id: found → go on as started; else → unresolved
started            wait for the same session again; never dial
ended              finish what is left (tags, report); never dial
done               return the result again; after a person's clear: a new attempt
unresolved         fail again; after a person's clear: a new attempt
redial             a new attempt: the call was not answered, and the task asked for an answer
=================  ==================================================================================

Proven not to be placed (the service refused it, or nothing was sent) brings the journal back to
"nothing". A journal that tells of another person is no reason not to call this one: a new attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.lost_call import LostCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.calls.tolerance import TOLERANCE

_KEY = "callapi_call"
"""Where a store keeps the record."""

Delivery = Literal["at_most_once", "at_least_once"]


class Stage(StrEnum):
    """How far a call has got, as written down."""

    NOTHING = "nothing"
    STARTING = "starting"
    STARTED = "started"
    ENDED = "ended"
    DONE = "done"
    REDIAL = "redial"
    UNRESOLVED = "unresolved"


class Step(StrEnum):
    """What a try does."""

    DIAL = "place the call"
    DIAL_AGAIN = "place a new attempt"
    SEARCH = "search for the call that may have been placed"
    GO_ON = "go on with the call that was placed; never dial"
    GIVE_UP = "fail: nobody knows whether the call was placed"


_STEPS: dict[tuple[Stage, bool], Step] = {
    (Stage.NOTHING, False): Step.DIAL,
    (Stage.NOTHING, True): Step.DIAL,
    (Stage.STARTING, False): Step.SEARCH,
    (Stage.STARTING, True): Step.SEARCH,
    (Stage.STARTED, False): Step.GO_ON,
    (Stage.STARTED, True): Step.GO_ON,
    (Stage.ENDED, False): Step.GO_ON,
    (Stage.ENDED, True): Step.GO_ON,
    (Stage.DONE, False): Step.GO_ON,
    (Stage.DONE, True): Step.DIAL_AGAIN,
    (Stage.REDIAL, False): Step.DIAL_AGAIN,
    (Stage.REDIAL, True): Step.DIAL_AGAIN,
    (Stage.UNRESOLVED, False): Step.GIVE_UP,
    (Stage.UNRESOLVED, True): Step.DIAL_AGAIN,
}
"""(what the journal says, whether a person has cleared the task since) → what this try does."""


@dataclass(frozen=True)
class Record:
    """What is written down of a call. Plain JSON without a phone number.

    :ivar fingerprint: of the person called, see `fingerprint_of`.
    :ivar generation: grows with every clear by a person.
    :ivar intended_at: when the intent was stored, epoch seconds.
    :ivar call: what is known of the call, from the stage ``started`` on.
    """

    stage: Stage
    fingerprint: str
    generation: int
    attempt: int
    external_id: str
    intended_at: float
    call: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Record:
        return cls(**{**value, "stage": Stage(value["stage"])})

    @property
    def outcome(self) -> Outcome:
        assert self.call is not None, f"a call in stage {self.stage} has no session"
        return Outcome.from_xcom(self.call)


class Unresolved(Exception):
    """Nobody knows whether the call was placed."""

    def __init__(self, external_id: str, cause: str) -> None:
        super().__init__(
            f"{cause}. The call may have been placed, so it is not placed again. Look for external_id "
            f"{external_id} in the account's calls; if it is not there, clear this task to call anew"
        )
        self.external_id = external_id


class Journal:
    """The record of one call, and who reads it.

    :param owner: whose call it is: dag, run, task, map index.
    :param generation: a number that grows with every clear by a person, and only then.
    """

    def __init__(self, store: KeyValueStore, *, owner: tuple[str, ...], generation: int) -> None:
        self.store = store
        self._owner = owner
        self._generation = generation
        stored = store.get(_KEY)
        self.record = Record.from_json(stored) if stored else None

    def fingerprint_of(self, request: StartCall) -> str:
        """Of the person, not of the message: a text rendered anew by a retry is the same call.

        Salted with the owner and cut, so that the number cannot be looked up by it.
        """
        text = "\n".join((*self._owner, request.contact))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def step(self, request: StartCall) -> Step:
        """What this try has to do."""
        if self.record is None:
            return Step.DIAL
        if self.record.fingerprint != self.fingerprint_of(request):
            return Step.DIAL_AGAIN
        return _STEPS[self.record.stage, self._generation != self.record.generation]

    def intend(self, request: StartCall, now: float) -> StartCall:
        """Store the intent of the next attempt; returns the request with its ``external_id``."""
        attempt = self.record.attempt + 1 if self.record else 1
        external_id = self.external_id(request, attempt)
        self._write(
            Record(
                Stage.STARTING,
                self.fingerprint_of(request),
                self._generation,
                attempt,
                external_id,
                intended_at=now,
            )
        )
        return request.model_copy(update={"external_id": external_id})

    def external_id(self, request: StartCall, attempt: int) -> str:
        """The id by which a lost call is found: the same for every try of an attempt.

        The author's own with ``-2``, ``-3`` … from the second attempt on, or a hash of whose call it
        is, at most 64 characters and without a phone number.
        """
        if request.external_id:
            return request.external_id if attempt == 1 else f"{request.external_id}-{attempt}"
        return f"af-{hashlib.sha256('/'.join(self._owner).encode()).hexdigest()[:32]}-{attempt}"

    def refused(self) -> None:
        """The call was proven not to be placed: the next try may place it, as the same attempt."""
        self._advance(Stage.NOTHING, attempt=self.current.attempt - 1)

    def started(self, call_session_id: int, now: float) -> Outcome:
        """The service accepted the call."""
        record = self.current
        call = Outcome(call_session_id, record.external_id, attempt=record.attempt, started_at=now)
        self._advance(Stage.STARTED, call=call.to_xcom())
        return call

    def unresolved(self) -> None:
        """It was searched for and not found."""
        self._advance(Stage.UNRESOLVED)

    def follow(self, call: Outcome) -> None:
        """What has been seen of an active call, so that a later try knows it."""
        self._tell(Stage.STARTED, call)

    def ended(self, call: Outcome) -> None:
        """The call is over, and something may be left to do."""
        self._tell(Stage.ENDED, call)

    def done(self, call: Outcome, *, redial: bool = False) -> None:
        """Nothing is left to do for this attempt; ``redial``: the next try is a new one."""
        self._tell(Stage.REDIAL if redial else Stage.DONE, call)

    @property
    def current(self) -> Record:
        """The record, where there must be one."""
        assert self.record is not None, "nothing was intended"
        return self.record

    def _tell(self, stage: Stage, call: Outcome) -> None:
        """Write down what is known of a call; after a deferral this may be all that a journal knows."""
        if self.record is None:  # it did not outlive the try
            external_id = call.external_id or ""
            self.record = Record(stage, "", self._generation, call.attempt, external_id, 0.0)
        self._advance(stage, call=call.to_xcom())

    def _advance(self, stage: Stage, **changes: Any) -> None:
        self._write(replace(self.current, stage=stage, generation=self._generation, **changes))

    def _write(self, record: Record) -> None:
        self.store.set(_KEY, asdict(record))
        self.record = record


FindReport = Callable[[str, str, float], int | None]


@dataclass(frozen=True)
class CallGateway:
    """How `place` reaches the world.

    :ivar send: sends a ``start.*``, repeating it only where that is proven to be harmless.
    :ivar poll_snapshots: snapshots for as long as they are taken; whoever makes them sleeps between two.
    :ivar find_report: the session id of a call in the Data API by its external_id and contact, searched
        from an epoch time on; None where the connection has no Data API.
    :ivar timezone: IANA name of the account's zone.
    :ivar clock: epoch seconds now.
    :ivar log: told which row of the table is taken, and why.
    """

    send: Callable[[StartCall], StartedCall]
    poll_snapshots: Callable[[], Iterator[Snapshot]]
    find_report: FindReport | None
    timezone: str
    clock: Callable[[], float]
    log: Callable[[str], None]


def place(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    *,
    appear_timeout: float,
    delivery: Delivery = "at_most_once",
    look_first: bool = False,
) -> Outcome:
    """Bring the journal to a call that was placed, dialling at most once for one attempt.

    :param appear_timeout: seconds within which a placed call is listed.
    :param delivery: ``at_least_once`` makes an unresolved call a new attempt, after the same search
        and at most once a try.
    :param look_first: there were tries before that the journal does not know of (it does not
        outlive a try): look for their call before dialling.
    :raises Unresolved: nobody knows whether the call was placed.
    :raises CallApiError: it was proven not to be placed, or cannot be searched for now.
    """
    step = journal.step(request)
    stage = journal.record.stage if journal.record else Stage.NOTHING
    gateway.log(f"The journal says {stage}: {step}")
    if step is Step.GO_ON:
        return journal.current.outcome
    if step is Step.GIVE_UP and delivery == "at_most_once":
        raise Unresolved(journal.current.external_id, "An earlier try got no answer")
    cause = "An earlier try ended before it got an answer"
    # a call that was searched for in vain has had its time: once more, and not for long
    patience = 0.0 if step is Step.GIVE_UP else appear_timeout
    if step in (Step.DIAL, Step.DIAL_AGAIN):
        answer = _dial(journal, request, gateway, look_first=look_first, must_know=delivery == "at_most_once")
        if isinstance(answer, Outcome):
            return answer
        cause = answer
    if call := _search(journal, request, gateway, cause, patience):
        return call
    if delivery == "at_least_once":
        gateway.log(f"{cause}; it was not found, and delivery is at_least_once: {Step.DIAL_AGAIN}")
        answer = _dial(journal, request, gateway)
        if isinstance(answer, Outcome):
            return answer
        cause = answer
        if call := _search(journal, request, gateway, cause, appear_timeout):
            return call
    raise Unresolved(journal.current.external_id, cause)


def _dial(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    *,
    look_first: bool = False,
    must_know: bool = False,
) -> Outcome | str:
    """Place the next attempt; returns why nobody knows whether it was placed, where that is so."""
    intended = journal.intend(request, gateway.clock())
    if look_first and (found := _find(journal.current, request, gateway, appear_by=0.0, must_know=must_know)):
        gateway.log(f"Found call session {found} by its external_id: an earlier try placed it")
        return journal.started(found, gateway.clock())
    try:
        return journal.started(gateway.send(intended).call_session_id, gateway.clock())
    except CallApiError as error:
        if error.maybe_done:
            return str(error)
        journal.refused()
        raise


def _search(
    journal: Journal, request: StartCall, gateway: CallGateway, cause: str, patience: float
) -> Outcome | None:
    """The call of an intent without a result; writes down that it is unresolved where there is none.

    :param patience: seconds to look for it from now on. Not from the intent on: the request may have
        left long after it, when a limit was reset.
    """
    record = journal.current
    gateway.log(f"{cause}: looking for external_id {record.external_id}")
    found = _find(record, request, gateway, appear_by=gateway.clock() + patience, must_know=False)
    if found is None:
        journal.unresolved()
        return None
    gateway.log(f"Found call session {found} by its external_id: it was placed")
    return journal.started(found, gateway.clock())


def _find(
    record: Record, request: StartCall, gateway: CallGateway, *, appear_by: float, must_know: bool
) -> int | None:
    """The session of a call that may have been placed: active now, or in the Data API's report.

    :param must_know: not to be allowed to look does not count as not to find.
    :raises CallApiError: the call was not found, and not everybody could be asked.
    """
    troubles: list[CallApiError] = []
    lost = LostCall(record.external_id, request.contact, record.intended_at, gateway.timezone, appear_by)
    failed = 0
    for snapshot in gateway.poll_snapshots():
        if snapshot.failure is not None:
            failed += 1
            if snapshot.failure.permanent or failed > TOLERANCE.failures:
                troubles.append(snapshot.failure)
                break
            continue
        for session in snapshot.sessions.values():
            if lost.matches(session):
                return session.call_session_id
        failed, lost.misses = 0, lost.misses + 1
        if lost.is_given_up(snapshot.at):
            break
    try:
        if gateway.find_report and (
            found := gateway.find_report(record.external_id, request.contact, record.intended_at)
        ):
            return found
    except CallApiError as error:
        troubles.append(error)
    for trouble in troubles:
        gateway.log(f"Could not look for external_id {record.external_id}: {trouble}")
        if must_know or not trouble.permanent:
            raise trouble
    return None
