"""Decides whether and when a campaign calls a person again after an attempt."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.marks import FORMS, Mark, first_mark, read_marks

REDIAL_DELAYS: dict[Result, float | None] = {
    Result.BUSY: 600.0,
    Result.NOT_REACHED: 3600.0,
    Result.OUR_SIDE: None,
    Result.NETWORK: 600.0,
    Result.CAPACITY: 300.0,
    Result.ACCOUNT: 0.0,
}
"""The default of ``redial``: result → seconds from the end of a call to the redial; None: no redial.

After a result that the table does not contain, there is no redial. After a placed call, a person is called
again only if it is known that the person did not answer.
"""
_MAX_DOUBLINGS = 5
"""How many times the delay before a redial can double, while calls ring no phone.

Each of these calls costs points (rate-limit units), so a longer delay saves points.
"""


def redial_table(
    delays: Mapping[str, float | None] | None,
) -> tuple[dict[Result, float | None], dict[Mark, float | None]]:
    """Return the delays before a redial, as two dicts: (result → seconds, mark → seconds).

    A mark is an operation or a tag that a call may have. A delay counts from the end of the call. None in
    place of seconds: no redial. In the first dict, the author's delays replace the defaults
    (`REDIAL_DELAYS`).

    :param delays: the author's delays, such as ``{"busy": 300, "tag:36": None}``. Each key is a result in
        `REDIAL_DELAYS` or a mark. None: only the defaults.
    :raises ValueError: a result, a mark or a delay is not allowed. The message names the result or the mark.
    """
    by_result = dict(REDIAL_DELAYS)
    marks: dict[str, float | None] = {}
    for name, delay in (delays or {}).items():
        is_mark = isinstance(name, str) and ":" in name
        if not is_mark and name not in REDIAL_DELAYS:
            raise ValueError(f"redial: {name!r} is not one of {', '.join(REDIAL_DELAYS)}, {FORMS}")
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0):
            raise ValueError(f"redial.{name}: give seconds, or null for no redial")
        if is_mark:
            marks[name] = delay
        else:
            by_result[Result(name)] = delay
    try:
        return by_result, read_marks(marks)
    except ValueError as error:
        raise ValueError(f"redial: {error}") from None


def redial_time(attempt: Attempt, rules: Rules, now: float) -> float | None:
    """Return when to call a person again after a finished attempt, epoch seconds. None: there is no redial.

    The time is the end of the call plus a delay:

    - If the call has a mark (an operation or a tag) in the author's ``block_on``: there is no redial.
    - Otherwise, if the call has a mark in the author's ``redial``: the delay of the mark.
    - Otherwise, if the contact certainly did not answer: the delay of the result.
    - Otherwise: there is no redial.

    There is no redial after `Rules.max_attempts` calls, or after the end of dialling. Calls that rang no
    phone do not count as calls here. If the last call rang no phone, the delay doubles for each earlier call
    that rang no phone, at most to 32 times the delay.

    :param now: epoch seconds.
    """
    assert attempt.result is not None, "a finished attempt has a result"
    rung = attempt.attempt - attempt.unrung - attempt.rang_no_phone
    delay = _delay(attempt, attempt.result, rules)
    if delay is None or rung >= rules.max_attempts:
        return None
    factor = 2 ** min(attempt.unrung, _MAX_DOUBLINGS) if attempt.rang_no_phone else 1
    due = _ended_at(attempt, now) + delay * factor
    return due if due < rules.dial_until else None


def _delay(attempt: Attempt, result: Result, rules: Rules) -> float | None:
    """Return the seconds from the end of an attempt's call to the redial. None: there is no redial."""
    if first_mark(rules.block_marks, attempt.call):  # the person objected
        return None
    if mark := first_mark(rules.redial_marks, attempt.call):
        return rules.redial_marks[mark]
    may_have_answered = attempt.call is not None and attempt.call.answered is not False
    return None if may_have_answered else rules.redial.get(result)


def _ended_at(attempt: Attempt, now: float) -> float:
    """Return when the call of an attempt ended, in epoch seconds.

    If this time is unknown: when the attempt's result became known, or else ``now``.
    """
    known_at = attempt.result_known_at or now
    ended_at = attempt.call.ended_at if attempt.call else None
    # A time before the intent, after the known result or after now comes from a wrong clock or time zone.
    return min(max(ended_at or known_at, attempt.intended_at), known_at, now)
