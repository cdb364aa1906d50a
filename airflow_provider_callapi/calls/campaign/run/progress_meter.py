"""Measures how far a running campaign is, for its log and for the progress that it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.progress import OVER, CampaignProgress
from airflow_provider_callapi.calls.texts.count_texts import count_text

_SOON = 1.0
"""Seconds. A campaign whose next call is due within this time dials and does not wait."""
_GOING_ON = ("dialling", "waiting")


class ProgressMeter:
    """Measures how far a campaign is, and how many people are finished per minute.

    :param now: when the measurement begins, epoch seconds.
    """

    def __init__(self, campaign: Campaign, now: float) -> None:
        self._campaign = campaign
        self._began_at = now
        self._finished_before = campaign.finished

    def measure(
        self,
        name: str,
        *,
        shard: str | None,
        owner: Sequence[str],
        connection: str,
        files: Sequence[str],
        now: float,
        next_at: float,
    ) -> CampaignProgress:
        """Return how far the campaign is now.

        :param name: the campaign's name.
        :param shard: the part of the list that this task calls, such as ``2/4``; None: the whole list.
        :param owner: dag id, run id, task id and map index of the task.
        :param connection: id of the Airflow connection.
        :param files: the paths of the results file and of the campaign report.
        :param now: epoch seconds.
        :param next_at: when the campaign publishes its next progress at the latest, epoch seconds.
        """
        campaign = self._campaign
        doing, why = self._doing(now)
        pace = self._per_second(now)
        total = len(campaign.plan.people)
        return CampaignProgress(
            campaign=name,
            shard=shard or "",
            owner=tuple(owner),
            connection=connection,
            files=tuple(files),
            sessions=tuple(campaign.watched_calls.by_session()),
            people=total,
            finished=campaign.finished,
            active=campaign.active,
            waiting=campaign.waiting,
            results={result.value: number for result, number in campaign.finished_by_result.items()},
            doing=doing,
            why=why,
            per_minute=None if pace is None else round(60 * pace, 1),
            ends_at=now + (total - campaign.finished) / pace if pace and doing in _GOING_ON else None,
            at=now,
            next_at=next_at,
        )

    def line(self, now: float) -> str:
        """Return how far the campaign is, as one line of text for the log.

        Example: ``36 of 40 people finished, 2 active calls, 2 waiting, 180 points left in this minute``.

        :param now: epoch seconds.
        """
        campaign = self._campaign
        total, finished = len(campaign.plan.people), campaign.finished
        line = (
            f"{finished} of {count_text(total, 'person', 'people')} finished, "
            f"{count_text(campaign.active, 'active call')}, {campaign.waiting} waiting"
        )
        if campaign.unreported:
            line += f", {campaign.unreported} without the Data API's report"
        if campaign.pacing.points.left_in_minute is not None:
            line += f", {count_text(campaign.pacing.points.left_in_minute, 'point')} left in this minute"
        dial_at, why = campaign.dial_queue.next_dial(now)
        if campaign.waiting and dial_at > now + _SOON:
            line += f", dialling waits for {why}"
            if dial_at < NEVER:
                line += f" ({timedelta(seconds=round(dial_at - now))})"
        pace = self._per_second(now)
        if pace and finished < total and campaign.dial_queue.stopped is None:
            line += f"; at this pace {timedelta(seconds=round((total - finished) / pace))} to go"
        return line

    def _doing(self, now: float) -> tuple[str, str]:
        """Return what the campaign does and why, e.g. ``("waiting", "the next redial")``.

        The values are those of `CampaignProgress`.
        """
        campaign = self._campaign
        if campaign.over:
            return OVER, campaign.dial_queue.stopped or ""
        if campaign.dial_queue.stopped is not None:
            return "stopped", campaign.dial_queue.stopped
        if campaign.dial_queue.paused is not None:
            return "paused", campaign.dial_queue.paused
        dial_at, why = campaign.dial_queue.next_dial(now)
        return ("waiting", why) if dial_at > now + _SOON else ("dialling", "")

    def _per_second(self, now: float) -> float | None:
        """Return how many people were finished per second since this `ProgressMeter` was created.

        None: no one has been finished since then.
        """
        finished = self._campaign.finished - self._finished_before
        return finished / (now - self._began_at) if finished and now > self._began_at else None
