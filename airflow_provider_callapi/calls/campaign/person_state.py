"""The state of one person in a campaign: one stage, and what the campaign needs in that stage.

This table is the only source of stages. An event that it does not list for a stage raises
`ImpossibleTransition`.

================  ================  ================
stage             event             next stage
================  ================  ================
planned           ready             waiting
planned           not_placed        waiting
planned           unanswered        lost
planned           placed            active
planned           ended             report_due
planned           result_known      tags_due
planned           completed         attempt_over
waiting           chosen            dialling
waiting           excluded          finished
waiting           expired           finished
dialling          placed            active
dialling          unanswered        lost
dialling          not_placed        waiting
dialling          refused           attempt_over
dialling          expired           finished
dialling          taken_over        planned
lost              placed            active
lost              unresolved        attempt_over
lost              taken_over        planned
active            tagged            active
active            ended             report_due
active            result_known      tags_due
report_due        result_known      tags_due
tags_due          tagged            tags_due
tags_due          completed         attempt_over
attempt_over      redial            waiting
attempt_over      no_redial         finished
================  ================  ================

Without a Data API, a person leaves ``report_due`` at once. Without tags to set, a person leaves
``tags_due`` at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import Person
from airflow_provider_callapi.calls.lost_call import LostCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.watch import SessionWatch


class PersonStage(StrEnum):
    """How far the campaign is with one person."""

    PLANNED = "planned"
    """On the contact list. The campaign has not yet decided what follows from the ledger's attempts."""
    WAITING = "waiting"
    """In the queue of people to call."""
    DIALLING = "dialling"
    """Chosen for a call. The campaign claims the attempt and sends the start request."""
    LOST = "lost"
    """The start request got no answer. The campaign searches for the call."""
    ACTIVE = "active"
    """The service placed the call. The campaign watches it."""
    REPORT_DUE = "report_due"
    """The call is over. Its report is missing."""
    TAGS_DUE = "tags_due"
    """The call has a result. Some of its tags are missing."""
    ATTEMPT_OVER = "attempt_over"
    """Nothing is left to do for this attempt. The campaign decides at once whether to redial."""
    FINISHED = "finished"
    """Nothing is left to do for this person."""


class PersonEvent(StrEnum):
    """What moves a person to the next stage."""

    READY = "ready"
    """The ledger has no attempt to call the person."""
    CHOSEN = "chosen"
    """It is the person's turn."""
    EXCLUDED = "excluded"
    """The person is on the do-not-call list."""
    EXPIRED = "expired"
    """The campaign's time ends before the person may be called."""
    PLACED = "placed"
    """The service accepted the start request, or the search found the lost call."""
    UNANSWERED = "unanswered"
    """The start request got no answer, so the call may have been placed."""
    NOT_PLACED = "not_placed"
    """The call was proven not to be placed."""
    REFUSED = "refused"
    """The service refuses to call this person."""
    UNRESOLVED = "unresolved"
    """The search did not find the lost call."""
    TAKEN_OVER = "taken_over"
    """The ledger holds an attempt of another process in place of this one."""
    ENDED = "ended"
    """The call is over."""
    RESULT_KNOWN = "result_known"
    """The attempt has a result: from a report, or because no report can come any more."""
    TAGGED = "tagged"
    """A tag was set, or cannot be set."""
    COMPLETED = "completed"
    """The attempt has a result and all its tags."""
    REDIAL = "redial"
    """The rules allow another attempt after this result."""
    NO_REDIAL = "no_redial"
    """The rules allow no other attempt after this result."""


_Stage, _Event = PersonStage, PersonEvent

TRANSITIONS: dict[tuple[PersonStage, PersonEvent], PersonStage] = {
    (_Stage.PLANNED, _Event.READY): _Stage.WAITING,
    (_Stage.PLANNED, _Event.NOT_PLACED): _Stage.WAITING,
    (_Stage.PLANNED, _Event.UNANSWERED): _Stage.LOST,
    (_Stage.PLANNED, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.PLANNED, _Event.ENDED): _Stage.REPORT_DUE,
    (_Stage.PLANNED, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.PLANNED, _Event.COMPLETED): _Stage.ATTEMPT_OVER,
    (_Stage.WAITING, _Event.CHOSEN): _Stage.DIALLING,
    (_Stage.WAITING, _Event.EXCLUDED): _Stage.FINISHED,
    (_Stage.WAITING, _Event.EXPIRED): _Stage.FINISHED,
    (_Stage.DIALLING, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.DIALLING, _Event.UNANSWERED): _Stage.LOST,
    (_Stage.DIALLING, _Event.NOT_PLACED): _Stage.WAITING,
    (_Stage.DIALLING, _Event.REFUSED): _Stage.ATTEMPT_OVER,
    (_Stage.DIALLING, _Event.EXPIRED): _Stage.FINISHED,
    (_Stage.DIALLING, _Event.TAKEN_OVER): _Stage.PLANNED,
    (_Stage.LOST, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.LOST, _Event.UNRESOLVED): _Stage.ATTEMPT_OVER,
    (_Stage.LOST, _Event.TAKEN_OVER): _Stage.PLANNED,
    (_Stage.ACTIVE, _Event.TAGGED): _Stage.ACTIVE,
    (_Stage.ACTIVE, _Event.ENDED): _Stage.REPORT_DUE,
    (_Stage.ACTIVE, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.REPORT_DUE, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.TAGS_DUE, _Event.TAGGED): _Stage.TAGS_DUE,
    (_Stage.TAGS_DUE, _Event.COMPLETED): _Stage.ATTEMPT_OVER,
    (_Stage.ATTEMPT_OVER, _Event.REDIAL): _Stage.WAITING,
    (_Stage.ATTEMPT_OVER, _Event.NO_REDIAL): _Stage.FINISHED,
}
"""(stage, event) → next stage. The module's docstring shows the same table."""


class ImpossibleTransition(Exception):
    """An event that cannot happen in a person's stage: an error in the campaign engine."""

    def __init__(self, stage: PersonStage, event: PersonEvent) -> None:
        super().__init__(f"a person in stage {stage.value} cannot have the event {event.value}")


def next_stage(stage: PersonStage, event: PersonEvent) -> PersonStage:
    """Return the stage that follows an event.

    :raises ImpossibleTransition: `TRANSITIONS` does not list the event for this stage.
    """
    following = TRANSITIONS.get((stage, event))
    if following is None:
        raise ImpossibleTransition(stage, event)
    return following


@dataclass(slots=True, eq=False)
class PersonState:
    """One person of a campaign, the stage, and what the campaign needs in that stage.

    :ivar attempt: the newest attempt; None before the first.
    :ivar result: the newest result of any attempt, or why the person was not called; None: not called yet.
    :ivar watch: the watch of the call, in stage ``active``.
    :ivar lost_call: what the campaign searches for, in stage ``lost``.
    :ivar report_deadline: when the campaign stops waiting for the report, epoch seconds, in stage
        ``report_due``.
    :ivar due_tags: ids of the missing tags, in stage ``tags_due``.
    """

    person: Person
    stage: PersonStage = PersonStage.PLANNED
    attempt: Attempt | None = None
    result: Result | None = None
    watch: SessionWatch | None = None
    lost_call: LostCall | None = None
    report_deadline: float | None = None
    due_tags: tuple[int, ...] = ()

    @property
    def current_attempt(self) -> Attempt:
        """Return the newest attempt of a person who was dialled."""
        assert self.attempt is not None, f"a person in stage {self.stage} has no attempt"
        return self.attempt

    @property
    def current_call(self) -> Outcome:
        """Return what is known of the newest call, in a stage that has one."""
        call = self.current_attempt.call
        assert call is not None, f"a person in stage {self.stage} has no call"
        return call

    def apply(self, event: PersonEvent, attempt: Attempt | None = None) -> None:
        """Move to the next stage, and drop what only the stage before needed.

        :param attempt: the attempt after the event; None: unchanged.
        :raises ImpossibleTransition: the event cannot happen in this stage.
        """
        self.stage = next_stage(self.stage, event)
        self.watch = self.lost_call = self.report_deadline = None
        self.due_tags = ()
        if attempt is not None:
            self.update(attempt)

    def update(self, attempt: Attempt) -> None:
        """Replace the newest attempt by a version with more knowledge. The stage stays."""
        self.attempt = attempt
        if attempt.result is not None:
            self.result = attempt.result
