"""The stage of each person in a campaign, such as ``waiting`` or ``active``, and the data of that stage.

`PersonStage` explains the stages. `PersonEvent` explains the events that move a person to another stage. Only
the moves in the table `TRANSITIONS` are possible.

Every person starts in stage ``planned``. The person's newest attempt in the ledger determines the first
event. Without an attempt in the ledger, the first event is ``ready``.

Without a Data API, a person leaves ``report_due`` at once. Without tags to set, a person leaves ``tags_due``
at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.watch import SessionWatch


class PersonStage(StrEnum):
    """The stage of one person in a campaign: what the campaign does next for the person."""

    PLANNED = "planned"
    """The campaign still has to decide what follows from the person's attempts in the ledger."""
    WAITING = "waiting"
    """The person is in the queue of people to call."""
    DIALLING = "dialling"
    """The person is chosen for a call. The campaign claims the attempt and sends the start request."""
    UNCONFIRMED = "unconfirmed"
    """The start request got no answer. The campaign searches for the call."""
    ACTIVE = "active"
    """The service placed the call. The campaign watches the call."""
    REPORT_DUE = "report_due"
    """The call is over. The Data API's report of the call is missing."""
    TAGS_DUE = "tags_due"
    """The result of the call is known. Some tags of the call are missing."""
    ATTEMPT_OVER = "attempt_over"
    """Nothing is left to do for this attempt. The campaign decides at once whether to redial."""
    FINISHED = "finished"
    """Nothing is left to do for this person."""


class PersonEvent(StrEnum):
    """An event, such as a placed call or a known result, that moves a person of a campaign to a stage."""

    READY = "ready"
    """The ledger has no attempt to call the person."""
    CHOSEN = "chosen"
    """The campaign has chosen the person to be called now."""
    EXCLUDED = "excluded"
    """The person is on the do-not-call list."""
    EXPIRED = "expired"
    """The campaign's time ends before the person may be called."""
    PLACED = "placed"
    """The service accepted the start request, or the search found the unconfirmed call."""
    UNANSWERED = "unanswered"
    """The start request got no answer, so the call may have been placed."""
    NOT_PLACED = "not_placed"
    """The call was certainly not placed."""
    REFUSED = "refused"
    """The service refuses to call this person."""
    ABSENT = "absent"
    """No service shows the unconfirmed call after ``absence_proven_after``: the call was never placed."""
    UNRESOLVED = "unresolved"
    """The search did not find the unconfirmed call."""
    TAKEN_OVER = "taken_over"
    """Another process has stored an attempt to call the person. The campaign continues with that attempt."""
    ENDED = "ended"
    """The call is over."""
    RESULT_KNOWN = "result_known"
    """The attempt has a result. Either its report came, or the campaign waits for no report any more."""
    TAGGED = "tagged"
    """A tag was set on the call, or the campaign found that the tag cannot be set."""
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
    (_Stage.PLANNED, _Event.UNANSWERED): _Stage.UNCONFIRMED,
    (_Stage.PLANNED, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.PLANNED, _Event.ENDED): _Stage.REPORT_DUE,
    (_Stage.PLANNED, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.PLANNED, _Event.COMPLETED): _Stage.ATTEMPT_OVER,
    (_Stage.WAITING, _Event.CHOSEN): _Stage.DIALLING,
    (_Stage.WAITING, _Event.EXCLUDED): _Stage.FINISHED,
    (_Stage.WAITING, _Event.EXPIRED): _Stage.FINISHED,
    (_Stage.DIALLING, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.DIALLING, _Event.UNANSWERED): _Stage.UNCONFIRMED,
    (_Stage.DIALLING, _Event.NOT_PLACED): _Stage.WAITING,
    (_Stage.DIALLING, _Event.REFUSED): _Stage.ATTEMPT_OVER,
    (_Stage.DIALLING, _Event.EXPIRED): _Stage.FINISHED,
    (_Stage.DIALLING, _Event.TAKEN_OVER): _Stage.PLANNED,
    (_Stage.UNCONFIRMED, _Event.PLACED): _Stage.ACTIVE,
    (_Stage.UNCONFIRMED, _Event.ABSENT): _Stage.WAITING,
    (_Stage.UNCONFIRMED, _Event.UNRESOLVED): _Stage.ATTEMPT_OVER,
    (_Stage.UNCONFIRMED, _Event.TAKEN_OVER): _Stage.PLANNED,
    (_Stage.ACTIVE, _Event.TAGGED): _Stage.ACTIVE,
    (_Stage.ACTIVE, _Event.ENDED): _Stage.REPORT_DUE,
    (_Stage.ACTIVE, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.REPORT_DUE, _Event.RESULT_KNOWN): _Stage.TAGS_DUE,
    (_Stage.TAGS_DUE, _Event.TAGGED): _Stage.TAGS_DUE,
    (_Stage.TAGS_DUE, _Event.COMPLETED): _Stage.ATTEMPT_OVER,
    (_Stage.ATTEMPT_OVER, _Event.REDIAL): _Stage.WAITING,
    (_Stage.ATTEMPT_OVER, _Event.NO_REDIAL): _Stage.FINISHED,
}
"""(stage, event) → next stage."""


class ImpossibleTransition(Exception):
    """An event happened that is impossible in the person's stage. The campaign engine has a bug."""

    def __init__(self, stage: PersonStage, event: PersonEvent) -> None:
        super().__init__(f"a person in stage {stage.value} cannot have the event {event.value}")


@dataclass(slots=True, eq=False)
class PersonState:
    """One person of a campaign: the person's stage, the newest attempt, and the data of the stage.

    The last four attributes belong to one stage each. In all other stages, they are None or empty.

    :ivar attempt: the newest attempt to call the person; None: no attempt was made yet.
    :ivar result: the newest result of an attempt, or why the person was not called; None: no result yet.
    :ivar earlier_session: the session id of the person's call before the newest attempt; None: this process
        knows of no such call.
    :ivar watch: in stage ``active``: the object that watches the call.
    :ivar unconfirmed_call: in stage ``unconfirmed``: the call that the campaign searches for.
    :ivar report_deadline: in stage ``report_due``: until when the campaign waits for the report of the call,
        epoch seconds. It waits longer while the Data API does not answer.
    :ivar due_tags: in stage ``tags_due``: the ids of the tags that the call lacks.
    """

    person: Person
    stage: PersonStage = PersonStage.PLANNED
    attempt: Attempt | None = None
    result: Result | None = None
    earlier_session: int | None = None
    watch: SessionWatch | None = None
    unconfirmed_call: UnconfirmedCall | None = None
    report_deadline: float | None = None
    due_tags: tuple[int, ...] = ()

    @property
    def current_attempt(self) -> Attempt:
        """The newest attempt to call the person. The person must have an attempt."""
        assert self.attempt is not None, f"a person in stage {self.stage} has no attempt"
        return self.attempt

    @property
    def current_call(self) -> Outcome:
        """What is known of the newest call to the person. The person must have a placed call."""
        call = self.current_attempt.call
        assert call is not None, f"a person in stage {self.stage} has no call"
        return call

    @property
    def current_watch(self) -> SessionWatch:
        """The object that watches the person's call. The person must be in stage ``active``."""
        assert self.watch is not None, f"a person in stage {self.stage} has no active call"
        return self.watch

    @property
    def current_unconfirmed_call(self) -> UnconfirmedCall:
        """The call that the campaign searches for. The person must be in stage ``unconfirmed``."""
        assert self.unconfirmed_call is not None, f"a person in stage {self.stage} has no unconfirmed call"
        return self.unconfirmed_call

    def apply(self, event: PersonEvent, attempt: Attempt | None = None) -> None:
        """Move the person to the stage that follows an event, and delete the data of the previous stage.

        For example, the deadline for the report of a call is data of the stage ``report_due``.

        :param attempt: the person's newest attempt after the event; None: the attempt stays unchanged.
        :raises ImpossibleTransition: the event cannot happen in the person's stage.
        """
        next_stage = TRANSITIONS.get((self.stage, event))
        if next_stage is None:
            raise ImpossibleTransition(self.stage, event)
        self.stage = next_stage
        self.watch = self.unconfirmed_call = self.report_deadline = None
        self.due_tags = ()
        if attempt is not None:
            self.update(attempt)

    def update(self, attempt: Attempt) -> None:
        """Store a newer version of the person's attempt, for example with an answered call.

        The person's stage does not change.
        """
        self.attempt = attempt
        if attempt.result is not None:
            self.result = attempt.result
