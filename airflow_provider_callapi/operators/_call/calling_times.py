"""Decide when the task of a start operator may dial, by the calling hours and the task's time limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, year_in
from airflow_provider_callapi.calls.calling_hours.production_calendar import read_calling_hours
from airflow_provider_callapi.calls.lateness import too_late_reason
from airflow_provider_callapi.calls.time_texts import local_time
from airflow_provider_callapi.exceptions import CallApiFailure, CallTooLate
from airflow_provider_callapi.operators._call.options import CallOptions
from airflow_provider_callapi.task_context import TaskFacts


@dataclass(frozen=True)
class CallingTimes:
    """The times at which one try of a start operator may dial. Points in time are epoch seconds.

    :ivar hours: the calling hours and the calling days.
    :ivar timezone: IANA name of the contact's time zone.
    :ivar run_after: when the DAG run was due. None: ``max_lateness`` does not apply.
    :ivar max_lateness: the longest time from ``run_after`` to the call. None: no limit.
    :ivar execution_deadline: when ``execution_timeout`` ends the task. None: never.
    """

    hours: CallingHours
    timezone: str
    run_after: float | None
    max_lateness: timedelta | None
    execution_deadline: float | None

    @classmethod
    def of(cls, options: CallOptions, facts: TaskFacts, now: float) -> Self:
        """Return the calling times of one try of a start operator.

        :param options: the checked parameters of the operator.
        :param facts: the ids and the time limits of the task.
        :param now: epoch seconds. Workdays are read for the year of ``now``, the year before and the year
            after.
        :raises CallApiFailure: ``calling_days`` names workdays, and the workdays of the country in the option
            ``region`` are not known.
        """
        try:
            hours = read_calling_hours(
                options.calling_hours,
                options.calling_days,
                country=options.region,
                year=year_in(options.timezone, now),
            )
        except ValueError as error:
            raise CallApiFailure(f"{error}. No call was placed.") from None
        return cls(hours, options.timezone, facts.run_after, options.max_lateness, facts.execution_deadline)

    def refuse_closed(self, now: float) -> None:
        """Raise an error if the contact may not be called now: outside the calling hours or the calling days.

        :param now: epoch seconds.
        :raises OutsideCallingHours: the contact may not be called now. The exception contains the next time
            at which the contact may be called.
        """
        self.hours.refuse_closed(now, self.timezone)

    def refuse_useless_wait(self, now: float, opens_at: float) -> None:
        """Raise an error if the task could not call anyone after a wait for the calling hours.

        :param now: epoch seconds.
        :param opens_at: epoch seconds at which the contact may be called next.
        :raises CallApiFailure: the contact may never be called.
        :raises CallTooLate: ``max_lateness`` ends before ``opens_at``.
        :raises CallApiFailure: ``execution_timeout`` ends the task at ``opens_at`` or earlier.
        """
        if why := self.hours.why_never(now, self.timezone):
            raise CallApiFailure(f"{why}. No call was placed.")
        opening = f"the calling hours ({self.hours}) open at {local_time(opens_at, self.timezone)}"
        if too_late_reason(self.run_after, opens_at, self.max_lateness):
            raise CallTooLate(
                f"{opening}, after the end of max_lateness ({self.max_lateness}), so no call is placed; set "
                "a longer max_lateness to wait until then"
            )
        if self.execution_deadline is not None and opens_at >= self.execution_deadline:
            raise CallApiFailure(
                f"{opening}, after the end of execution_timeout, so no call is placed; set a longer "
                "execution_timeout to wait until then"
            )

    def describe_wait(self, opens_at: float) -> str:
        """Return a log line about the wait for the calling hours: the task waits until ``opens_at``.

        :param opens_at: epoch seconds at which the contact may be called.
        """
        return (
            f"waiting until {local_time(opens_at, self.timezone)}, because the contact may be called only in "
            f"the calling hours ({self.hours})"
        )
