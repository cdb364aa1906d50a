"""The journal of one task's call: what is stored about the call, and what follows for the task's next try.

Before a task sends a start request, the journal stores an intent. If a later try finds an intent without a
known call, a second start request could place a second call. So the try searches for the call by its
``external_id``. The function `placing.place` follows this table:

=================  ====================================================================================
journal stage      what the next try does
=================  ====================================================================================
nothing            place the call
starting           search for external_id: if found, continue as started; else the call is unresolved
started            wait for the same session again; never dial
ended              finish what is left (tags, report); never dial
done               return the result again; after a user clears the task: place a new attempt
unresolved         fail again; after a user clears the task: place a new attempt
redial             place a new attempt: the last one was not answered, and the task requires an answer
=================  ====================================================================================

There are four exceptions. The author can choose the first two:

- ``delivery="at_least_once"``: if a call is unresolved, the try places one new attempt. If this attempt is
  unresolved, too, the try fails.
- ``absence_proven_after``: if it is proven that an unconfirmed call was never placed, the try places the same
  attempt again.
- The service refused the start request, or the request was not sent: the stage is "nothing" again.
- The contact of the task has changed: the table applies to the new person, with a record of its own. If the
  contact changes back, the record of the first person counts again. The journal recognises a person by a
  fingerprint, made with a secret key. If this key is gone, a call counts as a call to the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT, Deployment
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY, Record, Stage
from airflow_provider_callapi.calls.stores import KeyValueStore


class Step(StrEnum):
    """What a try of a task does next, according to the journal. The task log shows the values."""

    DIAL = "placing the call"
    DIAL_AGAIN = "placing a new call"
    SEARCH = "searching for the call"
    ADOPT = "continuing with the call, without dialling"
    GIVE_UP = "failing, because it is unknown whether the call was placed"


DIALLING_STEPS = (Step.DIAL, Step.DIAL_AGAIN)
"""The steps in which a try places a new attempt, and does not search for an earlier one."""

_STEPS: dict[tuple[Stage, bool], Step] = {
    (Stage.NOTHING, False): Step.DIAL,
    (Stage.NOTHING, True): Step.DIAL,
    (Stage.STARTING, False): Step.SEARCH,
    (Stage.STARTING, True): Step.SEARCH,
    (Stage.STARTED, False): Step.ADOPT,
    (Stage.STARTED, True): Step.ADOPT,
    (Stage.ENDED, False): Step.ADOPT,
    (Stage.ENDED, True): Step.ADOPT,
    (Stage.DONE, False): Step.ADOPT,
    (Stage.DONE, True): Step.DIAL_AGAIN,
    (Stage.REDIAL, False): Step.DIAL_AGAIN,
    (Stage.REDIAL, True): Step.DIAL_AGAIN,
    (Stage.UNRESOLVED, False): Step.GIVE_UP,
    (Stage.UNRESOLVED, True): Step.DIAL_AGAIN,
}
"""(journal stage, whether a user has cleared the task since that stage) → what the next try does."""

_HISTORIES: dict[Stage, str] = {
    Stage.NOTHING: "An earlier try placed no call",
    Stage.STARTING: "An earlier try may have placed the call",
    Stage.STARTED: "An earlier try placed the call",
    Stage.ENDED: "An earlier try placed the call, which has ended",
    Stage.DONE: "The call of an earlier try is finished",
    Stage.REDIAL: "The contact did not answer the last call",
    Stage.UNRESOLVED: "An earlier search did not find the call",
}
"""Journal stage → what the task log says of earlier tries."""


class Journal:
    """The stored record of the attempts of one task to call one person. An attempt ends with an outcome.

    A method that changes the record returns only after the change is stored.

    :param store: where the record is kept for the later tries of the task.
    :param owner: dag id, run id, task id and map index of the task.
    :param clears: shows whether a user has cleared the task since a stage was stored.
    :param connection: id of the Airflow connection of this try. None: not known.
    :param deployment: the Airflow deployment of the task.
    :param record_is_lost: True: Airflow has deleted the record of earlier attempts. The new attempts then get
        other ids, so that a search does not take a call of an earlier attempt for the new call.
    :ivar calls_of_others: a function that takes the start request, and returns the session ids of calls that
        other journals of the task contain. The result contains at least the calls to the same person. A
        search for an unconfirmed call ignores these calls.
    """

    def __init__(
        self,
        store: KeyValueStore,
        *,
        owner: tuple[str, ...],
        clears: Clears,
        connection: str | None = None,
        deployment: Deployment = NO_DEPLOYMENT,
        record_is_lost: bool = False,
        calls_of_others: Callable[[StartCall], Collection[int]] = lambda request: (),
    ) -> None:
        self.store = store
        self.calls_of_others = calls_of_others
        self._connection = connection
        self._deployment = deployment
        self._owner = owner
        self._clears = clears
        self._record_is_lost = record_is_lost
        stored = store.get(RECORD_KEY)
        self.record = Record.from_json(stored).without_unplaced_attempt() if stored else None

    @property
    def current(self) -> Record:
        """The stored record of the task's call. Use this property only after an intent was stored."""
        assert self.record is not None, "no intent was stored"
        return self.record

    def turn_to(self, contact: str) -> None:
        """Continue with the record of a person whom an earlier try has called, or may have called.

        If there is no record of this person, or it is the newest record, change nothing. Use this method at
        the beginning of a try, because a template may give another contact in each try.

        :param contact: the person's number.
        """
        if self.record is None or self.is_of(contact) is not False:
            return
        for record in self.record.earlier:
            if self._is_person(record.fingerprint, contact) is not False:
                others = [each for each in self.record.of_all_people if each is not record]
                self._store(replace(record.without_unplaced_attempt(), earlier=tuple(others)))
                return

    def next_step(self, request: StartCall) -> Step:
        """Return what a try of the task must do next, e.g. `Step.DIAL` to place the call.

        The step depends on three things: the stored stage, whether the request calls the same person as the
        stored call, and whether a user has cleared the task since the stage was stored. The method does not
        change the journal.

        :param request: the start request of the try.
        """
        if self.record is None:
            return Step.DIAL
        if self.is_of(request.contact) is False:
            return Step.DIAL_AGAIN
        return _STEPS[self.record.stage, self._clears.since(self.record.clears)]

    def connection_conflict(self, step: Step, *, dials_again: bool) -> str | None:
        """Return why this try cannot continue: it would search for an earlier call in another account.

        This is so if the earlier try placed the call through another Airflow connection.

        :param step: what this try does next, see `next_step`.
        :param dials_again: True: if the call is unconfirmed, this try may place it again, so it can continue
            with any connection.
        :return: the reason, as text for an error message. None: the try can continue.
        """
        record = self.record
        if record is None or step in DIALLING_STEPS or record.stage is Stage.DONE:
            return None
        if record.connection in (None, self._connection) or (record.call is None and dials_again):
            return None
        return (
            f"callapi_conn_id: {record.describe_call()} through connection {record.connection}, and the "
            f"account of connection {self._connection} may not show this call. Restore the value and clear "
            "this task, or start another DAG run"
        )

    def is_of(self, contact: str) -> bool | None:
        """Return whether the journal's call is a call to the phone number ``contact``.

        - False: the journal contains a call to another person, or no call.
        - None: unknown, because the deployment no longer has the secret key of the stored fingerprint (a
          hash).
        """
        return False if self.record is None else self._is_person(self.record.fingerprint, contact)

    def _is_person(self, fingerprint: str, contact: str) -> bool | None:
        return self._deployment.is_fingerprint_of(fingerprint, *self._owner, contact_key(contact))

    def describe(self, request: StartCall) -> str:
        """Return what the journal knows of earlier tries, e.g. ``An earlier try placed the call``.

        The text shows why a try dials, e.g. that a user has cleared the task. If the journal contains no
        call, return ``First attempt``.

        :param request: the start request of the try.
        """
        if self.record is None:
            return "First attempt"
        if self.is_of(request.contact) is False:
            if self.record.stage in (Stage.STARTING, Stage.UNRESOLVED):
                return (
                    "An earlier try may have called another person, and no try searches for this call "
                    f"(external_id {self.record.external_id})"
                )
            return "The call of an earlier try was to another person"
        text = _HISTORIES[self.record.stage]
        if self.record.stage is not Stage.REDIAL and self.next_step(request) is Step.DIAL_AGAIN:
            return f"{text}, and a user has cleared this task"
        return text

    def person_fingerprint(self, request: StartCall) -> str:
        """Return a fingerprint (a shortened hash) of the task and of the phone number in a start request.

        A later try compares fingerprints to find out whether its request calls the same person. The message
        is not in the hash, because a later try may have another message for the same person. In a SIP number,
        upper and lower case are equal.

        The hash has a secret key, see `Deployment.fingerprint`.
        """
        return self._deployment.fingerprint(*self._owner, contact_key(request.contact))

    def external_id(self, request: StartCall, attempt: int) -> str:
        """Return the ``external_id`` of an attempt. The id is the same in each retry of the task.

        - If the author chose an ``external_id``: the first attempt uses it, and the next attempts add ``-2``,
          ``-3`` ….
        - Otherwise: ``af-<32 hexadecimal digits>-<number of the attempt>``. The digits are a hash of the
          deployment and the task. If Airflow has deleted the record of earlier attempts, each clear of the
          task changes the digits, so that the id of an old call is not used again.

        :param request: the start request. Its ``external_id`` is the one that the author chose, or None.
        :param attempt: the number of the attempt; the first is 1.
        """
        if request.external_id:
            return request.external_id if attempt == 1 else f"{request.external_id}-{attempt}"
        clear = [f"clear {self._clears.generation}"] if self._record_is_lost else []
        scope = self._deployment.scope("/".join(self._owner), *clear)
        return f"af-{hashlib.sha256(scope.encode()).hexdigest()[:32]}-{attempt}"

    @property
    def next_attempt(self) -> int:
        """The number of the attempt that the next intent gets; 1 if no intent was stored yet."""
        return 1 + max((each.attempt for each in self.record.of_all_people), default=0) if self.record else 1

    @property
    def placed_sessions(self) -> frozenset[int]:
        """The session ids of the calls that the journal contains."""
        records = self.record.of_all_people if self.record else ()
        return frozenset(int(each.call["call_session_id"]) for each in records if each.call)

    def store_intent(self, request: StartCall, now: float, others: tuple[int, ...] = ()) -> StartCall:
        """Store the intent of the next attempt. Use this method before you send the attempt's start request.

        :param request: the start request. Its ``external_id`` is the one that the author chose, or None.
        :param now: the present time, epoch seconds.
        :param others: session ids of other tasks' active calls with the same ``external_id`` and contact. A
            search for this task's unconfirmed call ignores them.
        :return: the request with the ``external_id`` of the attempt. Send this request.
        """
        attempt = self.next_attempt
        external_id = self.external_id(request, attempt)
        earlier: tuple[Record, ...] = ()
        before: Record | None = None
        if self.record is not None:
            is_same_person = self.is_of(request.contact) is not False
            earlier = self.record.earlier if is_same_person else self.record.of_all_people
            before = self._unresolved_record() if is_same_person else None
        self._store(
            Record(
                Stage.STARTING,
                self.person_fingerprint(request),
                attempt=attempt,
                external_id=external_id,
                intended_at=now,
                others=others,
                connection=self._connection,
                before=before,
                earlier=earlier,
                **asdict(self._clears),
            )
        )
        return request.model_copy(update={"external_id": external_id})

    def _unresolved_record(self) -> Record | None:
        """Return the record of the newest attempt whose call is unresolved, for `Record.before`."""
        record = self.current
        is_cleared = self._clears.since(record.clears)  # a user has decided to call again
        return replace(record, earlier=()) if record.stage is Stage.UNRESOLVED and not is_cleared else None

    def mark_not_placed(self) -> None:
        """Store that the call was certainly not placed. The next attempt gets the same ordinal number.

        If the attempt before may have been placed, its record is the current one afterwards.
        """
        self._store_stage(Stage.NOTHING, attempt=self.current.attempt - 1)
        self.record = self.current.without_unplaced_attempt()

    def mark_missing(self, now: float) -> float:
        """Store that a search for the unconfirmed call has ended without finding it.

        The journal keeps the time of the first unsuccessful search of the attempt. If it already has this
        time, the method changes nothing.

        :param now: the present time, epoch seconds.
        :return: when the first unsuccessful search of the attempt ended, epoch seconds.
        """
        missing_since = self.current.missing_since
        if missing_since is None:
            missing_since = now
            self._store(replace(self.current, missing_since=now))
        return missing_since

    def mark_started(
        self,
        call_session_id: int,
        started_at: float,
        *,
        contact_first: bool = False,
        attempt: Record | None = None,
    ) -> Outcome:
        """Store that the service accepted the call, and return the call's outcome so far.

        :param contact_first: see `Outcome`.
        :param attempt: one of the current record's ``unconfirmed``: the attempt that has placed the call.
            None: the newest attempt.
        :param started_at: when the call started, epoch seconds. If the answer to the start request was lost,
            and a search has found the call: when the intent was stored.
        """
        attempt = attempt or self.current
        call = Outcome(
            call_session_id,
            attempt.external_id,
            attempt=attempt.attempt,
            started_at=started_at,
            contact_first=contact_first,
        )
        # The newest attempt keeps its number, so that no later attempt gets its external_id.
        self._store_stage(Stage.STARTED, call=call.to_xcom(), external_id=attempt.external_id, before=None)
        return call

    def mark_unresolved(self) -> None:
        """Store that a search did not find the call, so it is unknown whether the call was placed."""
        self._store_stage(Stage.UNRESOLVED)

    def mark_active(self, call: Outcome) -> None:
        """Store the outcome so far of an active call. Later tries of the task continue from this outcome."""
        self._store_call(Stage.STARTED, call)

    def mark_ended(self, call: Outcome) -> None:
        """Store that the call has ended.

        The call may still have to be tagged, and its report may have to be fetched.
        """
        self._store_call(Stage.ENDED, call)

    def mark_done(self, call: Outcome, *, redial: bool = False) -> None:
        """Store the final outcome of the newest attempt. The attempt is done.

        :param redial: whether the next try places a new attempt, because the contact did not answer.
        """
        self._store_call(Stage.REDIAL if redial else Stage.DONE, call)

    def _store_call(self, stage: Stage, call: Outcome) -> None:
        if self.record is None:  # after a deferral, a store that ends with the process has lost the record
            external_id = call.external_id or ""
            self.record = Record(stage, "", self._clears.generation, call.attempt, external_id, 0.0)
        self._store_stage(stage, call=call.to_xcom())

    def _store_stage(self, stage: Stage, **changes: Any) -> None:
        self._store(replace(self.current, stage=stage, **asdict(self._clears), **changes))

    def _store(self, record: Record) -> None:
        self.store.set(RECORD_KEY, record.to_json())
        self.record = record
