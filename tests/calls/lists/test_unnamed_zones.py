"""Time zones in columns that the author has given another name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists.unnamed_zones import SignedColumns, refuse_unnamed_zone
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


def refused(value: Any, name: str = "place") -> bool:
    try:
        refuse_unnamed_zone({"phone": "79260000001", name: value}, 7)
    except ListUnreadable as refusal:
        return f"the column {name!r} holds time zones, see row 7: did you mean timezone" in str(refusal)
    return False


@pytest.mark.parametrize(
    "value",
    [
        *phrases(
            """
            Asia/Vladivostok | asia/vladivostok | ASIA/VLADIVOSTOK | \u200bAsia/Vladivostok
            As\u00adia\u2215Vladivostok | Asia / Vladivostok | America/New York | America/Port-au-Prince
            Asia/Vladivostok (UTC+10) | (UTC+10:00) Владивосток | Владивосток, Asia/Vladivostok
            etc/gmt-10 | UTC+10 | utc +10 | utc\u221205 | GMT+1000 | +10:00 | МСК | мск+7 | MCК + 7
            Владивосток МСК+7 | Vladivostok Standard Time
            """
        ),
        b"Asia/Vladivostok",
        ZoneInfo("Asia/Vladivostok"),
        timezone(timedelta(hours=10)),
        {"zone": "Asia/Vladivostok"},
        *phrases(
            """
            Asia-Vladivostok | asia_vladivostok | Asia.Vladivostok | Asia\\Vladivostok | America New York
            UTC: +10 | UTC(+10) | GMT (+10:00) | Мск. +7 | utc=+10 | Владивосток (UTC: +10)
            Владивосток, +7 МСК | +10 UTC (Владивосток) | Владивосток +10:00 GMT
            Vladivostok standard time | Asia%2FVladivostok | Аsia/Vladivostоk | Азия/Владивосток
            Европа / Москва
            """
        ),
        ["utc", -5],
    ],
)
def test_time_zones_in_a_column_with_another_name_are_refused(value: Any) -> None:
    assert refused(value)


@given(
    st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone))
    | st.builds("{}{:+d}".format, st.sampled_from(["UTC", "GMT", "MSK", "МСК"]), st.integers(-12, 14)),
    st.sampled_from([str, str.lower, str.upper, str.swapcase]),
    st.sampled_from(["{}", " {} ", "\u200b{}", "({})", "Город, {}", "{} (местное)", "'{}"]),
)
def test_no_spelling_hides_a_time_zone(zone: str, case: Callable[[str], str], form: str) -> None:
    assert refused(form.format(case(zone)))


@pytest.mark.parametrize("name", ["timezone", "tz", "utc_offset", "Часовой пояс"])
def test_a_time_zone_inside_an_object_is_noticed_by_its_name(name: str) -> None:
    assert refused({"city": "Omsk", name: 6})
    assert not refused({"city": "Omsk", "street": "Lenina 6"})


@pytest.mark.parametrize("zone", [{"tz": 7}, {"region": "Asia/Omsk"}, ["МСК+4"], {"at": {"utc_offset": 7}}])
@pytest.mark.parametrize("inside", [lambda zone: {"id": 5, "geo": zone}, lambda zone: [{"id": 5}, zone]])
@pytest.mark.parametrize("form", [lambda value: value, json.dumps, lambda value: [json.dumps(value)]])
def test_a_time_zone_is_noticed_at_any_depth_and_in_json(zone, inside, form) -> None:
    assert refused(form(inside(zone)))
    assert not refused(form(inside({"city": "Omsk", "numbers": [7, "7", None]})))


def test_a_text_that_only_begins_like_json_is_a_text() -> None:
    assert refused("[МСК+4]")
    assert not refused("[" * 100_000)


@pytest.mark.parametrize(
    "value",
    phrases(
        """
        Москва плюс 7 | МСК плюс 4 | Омск (мск плюс 3) | UTC Плюс 7 | плюс 4 к МСК | UTC minus 5
        Омск, +3 к МСК | Москва +7 | Омск (25 лет), UTC+6 | № 5 МСК+3 | утс+6 | Russia Time Zone 10
        RTZ 9 (зима) | Омское время | VLAT | Yekt
        """
    ),
)
def test_other_words_for_a_time_zone_are_noticed(value: str) -> None:
    assert refused(value)


@pytest.mark.parametrize(
    "value",
    phrases(
        """
        +7 МСК | +7 к Москве | +7 ч. от мск | -1 MSK | +10 UTC | +10:00 GMT | +1000 utc | UTC10
        GMT 10 | (+10:00) | [+10:00] | мск (+7) | мск+7ч
        """
    ),
)
def test_an_offset_in_any_order_of_words_is_a_time_zone(value: str) -> None:
    assert refused(value)


@pytest.mark.parametrize(
    "value",
    [
        *phrases(
            """
            Москва/Химки | Москва плюс | тариф плюс 5 | Plus 7 | магазин Москва Плюс 24
            Москва плюс область | Europe | Asia Pacific | Indian food | America-West | заказ 5 +7 МСК
            09:00 +0300 MSK | 1/2 | Alpha/Beta | и/или | рабочее время | EST | ул. Мира, 7
            с 10-12 по Москве | 2026-03-02 09:00 MSK+0300 | n/a | https://example.com/asia/omsk
            ул. Ленина, 5/2 | Европа/Азия | Европа/Россия | ТЦ Атлантика/Север | 50% | 100%25
            """
        ),
        ["zone", "id", 5],
        ["place", 5],
        *phrases(
            """
            2026-03-02 09:00:00+03:00 | 2 Mar 2026 09:00 GMT+0300 | 2026-03-02T09:00+03:00[Europe/Moscow]
            +7 926 000-00-01 | -1000 | +10 | 10:00 | GMT-5600 | Japan | Moscow | MSKA | мск1
            """
        ),
        "",
        None,
        datetime(2026, 3, 2, tzinfo=ZoneInfo("Europe/Moscow")),
        10,
        1.5,
        True,
    ],
)
def test_a_value_that_is_not_certainly_a_time_zone_is_accepted_in_any_column(value: Any) -> None:
    assert not refused(value)


@pytest.mark.parametrize(
    ("hours", "are_zones"),
    [
        ([-5, 3, 0], True),
        ([-3.5], True),
        ([5, 3], False),
        ([0], False),
        ([-5, 40], False),
        ([-100], False),
        ([-1 / 3600, 3], False),
    ],
)
def test_a_column_of_intervals_is_one_of_time_zones_only_if_some_are_negative(hours, are_zones) -> None:
    columns = SignedColumns()
    for line, value in enumerate(hours, start=1):
        columns.add({"phone": "79260000001", "interval": timedelta(hours=value)}, line)
    if are_zones:
        with pytest.raises(ListUnreadable, match="the column 'interval' holds time zones, see row"):
            columns.refuse()
    else:
        columns.refuse()


@pytest.mark.parametrize(
    "value",
    [
        *("Часовой пояс: +7", "timezone: +10", "VIP; tz=+3", "vip, Часовой пояс : +7 ч, Омск"),
        [{"name": "timezone", "value": "+10"}],
        [{"field_name": "Часовой пояс", "field_code": None, "values": [{"value": "Владивосток"}]}],
        '[{"key": "timezone", "value": "Omsk"}]',
    ],
)
def test_a_time_zone_with_its_name_beside_it_is_refused(value: Any) -> None:
    with pytest.raises(ListUnreadable, match="holds time zones"):
        refuse_unnamed_zone({"comment": value}, 1)


@pytest.mark.parametrize(
    "value", ["Скидка: +7", "a=+7", [{"name": "discount", "value": "+10"}], "x: +79260000001"]
)
def test_a_signed_number_with_another_name_is_no_time_zone(value: Any) -> None:
    refuse_unnamed_zone({"comment": value}, 1)
