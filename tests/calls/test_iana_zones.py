"""A time zone has a name that this machine knows. Two zones are one if their clocks agree all year."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.iana_zones import have_same_times, is_iana_zone


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
