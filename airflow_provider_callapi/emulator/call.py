"""One call: its state, its legs, and what ``list.calls`` shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.script import Script
from airflow_provider_callapi.emulator.state_diagram import DIAGRAM, LEG_STATES, Role, State


@dataclass(slots=True)
class Leg:
    """One participant of a call.

    :ivar called: the called number, followed by the DTMF string of the start request.
    """

    leg_id: int
    role: Role
    phone: str
    calling: str
    called: str
    employee: Employee | None = None
    state: LegState = LegState.DIALING
    answered_at: float | None = None
    disconnected_at: float | None = None

    @property
    def connected(self) -> bool:
        """Whether the participant has answered and has not disconnected."""
        return self.state not in (LegState.DIALING, LegState.DISCONNECTED)

    def disconnect(self, now: float) -> None:
        """Disconnect the participant, or stop the ringing."""
        if self.state is not LegState.DISCONNECTED:
            self.state = LegState.DISCONNECTED
            self.disconnected_at = now


@dataclass(slots=True, kw_only=True)
class Call:
    """One session, active or finished.

    All times are epoch seconds of the exchange's clock.

    :ivar method: the ``start.…`` method that started it, or ``inbound``.
    :ivar operators: phones of the operator's side that have not rung yet, each with its employee.
    :ivar dialing_timeout: seconds that the contact's phone may ring; None: no limit.
    :ivar talk_number: counts the talks; a transfer begins a new one.
    :ivar answered_at: when the contact answered. Inbound: when an employee answered.
    :ivar talked_at: when the talk of contact and operator, or the message, began.
    :ivar finish_reason: the Data API's ``finish_reason``.
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
    talk_number: int = 0
    answered_at: float | None = None
    talked_at: float | None = None
    ended_at: float | None = None
    finish_reason: str | None = None

    @property
    def active(self) -> bool:
        """Whether the session has not ended."""
        return self.state is not State.FINISHED

    @property
    def listed_at(self) -> float:
        """When the session first appears in ``list.calls``."""
        return self.started_at + self.script.listed_after

    def leg(self, role: Role) -> Leg | None:
        """Return the newest leg of a role that is not disconnected, or None."""
        for leg in reversed(self.legs):
            if leg.role is role and leg.state is not LegState.DISCONNECTED:
                return leg
        return None

    def allows(self, event: str) -> bool:
        """Return whether the diagram allows an event or method in the present state."""
        return (self.state, event) in DIAGRAM

    def move(self, event: str) -> None:
        """Move to the next state and update the connected legs.

        :raises RpcError: invalid_state: the diagram does not allow the event or method.
        """
        previous = self.state
        try:
            self.state = DIAGRAM[previous, event]
        except KeyError:
            raise RpcError("invalid_state", "call_session_id", self.call_session_id) from None
        if self.state is previous:
            return
        leg_states = LEG_STATES.get(self.state, {})
        for leg in self.legs:
            if leg.connected:
                leg.state = leg_states.get(leg.role, leg.state)

    def listing(self) -> dict[str, Any]:
        """Return the session as an entry of ``list.calls``."""
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
