"""Decides when the task of a campaign defers and frees its worker, and when the task needs a worker again."""

from __future__ import annotations

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.run.runner import NextStep, Runner

_SHORTEST = 60.0
"""The task does not defer if the wait is shorter than this many seconds.

The account gets new points (rate-limit units) each minute, so shorter waits are part of dialling.
"""
_LONGEST = 3600.0
_TIMES_PREPARATION = 10.0
"""The task defers for at least this many times the duration of reading the contact list and the ledger."""
_LONGEST_WITH_CALLS = 300.0
"""While calls are active, the task defers for at most this many seconds.

After this time, the task fetches the reports of calls that ended meanwhile, because some of the people may
be due for a redial.
"""
_LONGEST_PAUSED = 120.0
"""A paused campaign defers for at most this many seconds.

While the task is deferred, it cannot read that a user has resumed the campaign.
"""


def may_defer_until(runner: Runner, next_step: NextStep, now: float, *, preparation: float) -> float | None:
    """Return the latest time until which the task of a campaign can defer, in epoch seconds.

    :param next_step: the return value of the last `Runner.step`. It states when the next person may be
        dialled.
    :param now: epoch seconds.
    :param preparation: how many seconds a resumed task needs to read the contact list and the ledger.
    :return: the time. None: the task must not defer now, for example because it searches for an unconfirmed
        call.
    """
    campaign = runner.campaign
    tag_at = runner.next_tag_at if campaign.tags.has_finished_call_to_tag else NEVER
    wake_at = min(next_step.dial_at, tag_at, now + _LONGEST)
    if (
        wake_at < now + _SHORTEST
        or campaign.has_unconfirmed_calls
        or runner.last_poll_failed
        or campaign.tags.has_answered_call_to_tag
        or campaign.reports.has_late(now)
    ):
        return None
    if campaign.dial_queue.paused is not None:
        wake_at = min(wake_at, now + max(_LONGEST_PAUSED, _TIMES_PREPARATION * preparation))
    if campaign.reports.needed:
        wake_at = min(wake_at, max(runner.next_report_at, now + _TIMES_PREPARATION * preparation))
    elif campaign.watched_calls.by_session() and campaign.rules.has_data_api:
        wake_at = min(wake_at, now + _LONGEST_WITH_CALLS)
    return wake_at
