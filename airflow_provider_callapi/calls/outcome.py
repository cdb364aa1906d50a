"""What is known of a call, and from whom.

Polling can prove that a call was answered; it can never prove that it was not: it may have been
answered between two looks. So ``answered`` is True, None (not known), or False, which only the
Data API can say.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Literal

import pendulum

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, parse_time

_NOBODY_ON_THE_LINE = {LegState.DIALING, LegState.QUEUED, LegState.DISCONNECTED, ""}
_KNOWN_STATES = frozenset(LegState)


def contact_is_on_the_line(session: CallSession) -> bool:
    """Whether the contact has picked up.

    It is the contact's leg that counts, not an operator's: an employee who picks up first is no
    answer. Who calls in is the calling number of a leg; that one waits in a queue until somebody (or a
    menu) picks up. The number called may carry DTMF behind dots. A state this version does not know
    proves nothing.
    """
    contact = (session.contact_phone_number or "").partition(".")[0]
    if not contact:
        return False

    def is_contacts(leg: Leg) -> bool:
        calls_in = session.direction == "in" and leg.calling_phone_number == contact
        return not leg.is_operator and (
            calls_in or (leg.called_phone_number or "").partition(".")[0] == contact
        )

    return any(
        is_contacts(leg) and leg.state in _KNOWN_STATES and leg.state not in _NOBODY_ON_THE_LINE
        for leg in session.legs
    )


@dataclass(frozen=True)
class Outcome:
    """What a start operator, a sensor and a trigger say of a call. Holds no phone number.

    :ivar status: ``started`` (accepted, perhaps still active) or ``ended``.
    :ivar answered: True, False, or None: not known.
    :ivar attempt: the number of this call among the task's attempts, 1 for the first.
    :ivar started_at: when the service accepted the call, epoch seconds.
    :ivar answered_at: when the answer was first seen: the call was answered then or before.
    :ivar ended_at: when the call was first seen to be gone: it ended then or before.
    :ivar observed: whether list.calls ever showed the call.
    :ivar finish_reason: the Data API's mnemonic.
    :ivar talk_seconds: the Data API's duration of the talk.
    :ivar tags: the ids of the tags known to be on the call.
    :ivar communication_id: the Data API's id of the call, by which a finished call is tagged.
    :ivar source: who said so: ``start`` (the answer to start.*), ``list.calls`` or ``data_api``.
    """

    call_session_id: int
    external_id: str | None = None
    status: Literal["started", "ended"] = "started"
    answered: bool | None = None
    attempt: int = 1
    started_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    observed: bool = False
    finish_reason: str | None = None
    talk_seconds: int | None = None
    tags: tuple[int, ...] = ()
    communication_id: int | None = None
    source: Literal["start", "list.calls", "data_api"] = "start"

    def tagged(self, tag_id: int) -> Outcome:
        """The same call with one more tag."""
        return self if tag_id in self.tags else replace(self, tags=(*self.tags, tag_id))

    def to_xcom(self) -> dict[str, Any]:
        """Plain JSON: times as ISO 8601 text in UTC, tags as a list."""
        return {
            **asdict(self),
            "tags": list(self.tags),
            **{name: _iso(getattr(self, name)) for name in _TIMES},
        }

    @classmethod
    def from_xcom(cls, value: dict[str, Any]) -> Outcome:
        """Read what `to_xcom` wrote; unknown keys (of a later version) are ignored.

        :raises ValueError: it is not such a dict.
        """
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        if "call_session_id" not in known:
            raise ValueError("not the dict of a call: it has no call_session_id")
        try:
            known["call_session_id"] = int(known["call_session_id"])
        except (TypeError, ValueError):
            raise ValueError("call_session_id: not a number") from None
        times = {name: _epoch(known.get(name)) for name in _TIMES}
        return cls(**{**known, **times, "tags": tuple(known.get("tags") or ())})


class Reason(StrEnum):
    """What the ``finish_reason`` of a report says of a call."""

    BUSY = "busy"
    NOT_REACHED = "not_reached"
    OUR_SIDE = "our_side_did_not_answer"
    CAPACITY = "capacity"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    ACCOUNT = "account"


FINISH_REASONS: dict[str, Reason] = {
    "subscriber_busy": Reason.BUSY,
    "subscriber_not_responsible": Reason.NOT_REACHED,
    "timeout": Reason.NOT_REACHED,
    "no_success_subscriber_call": Reason.NOT_REACHED,
    "platform_not_found": Reason.NOT_REACHED,
    "operator_busy": Reason.OUR_SIDE,
    "operator_not_responsible": Reason.OUR_SIDE,
    "no_success_operator_call": Reason.OUR_SIDE,
    "employee_busy": Reason.OUR_SIDE,
    "max_out_call_reached": Reason.CAPACITY,
    "no_resources": Reason.CAPACITY,
    "operator_channels_busy": Reason.CAPACITY,
    "subscriber_number_problems": Reason.WRONG_NUMBER,
    "incorrect_input": Reason.WRONG_NUMBER,
    "numa_in_black_list": Reason.REFUSED,
    "locked_numb": Reason.REFUSED,
    "call_not_allowed_on_tp": Reason.REFUSED,
    "out_call_not_allowed": Reason.REFUSED,
    "external_call_not_allowed": Reason.REFUSED,
    "not_enough_money": Reason.ACCOUNT,
    "no_money": Reason.ACCOUNT,
    "limit_exceeded": Reason.ACCOUNT,
    "app_is_inactive": Reason.ACCOUNT,
    "component_is_inactive": Reason.ACCOUNT,
}
"""Mnemonics of the Data API, an open list: any other proves nothing."""

_OF_OUR_SIDE = frozenset(
    {
        *(word for word, reason in FINISH_REASONS.items() if reason is Reason.OUR_SIDE),
        "operator_channels_busy",
    }
)
"""About the employee's or operator's leg: the contact may have picked up before."""


def answered_by(report: CallReport) -> bool | None:
    """Whether the contact picked up, as far as the call's report says; the legs' report may know more.

    ``success_finish`` is described as "not determined": it proves nothing.
    """
    if report.talk_duration:
        return True
    reason = report.finish_reason
    return False if reason in FINISH_REASONS and reason not in _OF_OUR_SIDE else None


def contact_connected(legs: Iterable[LegReport]) -> bool | None:
    """Whether a leg that is not an operator's was connected; None where there is no such leg."""
    connected = [leg.connect_time is not None for leg in legs if not leg.is_operator]
    return any(connected) if connected else None


def settled(call: Outcome, report: CallReport, answered: bool | None, timezone: str) -> Outcome:
    """The outcome of a finished call, with what the Data API knows of it.

    :param timezone: the account's zone, which the report's times are in.
    """
    ended = call.ended_at
    with suppress(ValueError):  # not told, or in a form of its own: the rest counts all the same
        ended = parse_time(report.finish_time or "", timezone).timestamp()
    return replace(
        call,
        status="ended",
        answered=answered,
        ended_at=ended,
        finish_reason=report.finish_reason,
        talk_seconds=report.talk_duration,
        tags=tuple(tag.tag_id for tag in report.tags or ()) or call.tags,
        communication_id=report.communication_id,
        source="data_api",
    )


_TIMES = ("started_at", "answered_at", "ended_at")


def _iso(at: float | None) -> str | None:
    return None if at is None else pendulum.from_timestamp(at).to_iso8601_string()


def _epoch(text: str | None) -> float | None:
    if text is None:
        return None
    moment = pendulum.parse(text)
    if not isinstance(moment, pendulum.DateTime):
        raise ValueError(f"not a time: {text!r}")
    return moment.timestamp()
