"""One call: its state, the diagram it moves on, its legs and what the legs show.

Source: "Диаграмма состояний звонка" (the call's state diagram) and the table of leg states of
``list.calls`` in the vendor's document. A is the contact, B the operator, C the third party.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee
from airflow_provider_callapi.emulator.refusals import Refusal
from airflow_provider_callapi.emulator.script import Script


class State(StrEnum):
    """Where a call is on the vendor's diagram; PLAYING (an informer call) is not drawn there."""

    SESSION = "session"
    PLAYING = "playing"
    TALK = "talk"
    CALL_COACH = "call_coach"
    HOLD = "hold"
    WAITING_INPUT = "waiting_input"
    DIALING = "dialing"
    TRANSFERRING = "transferring"
    OPERATOR_TALK = "operator_talk"
    POST_TALK = "post_talk"
    FINISHED = "finished"


class Role(Enum):
    """Who is at the other end of a leg."""

    CONTACT = "contact"
    OPERATOR = "operator"
    THIRD = "third party"
    COACH = "coach"


DIAGRAM: Mapping[tuple[State, str], State] = {
    # event or method
    (State.SESSION, "contact hears the message"): State.PLAYING,
    (State.SESSION, "both sides answered"): State.TALK,
    (State.TALK, "add.coach"): State.CALL_COACH,
    (State.CALL_COACH, "coach left"): State.TALK,
    (State.TALK, "call.talk_option"): State.TALK,
    (State.CALL_COACH, "call.talk_option"): State.CALL_COACH,
    (State.TALK, "hold.call"): State.HOLD,
    (State.HOLD, "unhold.call"): State.TALK,
    (State.TALK, "operator wants to dial"): State.WAITING_INPUT,
    (State.WAITING_INPUT, "operator pressed *"): State.HOLD,
    (State.HOLD, "make.call"): State.DIALING,
    (State.WAITING_INPUT, "make.call"): State.DIALING,
    (State.DIALING, "third party answered"): State.OPERATOR_TALK,
    (State.DIALING, "third party left"): State.HOLD,
    (State.DIALING, "restore.talk"): State.TALK,
    (State.DIALING, "transfer.talk"): State.TRANSFERRING,
    (State.TRANSFERRING, "third party answered"): State.TALK,
    (State.OPERATOR_TALK, "third party left"): State.HOLD,
    (State.OPERATOR_TALK, "restore.talk"): State.TALK,
    (State.OPERATOR_TALK, "transfer.talk"): State.TALK,
    (State.TALK, "operator disconnected"): State.POST_TALK,
    (State.CALL_COACH, "operator disconnected"): State.POST_TALK,
}
"""What is not here ends the call (an event) or is refused with invalid_state (a method)."""

STATELESS = frozenset(
    {"tag.call", "record.call", "send.dtmf", "block.contact", "disconnect.leg", "release.call"}
)
"""Methods whose tables of errors know no invalid_state: any active call will do."""

_CONNECTED: Mapping[State, Mapping[Role, LegState]] = {
    State.PLAYING: {Role.CONTACT: LegState.TALKING},
    State.TALK: {Role.CONTACT: LegState.TALKING, Role.OPERATOR: LegState.TALKING},
    State.HOLD: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.WAITING_INPUT: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.DIALING: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.TRANSFERRING: {Role.CONTACT: LegState.TRANSFERRING},
    State.OPERATOR_TALK: {
        Role.CONTACT: LegState.ON_HOLD,
        Role.OPERATOR: LegState.OPERATORS_TALKING,
        Role.THIRD: LegState.OPERATORS_TALKING,
    },
}
"""What the legs of people on the line show; a leg that rings or has left is not concerned."""


@dataclass(slots=True)
class Leg:
    """One participant. ``called`` carries the DTMF string of the start behind the number."""

    leg_id: int
    role: Role
    phone: str
    calling: str
    called: str
    employee: Employee | None = None
    state: LegState = LegState.DIALING
    answered_at: float | None = None
    left_at: float | None = None

    @property
    def on_the_line(self) -> bool:
        """Connected and not gone."""
        return self.state not in (LegState.DIALING, LegState.DISCONNECTED)

    def leave(self, now: float) -> None:
        """Disconnect, or stop ringing."""
        if self.state is not LegState.DISCONNECTED:
            self.state = LegState.DISCONNECTED
            self.left_at = now


@dataclass(slots=True, kw_only=True)
class Call:
    """One session from its start to long after its end.

    All times are epoch seconds by the exchange's clock.

    :ivar method: what started it: ``start.…``, or ``inbound``.
    :ivar operators: phones of the other side that have not been tried yet, with the employee.
    :ivar answered_at: when the contact picked up (an inbound contact: was connected).
    :ivar talked_at: when contact and operator first heard each other, or the message began.
    :ivar finish_reason: how it ended, in the vocabulary of the Data API.
    """

    call_session_id: int
    account: Account
    method: str
    contact: str
    virtual_phone_number: str
    script: Script
    started_at: float
    start_time: str
    direction: str = "out"
    external_id: str | None = None
    dtmf_string: str = ""
    operators: list[tuple[str, Employee | None]] = field(default_factory=list)
    shows_virtual_number: bool = True
    dialing_timeout: float | None = None
    state: State = State.SESSION
    legs: list[Leg] = field(default_factory=list)
    tags: dict[int, str] = field(default_factory=dict)
    recorded: bool = False
    dtmf: list[str] = field(default_factory=list)
    talk: int = 0
    answered_at: float | None = None
    talked_at: float | None = None
    ended_at: float | None = None
    finish_reason: str | None = None

    @property
    def active(self) -> bool:
        """Not over yet."""
        return self.state is not State.FINISHED

    @property
    def listed_at(self) -> float:
        """From when on ``list.calls`` shows it."""
        return self.started_at + self.script.listed_after

    def leg(self, role: Role) -> Leg | None:
        """The newest leg of a role that has not been disconnected."""
        for leg in reversed(self.legs):
            if leg.role is role and leg.state is not LegState.DISCONNECTED:
                return leg
        return None

    def can(self, event: str) -> bool:
        """Whether the diagram has a way on from here."""
        return (self.state, event) in DIAGRAM

    def go(self, event: str) -> None:
        """Move along the diagram.

        :raises Refusal: invalid_state: there is no such way from here.
        """
        came_from = self.state
        try:
            self.state = DIAGRAM[came_from, event]
        except KeyError:
            raise Refusal("invalid_state", "call_session_id", self.call_session_id) from None
        if self.state is came_from:
            return
        shown = _CONNECTED.get(self.state, {})
        for leg in self.legs:
            if leg.on_the_line:
                leg.state = shown.get(leg.role, leg.state)

    def listing(self) -> dict[str, Any]:
        """The session as ``list.calls`` shows it."""
        return {
            "call_session_id": self.call_session_id,
            "direction": self.direction,
            "start_time": self.start_time,
            "virtual_phone_number": self.virtual_phone_number,
            "contact_phone_number": self.contact,
            "external_id": self.external_id,
            "tags": [{"tag_id": tag, "tag_name": name} for tag, name in self.tags.items()],
            "legs": [
                {
                    "leg_id": leg.leg_id,
                    "calling_phone_number": leg.calling,
                    "called_phone_number": leg.called,
                    "is_operator": leg.role is Role.OPERATOR,
                    "employee_id": leg.employee.id if leg.employee else None,
                    "employee_full_name": leg.employee.full_name if leg.employee else None,
                    "record_call_enabled": self.recorded,
                    "state": leg.state.value,
                }
                for leg in self.legs
            ],
        }
