"""The vendor's state diagram: the states of a call, and the events and methods that change the state.

The dict `LEG_STATES` contains the states of the legs for some states of the call.

Source: two parts of the vendor's document, "Диаграмма состояний звонка" (the call's state diagram) and the
table of leg states of ``list.calls``. In the document, A is the contact, B is the operator, and C is the
third party.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from airflow_provider_callapi.api.models import LegState


class State(StrEnum):
    """The states of a call in the vendor's state diagram, and the additional state ``PLAYING``.

    The vendor's diagram does not contain ``PLAYING``. In this state, the contact hears a message or a menu,
    and no operator takes part.
    """

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
    """The role of a participant of a call: contact, operator, third party or coach.

    The operator can call a third party while the contact is on hold. A coach joins the talk of operator and
    contact.
    """

    CONTACT = "contact"
    OPERATOR = "operator"
    THIRD_PARTY = "third party"
    COACH = "coach"


DIAGRAM: Mapping[tuple[State, str], State] = {
    # (state, event or method): next state
    (State.SESSION, "contact hears the message"): State.PLAYING,
    (State.SESSION, "both sides answered"): State.TALK,
    (State.TALK, "add.coach"): State.CALL_COACH,
    (State.CALL_COACH, "coach left"): State.TALK,
    (State.TALK, "call.talk_option"): State.TALK,
    (State.CALL_COACH, "call.talk_option"): State.CALL_COACH,
    (State.TALK, "hold.call"): State.HOLD,
    (State.HOLD, "unhold.call"): State.TALK,
    (State.TALK, "operator chose transfer"): State.WAITING_INPUT,
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
"""(state, event or method) → next state of the call.

A method that the table lists only for other states fails with ``invalid_state``. If a contact, operator or
third party leaves and the table lists no next state, the call ends.
"""

LEG_STATES: Mapping[State, Mapping[Role, LegState]] = {
    State.PLAYING: {Role.CONTACT: LegState.TALKING},
    State.TALK: {Role.CONTACT: LegState.TALKING, Role.OPERATOR: LegState.TALKING},
    State.HOLD: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.WAITING_INPUT: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.DIALING: {Role.CONTACT: LegState.ON_HOLD, Role.OPERATOR: LegState.TALKING},
    State.TRANSFERRING: {Role.CONTACT: LegState.TRANSFERRING},
    State.OPERATOR_TALK: {
        Role.CONTACT: LegState.ON_HOLD,
        Role.OPERATOR: LegState.OPERATORS_TALKING,
        Role.THIRD_PARTY: LegState.OPERATORS_TALKING,
    },
}
"""State of the call → role of a participant → state of the participant's leg.

A leg whose role has no entry, or which is not connected, keeps the old state.
"""
