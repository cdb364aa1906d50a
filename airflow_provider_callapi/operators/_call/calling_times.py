"""Decide when the task of a start operator may dial, by the calling hours and the task's time limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, year_in
from airflow_provider_callapi.calls.calling_hours.lateness import too_late_reason
from airflow_provider_callapi.calls.calling_hours.production_calendar import read_calling_hours
from airflow_provider_callapi.calls.texts.time_texts import local_time
from airflow_provider_callapi.exceptions import CallApiFailure, CallTooLate
from airflow_provider_callapi.operators._call.options import CallOptions
from airflow_provider_callapi.parameters.schema import as_invalid_parameter, nothing_sent
from airflow_provider_callapi.task_context.facts import TaskFacts


@dataclass(frozen=True)
class CallingTimes:
    """When one try of a start operator may call the contact. Points in time are epoch seconds."""

    hours: CallingHours
    timezone: str  # the IANA name of the contact's time zone
    run_after: float | None  # when the DAG run was due
    max_lateness: timedelta | None  # the longest time from run_after to the call
    execution_deadline: float | None

    @classmethod
    def of(cls, options: CallOptions, facts: TaskFacts, now: float) -> Self:
        """Return the times at which one try of a start operator may call.

        :raises CallApiFailure: the country's workdays are needed and not known.
        """
        with nothing_sent(), as_invalid_parameter():
            hours = read_calling_hours(
                options.calling_hours,
                options.calling_days,
                country=options.region,
                year=year_in(options.timezone, now),
            )
        return cls(hours, options.timezone, facts.run_after, options.max_lateness, facts.execution_deadline)

    def refuse_timeout(self, now: float) -> None:
        """Raise `AirflowTaskTimeout` if the task's ``execution_timeout`` is over at ``now``.

        The operator uses this method before each call.
        """
        # Airflow does not apply execution_timeout to a deferral, and a worker may resume the task late.
        if self.execution_deadline is not None and now >= self.execution_deadline:
            raise AirflowTaskTimeout("execution_timeout is up. This try places no call.")

    def refuse_closed(self, now: float) -> None:
        """Raise `OutsideCallingHours` if the contact must not be called at ``now``, in epoch seconds."""
        self.hours.refuse_closed(now, self.timezone)

    def refuse_useless_wait(self, now: float, opens_at: float) -> None:
        """Raise an error if the wait for the calling hours is useless.

        For example, a time limit of the task ends before the calling hours open. Times are epoch seconds.
        """
        if why := self.hours.why_never(now, self.timezone):
            raise CallApiFailure(f"{why}. This try placed no call.")
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
        """Return a log line that states until when the task waits for the calling hours.

        :param opens_at: when the calling hours open, epoch seconds. The line shows it as a local time.
        """
        return (
            f"waiting until {local_time(opens_at, self.timezone)}, because the contact may be called only in "
            f"the calling hours ({self.hours})"
        )
