"""Decides whether and when a campaign calls a person again after an attempt."""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.marks import first_mark

_MAX_DOUBLINGS = 5
"""How many times the delay before a redial can double, while calls ring no phone.

Each of these calls costs points (rate-limit units), so a longer delay saves points.
"""


def redial_time(attempt: Attempt, rules: Rules, now: float) -> float | None:
    """Return when to call a person again after a finished attempt, epoch seconds.

    The redial delay starts at the end of the call:

    - If the author gives a delay for a mark (an operation or a tag) of the call, this delay applies, even if
      the contact answered.
    - Otherwise, the delay for the attempt's result applies, but only if the contact certainly did not answer.

    If the call rang no phone, for example because the account had no free line, the delay doubles for each
    earlier call to the person that rang no phone either. The longest delay is 32 times the normal delay.
    Calls that rang no phone do not count against ``max_attempts``.

    :param now: epoch seconds. The function uses this time if the attempt does not state when its result
        became known.
    :return: the time. None: do not call again, because no delay applies, or the person has had
        ``max_attempts`` calls, or dialling ends before the redial is due.
    """
    assert attempt.result is not None, "a finished attempt has a result"
    rang_no_phone = attempt.result in RANG_NO_PHONE
    rung = attempt.attempt - attempt.unrung - rang_no_phone
    delay = _delay(attempt, attempt.result, rules)
    if delay is None or rung >= rules.max_attempts:
        return None
    factor = 2 ** min(attempt.unrung, _MAX_DOUBLINGS) if rang_no_phone else 1
    due = _ended_at(attempt, now) + delay * factor
    return due if due < rules.dial_until else None


def _delay(attempt: Attempt, result: Result, rules: Rules) -> float | None:
    """Return the seconds from the end of an attempt to the redial; None: do not call again.

    A mark of the call (an operation or a tag) takes precedence over the result. If no mark applies and the
    contact may have answered, the function returns None.
    """
    if mark := first_mark(rules.redial_marks, attempt.call):
        return rules.redial_marks[mark]
    may_have_answered = attempt.call is not None and attempt.call.answered is not False
    return None if may_have_answered else rules.redial.get(result)


def _ended_at(attempt: Attempt, now: float) -> float:
    """Return when the call ended, epoch seconds.

    If the end is unknown, return when the result became known.

    A call ends after its intent was stored, and before its result became known. A time outside these limits
    comes from a wrong clock or time zone: the function then returns the nearer limit.

    :param now: epoch seconds. The function uses this time if the attempt does not state when its result
        became known.
    """
    known_at = attempt.result_known_at or now
    ended_at = attempt.call.ended_at if attempt.call else None
    return min(max(ended_at or known_at, attempt.intended_at), known_at)
