"""Chooses the people whom a campaign dials now, and records the replies to the start requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from airflow_provider_callapi.api.errors import (
    AccessDenied,
    AuthenticationFailed,
    CallApiError,
    InvalidParameters,
    LimitExceeded,
    NotSent,
    ProtocolMismatch,
)
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonEvent, PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.engine.watched_calls import WatchedCalls
from airflow_provider_callapi.calls.campaign.engine.zone_queue import ZoneQueues
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import Rules

_RETRY_SECONDS = 30.0
"""Seconds until a person is dialled again, if a start request was not sent or the ledger refused a claim."""


class DialQueue:
    """Chooses whom a campaign calls next, and records the service's answers to the start requests.

    :param personal_fields: names of the start request's parameters whose values differ between people.
    :param new_external_id: a function: (person, number of an attempt) → ``external_id``.
    :ivar do_not_call: the numbers that must not be called; None: unknown, so no one is dialled.
    :ivar paused: who has paused the campaign, as text; None: not paused.
    :ivar stopped: why dialling has stopped, as text; None: not stopped.
    """

    def __init__(
        self,
        index: PersonIndex,
        queues: ZoneQueues,
        progress: AttemptProgress,
        rules: Rules,
        pacing: Pacing,
        *,
        watched_calls: WatchedCalls,
        personal_fields: Container[str],
        new_external_id: Callable[[Person, int], str],
    ) -> None:
        self.pacing = pacing
        self.do_not_call: Container[str] | None = frozenset()
        self.paused: str | None = None
        self.stopped: str | None = None
        self._index = index
        self._queues = queues
        self._progress = progress
        self._watched_calls = watched_calls
        self._rules = rules
        self._personal_fields = personal_fields
        self._new_external_id = new_external_id

    @property
    def active_calls(self) -> int:
        """How many calls are active. An unconfirmed call counts too, because it may be active."""
        open_calls = self._index.count(PersonStage.ACTIVE) + self._index.count(PersonStage.UNCONFIRMED)
        return open_calls + self._watched_calls.returned

    def stop(self, why: str) -> None:
        """Stop dialling; the active calls continue.

        :param why: the reason, as text. If dialling has stopped before, the first reason stays.
        """
        self.stopped = self.stopped or why

    def drop_expired(self, now: float) -> None:
        """Give up the waiting people whom the campaign can no longer call in time.

        Dialling ends at `Rules.dial_until`. The method decides for each time zone separately:

        - If no waiting person of the zone may be called before this time: all waiting people of the zone move
          to the stage ``finished``, and get no call any more.
        - Otherwise: all waiting people of the zone continue to wait.

        :param now: epoch seconds.
        """
        for key in self._queues.clear_from(self._rules.dial_until, now):
            self._index.finish(self._index[key], PersonEvent.EXPIRED)

    def count_late(self, now: float) -> int:
        """Return how many of the waiting people `drop_expired` would give up.

        :param now: epoch seconds.
        """
        return self._queues.count_from(self._rules.dial_until, now)

    def choose(self, now: float) -> list[Attempt]:
        """Choose the people to call now. Return an intent (the record of the next attempt) for each of them.

        A person on the do-not-call list gets no intent and is finished.

        :param now: epoch seconds.
        :return: the intents. Claim each intent in the ledger before you send its start request. Empty: no
            one may be called now, for example because the campaign is paused or stopped, or because the
            do-not-call list is unknown.
        """
        if self.stopped is not None or self.paused is not None:
            return []
        rules = self._rules
        room = min(self.pacing.calls_allowed(now), rules.max_active - self.active_calls, rules.at_once)
        if room <= 0 or self.do_not_call is None:
            return []
        intents: list[Attempt] = []
        for queue in self._queues.open_queues(now):
            while len(intents) < room and (key := queue.take(now)) is not None:
                state = self._index[key]
                if state.person.is_excluded_by(self.do_not_call):
                    was_called = state.result not in (None, Result.CALLED_RECENTLY)
                    self._index.finish(
                        state, PersonEvent.EXCLUDED, state.result if was_called else Result.DO_NOT_CALL
                    )
                else:
                    intents.append(self._intend(state, now))
        return intents

    def _intend(self, state: PersonState, now: float) -> Attempt:
        last = state.attempt
        if last is None:
            number, unrung = 1, 0
        elif last.status is Status.NOT_PLACED:
            number, unrung = last.attempt, last.unrung
        else:
            number, unrung = last.attempt + 1, last.unrung + last.rang_no_phone
        external_id = self._new_external_id(state.person, number)
        intent = Attempt(
            state.person.key, number, Status.DIALLING, external_id, intended_at=now, unrung=unrung
        )
        if state.result is Result.CALLED_RECENTLY:
            state.result = None
        if last is not None and last.call is not None:
            state.earlier_session = last.call.call_session_id
        self._index.move(state, PersonEvent.CHOSEN, intent)
        return intent

    def person_of(self, intent: Attempt) -> Person:
        """Return the person to whom an intent belongs.

        An intent is the stored record of the next attempt to call the person.
        """
        return self._index[intent.person].person

    def may_dial(self, intent: Attempt, now: float) -> bool:
        """Return whether the person of a claimed intent may still be dialled.

        A claim takes time, above all if this process was suspended. The result is False in these cases:

        - Meanwhile, the person's calling window has closed, `Rules.dial_until` has come, or dialling was
          stopped.
        - The intent is at least ``absence_proven_after`` seconds old. Another process may have decided that
          the intent's call was never placed, and may have dialled the person.

        :param now: epoch seconds.
        """
        person = self.person_of(intent)
        if now >= intent.intended_at + (self._rules.absence_proven_after or NEVER):
            return False
        return self.stopped is None and now < self._rules.dial_until and self._queues.is_open(person, now)

    def record_refused_claim(self, intent: Attempt, claim: ClaimResult, now: float) -> list[Attempt]:
        """Record that the ledger refused to reserve the next attempt. The person must not be dialled now.

        - If ``claim.held`` is an attempt: the campaign continues with this attempt of another process.
        - If ``claim.not_before`` is a time: the person waits until this time. If the person has no result
          yet, the result is `Result.CALLED_RECENTLY` until the person is dialled.
        - Otherwise: the person waits 30 seconds.

        If dialling ends before the wait is over, the person is finished.

        :param intent: the record of the next attempt to call the person.
        :param claim: the ledger's answer to the request to reserve the attempt.
        :param now: epoch seconds.
        :return: the attempts to store in the ledger: the new version of ``claim.held``, or none.
        """
        state = self._index[intent.person]
        if claim.held is not None:
            return self._progress.adopt(state, claim.held, now)
        if claim.not_before is not None:
            state.result = state.result or Result.CALLED_RECENTLY
        not_before = claim.not_before or now + _RETRY_SECONDS
        if not_before >= self._rules.dial_until:
            self._index.finish(state, PersonEvent.EXPIRED)
        else:
            self._progress.put_back(state, intent, not_before)
        return []

    def put_back(self, intent: Attempt, due: float) -> Attempt:
        """Put the person of an intent back into the queue, because the call was certainly not placed.

        :param due: epoch seconds. The person is not dialled before this time.
        :return: the changed attempt, to store in the ledger.
        """
        return self._progress.put_back(self._index[intent.person], intent, due)

    def record_answer(self, intent: Attempt, answer: StartedCall | CallApiError, now: float) -> Attempt:
        """Record the service's answer to a start request. Return the changed attempt, for the ledger.

        - The call was placed: the campaign watches the call.
        - The request got no answer, or the answer has the session id of another person's call or of the
          person's call before: the campaign searches for the unconfirmed call.
        - The request was not sent, or the account lacks points: the person returns to the queue.
        - The service would refuse every call: dialling stops, and the person returns to the queue.
        - The service refuses only this person's call: the attempt is over.

        :param answer: the placed call, or the error.
        :param now: epoch seconds.
        """
        state = self._index[intent.person]
        if isinstance(answer, StartedCall) and not self._is_known(answer.call_session_id, state):
            return self._progress.place(state, answer.call_session_id, now, now)
        # a session that is known already proves as little as no answer
        if isinstance(answer, StartedCall) or answer.maybe_done:
            return self._progress.leave_unconfirmed(state, now)
        if isinstance(answer, LimitExceeded):
            self.pacing.record_limit_exceeded(answer, now)
            return self.put_back(intent, now)
        if isinstance(answer, NotSent):
            return self.put_back(intent, now + _RETRY_SECONDS)
        if self._concerns_everybody(answer):
            self.stop(f"{answer}{self._row_of(state.person, answer)}")
            return self.put_back(intent, now)
        result = Result.INVALID if isinstance(answer, InvalidParameters) else Result.REFUSED
        return self._progress.refuse(state, result, getattr(answer, "mnemonic", None), now)

    def _is_known(self, call_session_id: int, state: PersonState) -> bool:
        """Return whether the session is another person's call, or the person's call before."""
        return (
            call_session_id == state.earlier_session or self._index.with_session(call_session_id) is not None
        )

    def _concerns_everybody(self, error: CallApiError) -> bool:
        """Return whether the service would refuse every person's call with this error."""
        if isinstance(error, InvalidParameters):
            # The service names one field, such as contact_message.value, or several: [contact, scenario_id].
            named = {path.partition(".")[0] for path in re.findall(r"[\w.]+", error.field or "")}
            return not named or not all(name in self._personal_fields for name in named)
        return isinstance(error, AuthenticationFailed | AccessDenied | ProtocolMismatch)

    def _row_of(self, person: Person, error: CallApiError) -> str:
        # The row of the list helps to find an invalid parameter that the service has not named.
        # Otherwise, an empty text.
        unnamed = isinstance(error, InvalidParameters) and not error.field
        return f" (row {person.line} of the list)" if unnamed else ""

    def next_dial(self, now: float) -> tuple[float, str]:
        """Return (time, reason): when to look for the next person to dial, and what dialling waits for.

        The time is in epoch seconds. If no person will be dialled, it is infinity or the end of the campaign.
        If all lines are busy, it is ``now``, and the reason is ``an active call to end``.

        The reason is a text, such as ``the calling hours``. If it is empty, dialling waits for nothing, and
        goes on at its normal pace.

        :param now: epoch seconds.
        """
        has_nobody = self.stopped is not None or not self._queues
        if has_nobody or self.paused is not None:
            return NEVER, "the end of the active calls" if has_nobody else f"a resume: {self.paused}"
        due = self._queues.next_at(now)
        if due >= self._rules.dial_until:
            return self._rules.dial_until, "the end of the campaign: no calling hours open before it"
        if due > now:
            shut = not self._queues.open_queues(now)
            return due, "the calling hours" if shut else "the next redial"
        if self.do_not_call is None:
            return now + _RETRY_SECONDS, "the do_not_call list, which cannot be read"
        if self.active_calls >= self._rules.max_active:
            return now, "an active call to end"
        return self.pacing.next_slot(now)
