"""Moves a person to the next stage of a campaign, for example when the person's call has ended.

The public methods return the person's attempt as it is after the move. The code that uses these methods
stores the returned attempts in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonEvent, PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.engine.redial import redial_time
from airflow_provider_callapi.calls.campaign.engine.tag_plan import TagPlan
from airflow_provider_callapi.calls.campaign.engine.zone_queue import ZoneQueues
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result, result_of
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.watch import SessionWatch

_ADOPTION_EVENTS: dict[Status, PersonEvent] = {
    Status.DIALLING: PersonEvent.UNANSWERED,
    Status.NOT_PLACED: PersonEvent.NOT_PLACED,
    Status.ACTIVE: PersonEvent.PLACED,
    Status.ENDED: PersonEvent.ENDED,
    Status.FINISHED: PersonEvent.COMPLETED,
}


class AttemptProgress:
    """Moves a person of a campaign to the next stage, such as ``active`` or ``report_due``.

    The class also creates the data of the new stage, such as the deadline for the report of the call.

    :param index: all people of the campaign.
    :param queues: the queues of people who wait for a call.
    """

    def __init__(self, index: PersonIndex, queues: ZoneQueues, rules: Rules, tag_plan: TagPlan) -> None:
        self._index = index
        self._queues = queues
        self._rules = rules
        self._tag_plan = tag_plan
        self._on_entry: dict[PersonStage, Callable[[PersonState, float], None]] = {
            PersonStage.UNCONFIRMED: self._begin_search,
            PersonStage.ACTIVE: self._begin_watch,
            PersonStage.REPORT_DUE: self._await_report,
            PersonStage.TAGS_DUE: self._await_tags,
            PersonStage.ATTEMPT_OVER: self._redial_or_finish,
        }

    def adopt(self, state: PersonState, held: Attempt, now: float) -> list[Attempt]:
        """Continue with an attempt that an earlier try of the task, or another process, has stored.

        For example, the campaign then watches an active call, or searches for an unconfirmed call.

        :param state: the person whom the attempt calls.
        :param held: the person's newest attempt in the ledger.
        :param now: epoch seconds.
        :return: a list with the changed attempt, to store in the ledger. Empty: the attempt is unchanged.
        """
        if state.stage is not PersonStage.PLANNED:
            self._index.move(state, PersonEvent.TAKEN_OVER)
        event = _ADOPTION_EVENTS[held.status]
        if event is PersonEvent.NOT_PLACED:
            adopted = self.put_back(state, held, now)
        else:
            if event is PersonEvent.ENDED and held.result is not None:
                event = PersonEvent.RESULT_KNOWN
            adopted = self._advance(state, event, held, now)
        return [] if adopted == held else [adopted]

    def put_back(self, state: PersonState, attempt: Attempt, due: float) -> Attempt:
        """Put a person back into the queue after a call that was not placed. Return the changed attempt.

        The next call to the person gets the number of the attempt that was not placed.

        :param due: epoch seconds. The person is not dialled before this time.
        """
        return self._wait_again(state, PersonEvent.NOT_PLACED, attempt, due)

    def place(self, state: PersonState, call_session_id: int, started_at: float, now: float) -> Attempt:
        """Record that the service has placed a call, and begin to watch the call. Return the changed attempt.

        :param started_at: when the call started, epoch seconds.
        :param now: epoch seconds.
        """
        attempt = state.current_attempt
        call = Outcome(call_session_id, attempt.external_id, attempt=attempt.attempt, started_at=started_at)
        return self._advance(state, PersonEvent.PLACED, attempt.with_status(Status.ACTIVE, call=call), now)

    def leave_unconfirmed(self, state: PersonState, now: float) -> Attempt:
        """Record that a person's call is unconfirmed, and begin to search for it. Return the attempt.

        A call is unconfirmed if its start request got no answer: it is unknown whether the service placed the
        call.
        """
        return self._advance(state, PersonEvent.UNANSWERED, state.current_attempt, now)

    def refuse(self, state: PersonState, result: Result, refused_with: str | None, now: float) -> Attempt:
        """Finish a person's attempt, because the service refused the call. Return the changed attempt.

        :param result: the result of the attempt.
        :param refused_with: the name of the error with which the service refused the call; None: the error
            has no name.
        :param now: epoch seconds.
        """
        refused = state.current_attempt.with_status(
            Status.FINISHED, result=result, result_known_at=now, refused_with=refused_with
        )
        return self._advance(state, PersonEvent.REFUSED, refused, now)

    def put_back_absent(self, state: PersonState, now: float) -> Attempt:
        """Put a person back into the queue, because the person's unconfirmed call was never placed.

        The next call to the person gets the attempt number of the unconfirmed call.

        :param now: epoch seconds.
        :return: the changed attempt.
        """
        return self._wait_again(state, PersonEvent.ABSENT, state.current_attempt, now)

    def leave_unresolved(self, state: PersonState, now: float) -> Attempt:
        """Finish the attempt of a person whose unconfirmed call was not found. Return the changed attempt.

        The attempt gets the result ``unresolved``: it is unknown whether the service placed the call.

        :param now: epoch seconds.
        """
        unresolved = state.current_attempt.with_status(
            Status.FINISHED, result=Result.UNRESOLVED, result_known_at=now
        )
        return self._advance(state, PersonEvent.UNRESOLVED, unresolved, now)

    def end(self, state: PersonState, call: Outcome, now: float) -> Attempt:
        """Record that a person's call is over. Return the changed attempt.

        The campaign then waits for the Data API's report of the call. Without a Data API, the campaign
        derives the result from ``call`` at once.

        :param call: what is known of the call.
        :param now: epoch seconds.
        """
        ended = state.current_attempt.with_status(Status.ENDED, call=call)
        return self._advance(state, PersonEvent.ENDED, ended, now)

    def know_result(self, state: PersonState, call: Outcome, now: float) -> Attempt:
        """Record the result of a person's ended call, such as ``busy``. Return the changed attempt.

        :param call: what is known of the call. The function `result_of` derives the result from ``call``.
        :param now: epoch seconds.
        """
        known = state.current_attempt.with_status(
            Status.ENDED, call=call, result=result_of(call), result_known_at=now
        )
        return self._advance(state, PersonEvent.RESULT_KNOWN, known, now)

    def tag(self, state: PersonState, call: Outcome, now: float) -> Attempt:
        """Store a call's tags in the person's attempt. Return the changed attempt.

        If the call has ended and needs no further tag, the method also finishes the attempt.

        :param call: what is known of the call, with all tags that the call has now.
        :param now: epoch seconds.
        """
        attempt = state.current_attempt
        return self._advance(state, PersonEvent.TAGGED, attempt.with_call(call), now)

    def _wait_again(self, state: PersonState, event: PersonEvent, attempt: Attempt, due: float) -> Attempt:
        not_placed = attempt.with_status(Status.NOT_PLACED)
        self._index.move(state, event, not_placed)
        self._queues.add_later(state.person, due)
        return not_placed

    def _advance(self, state: PersonState, event: PersonEvent, attempt: Attempt, now: float) -> Attempt:
        self._index.move(state, event, attempt)
        self._on_entry[state.stage](state, now)
        return state.current_attempt

    def _begin_search(self, state: PersonState, now: float) -> None:
        attempt, rules = state.current_attempt, self._rules
        state.unconfirmed_call = UnconfirmedCall(
            attempt.external_id,
            state.person.contact,
            min(attempt.intended_at, now),  # an intent later than now comes from a clock that was ahead
            rules.timezone,
            search_until=self._search_until(now),
            others=() if state.earlier_session is None else (state.earlier_session,),
        )

    def _search_until(self, now: float) -> float:
        # The search for an unconfirmed call does not end before this time.
        rules = self._rules
        # Not from the intent: a late try of the task needs the same time for the proof.
        if rules.absence_proven_after is not None:
            return now + rules.absence_proven_after
        return now + max(rules.appear_timeout, rules.report_timeout or 0.0)

    def _begin_watch(self, state: PersonState, now: float) -> None:
        call = state.current_call
        # A start later than now comes from a clock that was ahead. The full time counts from now.
        started_at = min(state.current_attempt.called_at, now)
        state.watch = SessionWatch(
            call.call_session_id,
            appear_by=started_at + self._rules.appear_timeout,
            deadline=started_at + self._rules.call_timeout,
            observation=Observation.from_outcome(call),
        )

    def _await_report(self, state: PersonState, now: float) -> None:
        if self._rules.report_timeout is None:
            self.know_result(state, state.current_call, now)
        else:
            state.report_deadline = self._ended_at(state, now) + self._rules.report_timeout

    def _ended_at(self, state: PersonState, now: float) -> float:
        """Return when a person's newest call ended, in epoch seconds. An unknown time is estimated."""
        call = state.current_call
        # If the end is unknown: as long as the campaign waits for the call to end, or to appear at all.
        watched = self._rules.call_timeout if call.observed else self._rules.appear_timeout
        return min(now, call.ended_at or state.current_attempt.called_at + watched)

    def _await_tags(self, state: PersonState, now: float) -> None:
        attempt = state.current_attempt
        state.due_tags = self._tag_plan.due_on_finished(attempt)
        if not state.due_tags:
            self._advance(state, PersonEvent.COMPLETED, attempt.with_status(Status.FINISHED), now)

    def _redial_or_finish(self, state: PersonState, now: float) -> None:
        due = redial_time(state.current_attempt, self._rules, now)
        if due is None:
            self._index.finish(state, PersonEvent.NO_REDIAL)
        else:
            self._index.move(state, PersonEvent.REDIAL)
            self._queues.add_later(state.person, due)
