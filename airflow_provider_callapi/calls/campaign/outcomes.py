"""What can become of a person in a campaign, and when they are called again: tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from airflow_provider_callapi.calls.outcome import Outcome


class Result(StrEnum):
    """What became of a call, or of a person whom nobody called."""

    ANSWERED = "answered"
    BUSY = "busy"
    NOT_REACHED = "not_reached"
    OUR_SIDE = "our_side_did_not_answer"
    CAPACITY = "capacity"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    ACCOUNT = "account"
    INVALID = "invalid"
    DO_NOT_CALL = "do_not_call"
    NOT_CALLED = "not_called"


MEANING: dict[Result, str] = {
    Result.ANSWERED: "the contact picked up",
    Result.BUSY: "the line was busy",
    Result.NOT_REACHED: "it rang and nobody picked up, or the phone was off",
    Result.OUR_SIDE: "the employee or operator did not pick up",
    Result.CAPACITY: "the account had no free line: nobody's phone rang, and no attempt is used up",
    Result.WRONG_NUMBER: "there is no such number",
    Result.REFUSED: "the account may not call this number: blacklist, direction rules, tariff",
    Result.UNKNOWN: "the call is over, and nobody knows whether it was answered",
    Result.UNRESOLVED: "nobody knows whether the call was placed",
    Result.ACCOUNT: "the account could not call anybody: no money, limit, or component off",
    Result.INVALID: "the row makes no valid call: never dialled",
    Result.DO_NOT_CALL: "on the do_not_call list: not dialled any more",
    Result.NOT_CALLED: "the campaign ended before it was their turn",
}

_BY_REASON: dict[str, Result] = {
    "subscriber_busy": Result.BUSY,
    "subscriber_not_responsible": Result.NOT_REACHED,
    "timeout": Result.NOT_REACHED,
    "no_success_subscriber_call": Result.NOT_REACHED,
    "operator_busy": Result.OUR_SIDE,
    "operator_not_responsible": Result.OUR_SIDE,
    "no_success_operator_call": Result.OUR_SIDE,
    "employee_busy": Result.OUR_SIDE,
    "max_out_call_reached": Result.CAPACITY,
    "no_resources": Result.CAPACITY,
    "operator_channels_busy": Result.CAPACITY,
    "subscriber_number_problems": Result.WRONG_NUMBER,
    "incorrect_input": Result.WRONG_NUMBER,
    "numa_in_black_list": Result.REFUSED,
    "locked_numb": Result.REFUSED,
    "call_not_allowed_on_tp": Result.REFUSED,
    "out_call_not_allowed": Result.REFUSED,
    "external_call_not_allowed": Result.REFUSED,
    "not_enough_money": Result.ACCOUNT,
    "no_money": Result.ACCOUNT,
    "limit_exceeded": Result.ACCOUNT,
    "app_is_inactive": Result.ACCOUNT,
    "component_is_inactive": Result.ACCOUNT,
}
"""``finish_reason`` of the Data API, an open list: any other proves nothing."""

NO_ATTEMPT = frozenset({Result.CAPACITY, Result.ACCOUNT})
"""Nobody's phone rang: they use up no attempt."""

REDIAL: dict[Result, float | None] = {
    Result.BUSY: 600.0,
    Result.NOT_REACHED: 3600.0,
    Result.OUR_SIDE: None,
    Result.CAPACITY: 300.0,
    Result.ACCOUNT: 0.0,
}
"""Seconds after the call's end at which the person is called again; None, or not here: never."""


def result_of(call: Outcome) -> Result:
    """What became of a call that is over; where nobody said, it is not known."""
    if call.answered:
        return Result.ANSWERED
    return _BY_REASON.get(call.finish_reason or "", Result.UNKNOWN)


def redial_table(wishes: Mapping[str, float | None] | None) -> dict[Result, float | None]:
    """The defaults with an author's own delays, in seconds.

    :raises ValueError: names the field.
    """
    table = dict(REDIAL)
    for name, delay in (wishes or {}).items():
        if name not in REDIAL:
            raise ValueError(f"redial: {name!r} is not one of {', '.join(REDIAL)}")
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0):
            raise ValueError(f"redial.{name}: seconds, or null for never, are needed")
        table[Result(name)] = delay
    return table
