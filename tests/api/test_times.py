"""Times of the services are read in the account's zone, and written in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pendulum
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.times import parse_time, report_time

FORMS = {
    "2016-10-19T 12:26:48Z": datetime(2016, 10, 19, 12, 26, 48, tzinfo=UTC),
    "2016-10-19T12:26:48Z": datetime(2016, 10, 19, 12, 26, 48, tzinfo=UTC),
    "2016-10-19 12:26:48": datetime(2016, 10, 19, 9, 26, 48, tzinfo=UTC),
    "2016-10-19T12:26:48.418": datetime(2016, 10, 19, 9, 26, 48, 418000, tzinfo=UTC),
    "2016-10-19 12:26:48.418": datetime(2016, 10, 19, 9, 26, 48, 418000, tzinfo=UTC),
    "  2016-10-19 12:26:48\n": datetime(2016, 10, 19, 9, 26, 48, tzinfo=UTC),
}


@pytest.mark.parametrize("text", FORMS)
def test_three_forms_of_a_time_are_read_and_a_text_without_a_zone_is_in_the_accounts_zone(text: str) -> None:
    parsed = parse_time(text, "Europe/Moscow")
    assert parsed == FORMS[text]
    assert isinstance(parsed, datetime)
    assert parsed.utcoffset() == datetime.now(UTC).utcoffset()


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2024-01-15 12:00:00", "Europe/Berlin", 11),
        ("2024-07-15 12:00:00", "Europe/Berlin", 10),
        ("2024-07-15 12:00:00", "Europe/Kaliningrad", 10),
        ("2014-07-15 12:00:00", "Europe/Moscow", 8),  # +4 in 2011-2014
        ("2024-03-31 02:30:00", "Europe/Berlin", 1),  # skipped by the clocks: 03:30 summer time
        ("2024-07-15 12:00:00", "Asia/Vladivostok", 2),
    ],
)
def test_zones_keep_their_rules_of_that_day(text: str, zone: str, hour: int) -> None:
    assert parse_time(text, zone).hour == hour


def test_a_time_in_the_hour_that_occurs_twice_is_read_as_the_later_one() -> None:
    assert parse_time("2024-10-27 02:30:00", "Europe/Berlin").hour == 1


@given(moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_time_that_is_written_and_read_again_is_unchanged(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    here = pendulum.instance(moment).in_timezone("Asia/Yekaterinburg")
    if here.utcoffset() != here.add(hours=2).utcoffset():
        return  # inside a change of the clocks
    if here.utcoffset() != here.subtract(hours=2).utcoffset():
        return
    assert parse_time(here.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], "Asia/Yekaterinburg") == moment


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["Europe/Moscow", "Europe/Berlin", "Asia/Yekaterinburg", "America/New_York", "UTC"]),
    st.sampled_from(["", "Z", "+03:00", "-0930"]),
)
def test_a_time_means_what_pendulum_reads_even_when_the_clocks_change(
    moment: datetime, timezone: str, offset: str
) -> None:
    text = moment.isoformat() + offset
    assert parse_time(text, timezone).timestamp() == pendulum.parse(text, tz=timezone).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "P1D",
        "2016-13-01 00:00:00",
        "2016-02-30 00:00:00",
        "2016-10-19 12:26:48 MSK",
        "2016-10-19/2016-10-20",
        "19.10.2016 12:26:48",
        "12:26:48",
        "now",
        "2016",
        "2016-10-19",
    ],
)
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with time_machine.travel(0, tick=False), pytest.raises(ValueError):  # noqa: PT011
        parse_time(text, "Europe/Moscow")


def test_an_unknown_zone_is_a_value_error() -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_time("2016-10-19 12:26:48", "Mars/One")


@pytest.mark.parametrize(
    ("zone", "text"), [("UTC", "1970-01-02 00:00:00"), ("Europe/Moscow", "1970-01-02 03:00:00")]
)
def test_a_report_time_is_in_the_accounts_zone(zone: str, text: str) -> None:
    assert report_time(86_400.0, zone) == text
