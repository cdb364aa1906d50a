"""Any interval is refused with the name of the parameter, or its report can be requested and described."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.reports.report_dates import report_dates
from airflow_provider_callapi.calls.texts.time_texts import iso_time
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators._calls_report.interval import read_interval
from airflow_provider_callapi.operators._calls_report.options import REPORT_OPTIONS
from airflow_provider_callapi.parameters.kind import LONGEST_SECONDS
from airflow_provider_callapi.parameters.schema import read_parameter

HOURS = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
TIMES = st.datetimes(timezones=st.none() | HOURS) | st.sampled_from([datetime.min, datetime.max])
ZONES = st.sampled_from(["UTC", "Europe/Moscow", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12"])
WEEK = 7 * 86_400
NOW = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


@given(start=TIMES, end=TIMES, zone=ZONES, lookback=st.sampled_from([0.0, LONGEST_SECONDS]))
@example(datetime(1900, 1, 1), datetime.max, "America/New_York", LONGEST_SECONDS)
@example(datetime.min, datetime(2026, 3, 2), "Europe/Moscow", 0.0)
@example(datetime(2026, 3, 2), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))), "UTC", 0.0)
def test_an_interval_is_refused_by_name_or_its_report_can_be_requested(
    start: datetime, end: datetime, zone: str, lookback: float
) -> None:
    given_times = {"start": start, "end": end}
    too_early = [name for name, value in given_times.items() if value.year < 1900]
    for name in too_early:
        with pytest.raises(InvalidParameter, match=f"^{name}: "):
            read_parameter(name, given_times[name].isoformat(), REPORT_OPTIONS[name])
    assume(not too_early)
    times = {
        name: read_parameter(name, value.isoformat(), REPORT_OPTIONS[name])
        for name, value in given_times.items()
    }

    with suppress(CallApiFailure):  # the interval may be empty
        since, until = read_interval(cast(Any, SimpleNamespace(**times, lookback=lookback)), {}, zone)
        assert all(iso_time(moment) for moment in (since, until))
        assert report_dates(since - WEEK, min(until, NOW), zone)
