"""The watch of one call: an object that takes one snapshot after another, and decides the call's phase.

A task that waits in its worker, the sensor and the triggers all use the class `SessionWatch`. Only their
sleep between two polls differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from msgspec.structs import replace

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.values.object_ids import read_object_id
from airflow_provider_callapi.calls.external_ids import has_another_id
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, ReportedEnd
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

Until = Literal["answered", "ended"]
"""The event that ends a wait for a call. A wait until ``answered`` also ends when the call ends."""


class Phase(StrEnum):
    """The phase of a watched call, as far as the snapshots have shown."""

    EXPECTED = "accepted, not listed yet"
    APPEARED = "listed, no answer observed"
    ANSWERED = "the contact has answered"
    ENDED = "was listed and is listed no more"
    NEVER_APPEARED = "was never listed: it ended unobserved"
    TIMED_OUT = "was not observed to end before the deadline"


FINAL_PHASES = frozenset({Phase.ENDED, Phase.NEVER_APPEARED, Phase.TIMED_OUT})
"""The last phases of a watched call. A call that has reached one of these phases stays in the phase."""
WAIT_ENDS_IN: dict[Until, frozenset[Phase]] = {
    "answered": FINAL_PHASES | {Phase.ANSWERED},
    "ended": FINAL_PHASES,
}
"""Event that a wait waits for → the phases of the call in which the wait ends."""


@dataclass
class SessionWatch:
    """One watched call, and the rules that decide when the call has ended.

    :param call_session_id: the session id, as a number or a text.
    :ivar appear_by: epoch seconds. If no snapshot has shown the call by this time, and enough snapshots prove
        its absence, the phase becomes ``NEVER_APPEARED``.
    :ivar deadline: epoch seconds. If the end was not observed by this time, the phase becomes ``TIMED_OUT``.
    :ivar tolerance: how many snapshots without the call prove its end, and how many failed polls in a row are
        tolerated.
    :ivar reported_end: the end of the call according to the Data API. None: the Data API has reported no end.
    """

    call_session_id: int
    appear_by: float
    deadline: float
    tolerance: PollTolerance = TOLERANCE
    observation: Observation = field(default_factory=Observation)
    phase: Phase = field(default=Phase.EXPECTED, init=False)
    reported_end: ReportedEnd | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.call_session_id = read_object_id(self.call_session_id)  # XComs and templates give texts
        if self.observation.listed:
            self.phase = self._active_phase()

    def awaited_answers(self, until: Until) -> tuple[int, ...]:
        """Return this call's session id if the Data API should be asked whether the contact has answered.

        This is so if the task waits for the answer, and the snapshots have shown the call but no answer.

        :param until: the event for which the task waits: ``answered`` or ``ended``.
        :return: ``(session id,)``, or an empty tuple.
        """
        return (self.call_session_id,) if until == "answered" and self.phase is Phase.APPEARED else ()

    def awaited_end(self, snapshot: Snapshot) -> tuple[int, ...]:
        """Return the session id of this call if the Data API should now be asked whether the call has ended.

        This is so if all of these conditions hold:

        - The newest snapshot does not show the call.
        - An earlier snapshot showed the call, or the newest snapshot leaves it open whether the call is
          active. In the second case, only the Data API can show the end.
        - The watch has not ended.

        :param snapshot: the newest snapshot. The watch has not yet observed this snapshot.
        :return: ``(session id,)``, or an empty tuple.
        """
        session_id = self.call_session_id
        is_known = self.observation.listed or not snapshot.proves_absence(session_id)
        is_due = is_known and snapshot.omits(session_id) and self.phase not in FINAL_PHASES
        return (session_id,) if is_due else ()

    def update(self, snapshot: Snapshot) -> Phase:
        """Update the watch with one snapshot, and return the call's new phase.

        - If the watch has already ended: nothing changes.
        - From the deadline on: the phase becomes ``TIMED_OUT``, also after a failed poll. Exception: the
          snapshot shows the end or the first answer of the call.
        - If the poll failed before the deadline: the phase stays.

        :raises CallApiError: the poll failed with a permanent error, or more polls in a row failed than the
            watch tolerates.
        """
        if self.phase in FINAL_PHASES:
            return self.phase
        before = self.phase
        if snapshot.failure is not None:
            self._count_failure(snapshot.failure)
        else:
            self._observe(snapshot)
        # If the answer is first observed at the deadline, the phase is ANSWERED; the next snapshot times out.
        first_answer = self.phase is Phase.ANSWERED and before is not Phase.ANSWERED
        if self.phase not in FINAL_PHASES and snapshot.at >= self.deadline and not first_answer:
            self.phase = Phase.TIMED_OUT
        return self.phase

    def time_out(self) -> None:
        """End the watch at its deadline without another snapshot. The watch must not have ended before."""
        assert self.phase not in FINAL_PHASES, f"the watch has ended: {self.phase}"
        self.phase = Phase.TIMED_OUT

    def extend_outcome(self, call: Outcome) -> Outcome:
        """Return a copy of a call's outcome, updated with what this watch has observed of the call."""
        observation = self.observation
        extended = replace(
            call,
            status="ended" if self.phase in (Phase.ENDED, Phase.NEVER_APPEARED) else "started",
            external_id=call.external_id or observation.external_id,
            answered=True if observation.answered_at is not None else call.answered,
            answered_at=observation.answered_at or call.answered_at,
            ended_at=observation.missing_since if self.phase is Phase.ENDED else None,
            observed=observation.listed or call.observed,
            tags=observation.tags or call.tags,
            source="list.calls" if observation.listed or observation.misses else call.source,
        )
        if self.reported_end is None:
            return extended
        return self.reported_end.extend_outcome(extended)

    def _observe(self, snapshot: Snapshot) -> None:
        is_listed = self.observation.find_call(snapshot, self.call_session_id) is not None
        reported_end = None if is_listed else snapshot.ends.get(self.call_session_id)
        if reported_end and not has_another_id(reported_end.finished.report, self.observation.external_id):
            self.reported_end = reported_end
            self.observation = self.observation.with_miss(snapshot.at)
            self.phase = Phase.ENDED
            return
        self.observation = self.observation.with_snapshot(snapshot, self.call_session_id)
        if is_listed:
            self.phase = self._active_phase()
        elif self.tolerance.has_ended(self.observation, snapshot):
            if self.observation.listed:
                self.phase = Phase.ENDED
            elif snapshot.at >= self.appear_by:
                self.phase = Phase.NEVER_APPEARED

    def _active_phase(self) -> Phase:
        return Phase.APPEARED if self.observation.answered_at is None else Phase.ANSWERED

    def _count_failure(self, failure: CallApiError) -> None:
        self.observation = replace(self.observation, failures=self.observation.failures + 1)
        if failure.permanent or self.observation.failures > self.tolerance.failures:
            # Several watches may raise the same failure. Each removes the traceback of the watch before.
            raise failure.with_traceback(None)
