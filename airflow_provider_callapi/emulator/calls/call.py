"""One call of the emulator: the state, the legs, and the entry in ``list.calls``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee, Operation, Scenario
from airflow_provider_callapi.emulator.calls.script import Script
from airflow_provider_callapi.emulator.calls.state_diagram import DIAGRAM, LEG_STATES, Role, State
from airflow_provider_callapi.emulator.errors import RpcError


@dataclass(slots=True)
class Leg:
    """A leg: the connection of one participant to a call.

    Times are epoch seconds of the exchange's clock. None: the event has not happened yet.

    :ivar calling: the calling number in ``list.calls``.
    :ivar called: the called number in ``list.calls``. For the contact of an outgoing call, the DTMF string of
        the start request follows the number.
    :ivar employee: the employee that ``list.calls`` names for the leg. None: no employee is named.
    :ivar answered_at: when the participant answered.
    :ivar disconnected_at: when the leg ended.
    :ivar finish_reason: why the leg ended. None: the leg has not ended.
    """

    leg_id: int
    role: Role
    phone: str
    calling: str
    called: str
    employee: Employee | None = None
    state: LegState = LegState.DIALING
    started_at: float = 0.0
    answered_at: float | None = None
    disconnected_at: float | None = None
    finish_reason: str | None = None

    @property
    def connected(self) -> bool:
        """True if the leg's participant is in the call: talks, is on hold, or waits in a queue.

        False: the participant's phone still rings, or the leg has ended.
        """
        return self.state not in (LegState.DIALING, LegState.DISCONNECTED)

    def disconnect(self, now: float, reason: str) -> None:
        """End the leg. If the participant's phone still rings, the ringing stops.

        If the leg has already ended, this method changes nothing.

        :param now: epoch seconds of the exchange's clock.
        :param reason: the finish reason of the leg, e.g. ``operator_disconnects``.
        """
        if self.state is not LegState.DISCONNECTED:
            self.state = LegState.DISCONNECTED
            self.disconnected_at, self.finish_reason = now, reason


@dataclass(slots=True, kw_only=True)
class Call:
    """One active or finished call, which the vendor's API calls a session.

    Times except ``start_time`` are epoch seconds of the exchange's clock. None: the event has not happened
    yet.

    :ivar method: the ``start.…`` method that started the call, or ``inbound`` for a call from a contact.
    :ivar script: what the contact does in this call.
    :ivar start_time: the start as local time of the account, e.g. ``2016-10-19T12:26:48.418``.
    :ivar operators: the phones at which the call can still ring, each as (phone number, employee). The
        employee is None in a call by ``start.simple_call``.
    :ivar dialing_timeout: for how many seconds the contact's phone may ring. None: without a limit.
    :ivar messages: parameter of the start request, e.g. ``contact_message`` → the text that the participant
        hears, or the id of the media file, as text.
    :ivar scenario: the scenario of the call. None: no scenario.
    :ivar operations: the steps of the scenario that the call has passed.
    :ivar talk_number: how many talks have begun, including messages and the talks after transfers.
    :ivar answered_at: when the contact answered. In an inbound call: when an employee answered.
    :ivar talked_at: when the talk with an operator, the message or the menu began.
    :ivar finish_reason: why the call ended, as in the Data API. None: the call is active.
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
    messages: dict[str, str] = field(default_factory=dict)
    scenario: Scenario | None = None
    operations: list[Operation] = field(default_factory=list)
    talk_number: int = 0
    answered_at: float | None = None
    talked_at: float | None = None
    ended_at: float | None = None
    finish_reason: str | None = None

    @property
    def active(self) -> bool:
        """Whether the call is active: True until the call ends, False after the end."""
        return self.state is not State.FINISHED

    @property
    def listed_at(self) -> float:
        """The earliest time at which ``list.calls`` may show the call, in epoch seconds.

        The time is the start of the call plus `Script.listed_after` of the contact's script. It does not
        include `Profile.appear_delay`. With this delay, ``list.calls`` shows the call later.
        """
        return self.started_at + self.script.listed_after

    def leg(self, role: Role) -> Leg | None:
        """Return the newest leg that has the given role, e.g. `Role.OPERATOR`, and has not ended.

        :return: the leg, which rings or is connected. None: the call has no such leg.
        """
        for leg in reversed(self.legs):
            if leg.role is role and leg.state is not LegState.DISCONNECTED:
                return leg
        return None

    def allows(self, event: str) -> bool:
        """Return whether the state diagram allows an event or a method in the present state of the call.

        :param event: the event or the method, for example ``coach left`` or ``hold.call``.
        """
        return (self.state, event) in DIAGRAM

    def move(self, event: str) -> None:
        """Change the state of the call and of the connected legs, as the state diagram (`DIAGRAM`) requires.

        :param event: an event or method of the state diagram, e.g. ``hold.call``.
        :raises RpcError: ``invalid_state``: the diagram forbids the event in the present state.
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
        """Return the call's entry in ``list.calls`` as a JSON object, as the vendor documents it.

        Another function, `list_entry`, then changes the entry to what the emulated service returns with its
        current `Profile`.
        """
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
