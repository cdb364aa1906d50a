"""Determines the period of time from which one try of the report operator loads the calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_callapi.api.times import zone
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._calls_report.options import ReportOptions

_LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
"""The last second that UTC can express in Python. A later end, in a zone west of UTC, means this second."""


def read_interval(options: ReportOptions, context: Mapping[str, Any], timezone: str) -> tuple[int, int]:
    """Return the beginning and the end of the interval whose calls the task loads, in epoch seconds.

    :raises CallApiFailure: the interval is empty.
    """
    moments = []
    for name in ("start", "end"):
        moment = getattr(options, name) or context.get(f"data_interval_{name}")
        if moment is None:
            raise CallApiFailure(f"{name}: the DAG run has no data interval; pass start and end")
        moments.append(_epoch_seconds(moment, timezone))
    since, until = moments[0] - int(options.lookback), moments[1]
    if since >= until:
        raise CallApiFailure(
            "start, end, lookback: the interval is empty. Many schedules give a run an empty data interval: "
            "pass lookback, or start and end, or use a timetable with data intervals"
        )
    return since, until  # a call that begins exactly at `until` is not in the interval


def _epoch_seconds(moment: datetime, timezone: str) -> int:
    """Return a time as whole epoch seconds. A time without an offset is in the account's time zone."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone(timezone))
    return min(int(aware.timestamp()), _LAST_SECOND)
