"""What a campaign logs before it dials: the people, the points that they need, and the expected duration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.texts.time_texts import local_time

_ROWS_SHOWN = 10
_ZONES_SHOWN = 5
_LONG_WAIT = 60.0
"""If the first call waits for more than this many seconds, the log shows why."""


@dataclass(frozen=True)
class Line:
    """One line that a campaign writes to the task's log: the text, and whether the line is a warning."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Announcement:
    """Describes what a campaign is about to do, as lines for the task's log or as a dict of numbers.

    :ivar name: the campaign's name.
    :ivar campaign: the campaign that is about to dial.
    :ivar to_be_called: how many people the campaign is going to call.
    :ivar excluded: how many people are left out, because they are on the do-not-call list.
    :ivar timezone: IANA name of the time zone in which the log shows times.
    :ivar writes_results: whether the campaign writes the rows of the list with their results.
    """

    name: str
    campaign: Campaign
    to_be_called: int
    excluded: int
    timezone: str
    writes_results: bool = False

    def plan_lines(self) -> Iterator[Line]:
        """Yield log lines: how many people the campaign calls, how many people are left out, and why."""
        campaign, plan = self.campaign, self.campaign.plan
        yield Line(
            f"Campaign {self.name}: {count_text(self.to_be_called, 'person', 'people')} to be called, "
            f"{campaign.finished} finished before, {count_text(campaign.active, 'active call')}, "
            f"{count_text(len(plan.invalid), 'invalid row')}, "
            f"{count_text(len(plan.duplicates), 'duplicate row')}, {self.excluded} on the do_not_call list"
        )
        yield from self._zone_lines()
        for warning in plan.warnings:
            yield Line(warning, is_warning=True)
        for skipped in plan.invalid[:_ROWS_SHOWN]:
            yield Line(f"Row {skipped.line} is skipped: {skipped.why}", is_warning=True)
        if len(plan.invalid) > _ROWS_SHOWN:
            more = count_text(len(plan.invalid) - _ROWS_SHOWN, "more row is skipped", "more rows are skipped")
            where = "; the results list all skipped rows" if self.writes_results else ""
            yield Line(f"… and {more}{where}", is_warning=True)

    def _zone_lines(self) -> Iterator[Line]:
        """Yield the line that shows in which time zones the calling hours apply, if there are such hours."""
        hours, people = self.campaign.rules.hours, self.campaign.plan.people
        if not people or hours.is_always_open:
            return
        zones = Counter(person.zone for person in people)
        shown = [
            f"{zone} ({count_text(count, 'person', 'people')})"
            for zone, count in zones.most_common(_ZONES_SHOWN)
        ]
        if len(zones) > _ZONES_SHOWN:
            shown.append(count_text(len(zones) - _ZONES_SHOWN, "more time zone"))
        yield Line(f"Calling hours {hours.opens:%H:%M} to {hours.closes:%H:%M} in {', '.join(shown)}")

    def forecast_lines(self, now: float) -> Iterator[Line]:
        """Yield the log lines that a campaign writes before its first call.

        - The points (rate-limit units) and minutes that one call to each person needs. The method omits this
          line if it cannot compute the minutes. If the cost of a call is not known yet, the line assumes one
          point.
        - A warning, if there is no Data API, so that no one gets a redial.
        - A warning, if the calling hours go over midnight.
        - A warning, if ``max_lateness`` ends too early for some of the people.
        - The time of the campaign's first call, if it must wait for more than a minute.

        :param now: the present time, epoch seconds.
        """
        campaign, forecast = self.campaign, self.forecast()
        rules = campaign.rules
        if self.to_be_called and forecast["minutes_needed"] is not None:
            is_known = campaign.pacing.points.known_cost
            guess = "" if is_known else " (taking 1 point a call: the real cost is not known yet)"
            yield Line(
                f"The first calls need about {count_text(forecast['points_needed'], 'point')}{guess} and at "
                f"least {timedelta(minutes=forecast['minutes_needed'])} of calling at the present limits; "
                f"the bottleneck: {self._bottleneck()[1]}. Redials are not included"
            )
        has_redials = rules.max_attempts > 1 and any(delay is not None for delay in rules.redial.values())
        if self.to_be_called and has_redials and not rules.has_data_api:
            yield Line(
                "The connection does not use the Data API, so the result of a placed call is answered or "
                "unknown, and no one is called again because of the result. For such redials, set "
                "extra.data_api of the connection to true",
                is_warning=True,
            )
        if rules.hours.over_midnight:
            yield Line("calling_hours go over midnight: people are called at night", is_warning=True)
        dial_at, why = campaign.dial_queue.next_dial(now)
        if self.to_be_called and (problem := self._too_short(now, dial_at)):
            yield Line(problem, is_warning=True)
        if campaign.waiting and now + _LONG_WAIT < dial_at < rules.dial_until:
            yield Line(f"The first call waits until {local_time(dial_at, self.timezone)} for {why}")

    def _too_short(self, now: float, dial_at: float) -> str | None:
        """Return why ``max_lateness`` ends too early. None: as far as is known, the time is long enough.

        :param dial_at: when the first person may be called, epoch seconds.
        """
        end = self.campaign.rules.dial_until
        if end == NEVER:
            return None
        shown = local_time(end, self.timezone)
        if late := self.campaign.dial_queue.count_late(now):
            return (
                f"max_lateness ends at {shown}, before the calling hours of "
                f"{count_text(late, 'person', 'people')}, who will not be called"
            )
        minutes = self._bottleneck()[0]
        if math.isfinite(minutes) and dial_at + minutes * 60 > end:
            return f"max_lateness ends at {shown}, before a call to each person: some will not be called"
        return None

    def forecast(self) -> dict[str, Any]:
        """Return how many people are to be called, and the points and minutes for one call to each of them.

        Points are the units of the API's rate limits. Redials are not included.

        :return: for example ``{"to_be_called": 500, "points_needed": 1000, "minutes_needed": 25}``. If the
            duration is unknown, ``minutes_needed`` is None.
        """
        minutes = self._bottleneck()[0]
        return {
            "to_be_called": self.to_be_called,
            "points_needed": self.to_be_called * self.campaign.pacing.points.cost,
            "minutes_needed": math.ceil(minutes) if math.isfinite(minutes) else None,
        }

    def _bottleneck(self) -> tuple[float, str]:
        return self.campaign.pacing.forecast(self.to_be_called, self.campaign.rules.max_active)
