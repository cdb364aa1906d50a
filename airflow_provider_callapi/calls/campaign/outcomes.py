"""What can become of a person in a campaign, and when they are called again: tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from airflow_provider_callapi.calls.finish_reasons import FINISH_REASONS, FinishCategory
from airflow_provider_callapi.calls.outcome import Outcome


class Result(StrEnum):
    """What became of a call, or of a person whom nobody called."""

    ANSWERED = "answered"
    BUSY = FinishCategory.BUSY.value
    NOT_REACHED = FinishCategory.NOT_REACHED.value
    OUR_SIDE = FinishCategory.OUR_SIDE.value
    CAPACITY = FinishCategory.CAPACITY.value
    WRONG_NUMBER = FinishCategory.WRONG_NUMBER.value
    REFUSED = FinishCategory.REFUSED.value
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    ACCOUNT = FinishCategory.ACCOUNT.value
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
    Result.DO_NOT_CALL: "on the do_not_call list: not dialled, or not any more",
    Result.NOT_CALLED: "the campaign ended before it was their turn",
}

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
    if reason := FINISH_REASONS.get(call.finish_reason or ""):
        return Result(reason.value)
    return Result.UNKNOWN if call.answered is None else Result.NOT_REACHED


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
