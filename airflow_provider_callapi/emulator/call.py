"""One call: its state, its legs, and what ``list.calls`` shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.script import Script
from airflow_provider_callapi.emulator.state_diagram import DIAGRAM, LEG_STATES, Role, State


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
        shown = LEG_STATES.get(self.state, {})
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
