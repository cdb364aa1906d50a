"""Lists the results that a person in a campaign can have, and finds the result of a call that is over."""

from __future__ import annotations

from enum import StrEnum

from airflow_provider_callapi.calls.outcomes.finish_reasons import FinishCategory
from airflow_provider_callapi.calls.outcomes.outcome import Outcome


class Result(StrEnum):
    """What became of an attempt, or why a person was not called. `RESULT_MEANINGS` explains each result."""

    ANSWERED = "answered"
    BUSY = FinishCategory.BUSY.value
    NOT_REACHED = FinishCategory.NOT_REACHED.value
    OUR_SIDE = FinishCategory.OUR_SIDE.value
    CAPACITY = FinishCategory.CAPACITY.value
    WRONG_NUMBER = FinishCategory.WRONG_NUMBER.value
    REFUSED = FinishCategory.REFUSED.value
    NETWORK = FinishCategory.NETWORK.value
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    ACCOUNT = FinishCategory.ACCOUNT.value
    INVALID = "invalid"
    DO_NOT_CALL = "do_not_call"
    CALLED_RECENTLY = "called_recently"
    NOT_CALLED = "not_called"


RESULT_MEANINGS: dict[Result, str] = {
    Result.ANSWERED: "the contact picked up",
    Result.BUSY: "the line was busy",
    Result.NOT_REACHED: "the contact did not pick up, or the phone was off",
    Result.OUR_SIDE: "the employee or operator did not pick up",
    Result.CAPACITY: "the account had no free line, and the attempt does not count",
    Result.WRONG_NUMBER: "the number does not exist",
    Result.REFUSED: "the account may not call this number: blacklist, direction rules, tariff",
    Result.NETWORK: "the telephone network or the service failed",
    Result.UNKNOWN: "the call has ended, and it is not known whether the contact picked up",
    Result.UNRESOLVED: "it is not known whether the call was placed",
    Result.ACCOUNT: "the account cannot place calls: no money, a limit, or a disabled component",
    Result.INVALID: "the row makes no valid call and is never dialled",
    Result.DO_NOT_CALL: "the person is on the do-not-call list",
    Result.CALLED_RECENTLY: "the person was called shortly before, and min_gap forbids another call so soon",
    Result.NOT_CALLED: "the campaign ended before this person's turn",
}

NEVER_CALLABLE = (Result.INVALID, Result.DO_NOT_CALL, Result.CALLED_RECENTLY)
"""Results of people whom the campaign must not call. The shares of a campaign do not count these people."""

RANG_NO_PHONE = frozenset({Result.CAPACITY, Result.ACCOUNT})
"""Results of calls that ring no phone, unless the contact may have answered: see `Attempt.rang_no_phone`."""

_NEEDS_AN_UNANSWERED_CALL = frozenset({Result.BUSY, Result.NOT_REACHED, Result.WRONG_NUMBER})
"""Results which mean that the contact did not answer.

If it is not known whether the contact answered, `Result.UNKNOWN` replaces these results.
"""


def result_of(call: Outcome) -> Result:
    """Return the result of a call that is over, such as `Result.ANSWERED` or `Result.BUSY`.

    - If the contact answered: the result is `Result.ANSWERED`.
    - If the contact did not answer: the finish reason determines the result.
    - If it is unknown whether the contact answered: the finish reason determines the result, but
      `Result.UNKNOWN` replaces ``BUSY``, ``NOT_REACHED`` and ``WRONG_NUMBER``.
    """
    if call.answered:
        return Result.ANSWERED
    result = Result(call.finish_category.value) if call.finish_category else Result.NOT_REACHED
    if call.answered is None and result in _NEEDS_AN_UNANSWERED_CALL:
        return Result.UNKNOWN
    return result
