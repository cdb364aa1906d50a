"""The forms in which an author states on which days people may be called."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given as drawn
from hypothesis import strategies as st

from airflow_provider_callapi.calls.calling_hours.days import CallingDays

WEEK = frozenset(range(7))


@pytest.mark.parametrize(
    ("given", "days"),
    [
        (["mon", "tue"], CallingDays(frozenset({0, 1}))),
        (("Monday", "SUN"), CallingDays(frozenset({0, 6}))),
        ({"fri"}, CallingDays(frozenset({4}))),
        ("sat", CallingDays(frozenset({5}))),
        ("workdays", CallingDays(None)),
        (["Workdays"], CallingDays(None)),
        ({"days": "workdays"}, CallingDays(None)),
        ({"except": ["2026-12-31"]}, CallingDays(WEEK, excluded=frozenset({date(2026, 12, 31)}))),
        (
            {"days": ["mon"], "also": "2026-11-01"},
            CallingDays(frozenset({0}), frozenset({date(2026, 11, 1)})),
        ),
        ({"also": None, "except": []}, CallingDays(WEEK)),
        ({"also": (), "except": None}, CallingDays(WEEK)),
    ],
)
def test_each_form_of_the_calling_days_is_read(given: Any, days: CallingDays) -> None:
    assert CallingDays.of(given) == days


def test_the_days_and_dates_need_no_quotes_in_yaml() -> None:
    given = yaml.safe_load("{days: workdays, also: [2026-11-01], except: [2026-12-31, '2027-01-11']}")
    excluded = frozenset({date(2026, 12, 31), date(2027, 1, 11)})
    assert CallingDays.of(given) == CallingDays(None, frozenset({date(2026, 11, 1)}), excluded)


@pytest.mark.parametrize(
    "given",
    [
        *([], {}, "", "someday", "holidays", ["workdays", "sat"], [None], 5, b"mon", [["mon"]]),
        *({"day": "mon"}, {"days": []}, {"days": None}, {"days": {"mon": 1}}, {"except": ["31.12.2026"]}),
        *({"except": [20261231]}, {"also": {"2026-12-31": 1}}, {"also": [datetime(2026, 12, 31)]}),
        {"also": ["2026-12-31"], "except": ["2026-12-31"]},
    ],
)
def test_other_forms_of_the_calling_days_are_refused(given: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        CallingDays.of(given)


@pytest.mark.parametrize("key", ["also", "except"])
@pytest.mark.parametrize(
    "value", ["", " ", 0, 0.0, False, {}, b"", [""], [None], [0], [False], ["2026-02-30"]]
)
def test_only_none_and_an_empty_list_mean_no_dates(key: str, value: Any) -> None:
    for days in ({key: value}, {"days": "workdays", key: value}):
        with pytest.raises(ValueError, match=f"^{key}: "):
            CallingDays.of(days)


@drawn(st.dates(), st.sampled_from(["{}", " {}", "{}\n"]))
def test_a_date_is_written_as_year_month_and_day(day: date, form: str) -> None:
    assert CallingDays.of({"except": [form.format(day.isoformat())]}).excluded == {day}


@drawn(
    st.dates(date(1000, 1, 1)),
    st.sampled_from(["%G-W%V-%u", "%G-W%V", "%GW%V%u", "%GW%V", "%Y%m%d", "%Y-%j"]),
)
def test_a_date_in_another_form_of_iso_8601_is_refused(day: date, form: str) -> None:
    with pytest.raises(
        ValueError, match=r"^except: a date, such as 2026-12-31, is needed; the value is a text"
    ):
        CallingDays.of({"except": [day.strftime(form)]})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (["monday", "tues"], "^'tues' is not a weekday: write mon, tue, wed"),
        ("пн", "^'пн' is not a weekday"),
        (["mon", 2], "^entry 2 is another number, and not a weekday"),
        (["79260000001"], "^entry 1 is a text, and not a weekday"),
        (["mon", "workdays"], "^workdays must be the only entry$"),
        ({"days": ["tues"]}, "^days: names of weekdays, .*; 'tues' is not a weekday"),
    ],
)
def test_the_error_of_weekdays_shows_a_word_that_is_none_and_no_other_value(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        CallingDays.of(value)


def test_a_workday_is_unknown_without_a_calendar() -> None:
    days = CallingDays.of({"days": "workdays", "also": ["2026-01-03"], "except": ["2026-01-04"]})
    assert [days.allow(date(2026, 1, day)) for day in (3, 4, 5)] == [True, False, None]
    assert (days.needs_calendar, days.is_every_day, str(days)) == (
        True,
        False,
        "workdays, 1 more day except 1 day",
    )
