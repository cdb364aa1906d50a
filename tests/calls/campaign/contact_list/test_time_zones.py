"""Time zones: read if they are certain."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.time_zones import is_backwards, read_time_zone


@given(
    st.integers(-12, 14),
    st.sampled_from(["{:+03d}:00", "UTC{:+d}", "GMT{:+d}", "utc {:+d}", "{:+03d}00", "UTC{:+d}:00"]),
)
def test_an_offset_is_the_zone_with_this_offset(hours: int, form: str) -> None:
    zone = read_time_zone(form.format(hours))
    assert zone is not None
    offset = datetime(2026, 3, 2, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Moscow", "Europe/Moscow"),
        (" Asia/Omsk\u200b", "Asia/Omsk"),
        ("MSK", "Europe/Moscow"),
        ("мск+4", "Etc/GMT-7"),
        ("МСК−1", "Etc/GMT-2"),
        ("Etc/GMT+3", "Etc/GMT+3"),
        ("UTC", "UTC"),
    ],
)
def test_the_names_of_time_zones_are_read(text: str, zone: str) -> None:
    assert read_time_zone(text) == zone


@pytest.mark.parametrize(
    "text",
    [
        *("+3", "3", "3.0", "Moscow", "Москва", "IST", "UTC+15", "-13:00", "+05:30", "", "/", "../UTC"),
        *("EST", " MST "),
        *("localtime", "posixrules", "Factory", "posix/UTC", "right/Europe/Moscow"),
    ],
)
def test_an_ambiguous_text_is_no_time_zone(text: str) -> None:
    assert read_time_zone(text) is None


def test_an_etc_gmt_zone_counts_as_backwards() -> None:
    assert is_backwards("Etc/GMT-3")
    assert not is_backwards("Europe/Moscow")
