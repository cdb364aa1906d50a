"""A time zone has a name that this machine knows. Two zones are one if their clocks agree all year."""

from __future__ import annotations

import struct
import zoneinfo

import pytest
from phrases import phrases

from airflow_provider_callapi.calls.iana_zones import have_same_times, is_certain_zone, is_iana_zone


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Europe/Moscow", "Europe/Moscow", True),
        ("Europe/Moscow", "Europe/Simferopol", True),
        ("Europe/Berlin", "Europe/Paris", True),
        ("Europe/Berlin", "Africa/Lagos", False),  # the same time in winter only
        ("Europe/Moscow", "Asia/Yekaterinburg", False),
    ],
)
def test_two_time_zones_are_the_same_if_their_clocks_agree_all_year(first, second, same):
    assert have_same_times(first, second, 2026) is same


UTC_FILE = struct.pack(">4s16x6lL2x4s", b"TZif", 0, 0, 0, 0, 1, 4, 0, b"UTC")
"""The smallest file of a time zone."""


@pytest.mark.parametrize(
    "name",
    [
        *("Moscow", "Moscow Time", "", "Europe", "Europe/Moscow\0"),
        *("../etc/passwd", "../../etc/passwd", "/etc/localtime"),
    ],
)
def test_only_a_name_of_the_iana_list_is_a_zone(name):
    assert is_iana_zone("Asia/Omsk")
    assert not is_iana_zone(name)


@pytest.fixture
def machine_zones(tmp_path):
    """Return a function that adds a file to the only tz database of the machine."""

    def add(name: str) -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(UTC_FILE)

    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    yield add
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize(
    "name",
    phrases(
        """
        localtime | posixrules | Factory | LOCALTIME | factory | posix/Europe/Moscow
        right/Europe/Moscow | right/UTC | Posix/GB
        """
    ),
)
def test_a_file_of_the_tz_database_that_is_no_place_is_no_zone(machine_zones, name):
    machine_zones(name)
    assert zoneinfo.ZoneInfo(name)
    assert not is_iana_zone(name)


@pytest.mark.parametrize("name", ["Europe/Moscow", "Etc/GMT-3", "GB", "W-SU", "Zulu", "America/New_York"])
def test_every_other_file_of_the_tz_database_is_a_zone(machine_zones, name):
    machine_zones(name)
    assert is_iana_zone(name)


@pytest.mark.parametrize(
    ("name", "certain"),
    [("EST", False), ("MST", False), ("MSK", False), ("EST5EDT", True), ("Asia/Omsk", True)],
)
def test_an_abbreviation_that_may_mean_two_zones_is_no_certain_zone(name, certain):
    assert is_certain_zone(name) is certain
