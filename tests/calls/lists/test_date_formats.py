"""A date, a time and a duration have the text that their cell shows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.date_formats import date_text, shows_date

DAY = datetime(2026, 12, 1)
MOMENT = datetime(2026, 12, 1, 9, 5, 7)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (DAY, "DD.MM.YYYY", "01.12.2026"),
        (date(2026, 12, 1), "dd.mm.yyyy", "01.12.2026"),
        (MOMENT, "dd.mm.yyyy;@", "01.12.2026"),
        (DAY, r"dd\.mm\.yyyy", "01.12.2026"),
        (DAY, r"[$-419]dd\.mm\.yy;@", "01.12.26"),
        (DAY, "d.m.yyyy", "1.12.2026"),
        (DAY, "m/d/yyyy", "12/1/2026"),
        (DAY, r"yyyy\-mm\-dd", "2026-12-01"),
        (DAY, 'dd.mm.yyyy" г."', "01.12.2026"),
        (DAY, "mm.yyyy", "12.2026"),
        (MOMENT, r"dd.mm.yyyy\ hh:mm", "01.12.2026 09:05"),
        (MOMENT, "yyyy-mm-dd h:mm:ss", "2026-12-01 9:05:07"),
        (MOMENT, "h:mm", "9:05"),
        (time(18, 30), "hh:mm", "18:30"),
        (time(18, 30), "h:mm:ss", "18:30:00"),
        (time(0, 30, 15), "mm:ss", "30:15"),
        (time(18, 30, 0, 500000), "h:mm", "18:30"),
        (timedelta(hours=30), "[h]:mm", "30:00"),
        (timedelta(hours=6, seconds=5), "[hh]:mm:ss;@", "06:00:05"),
    ],
)
def test_a_usual_format_gives_the_shown_text(value: Any, number_format: str, text: str) -> None:
    assert date_text(value, number_format) == text


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (DAY, "mm-dd-yy", "01.12.2026"),
        (MOMENT, "m/d/yy h:mm", "01.12.2026 09:05"),
        (DAY, r"[$-F800]dddd\,\ mmmm\ dd\,\ yyyy", "01.12.2026"),
        (DAY, r'[$-FC19]d\ mmmm\ yyyy" г."', "01.12.2026"),
        (DAY, "yyyymmdd", "01.12.2026"),
        (DAY, "d-mmm", "01.12"),
        (DAY, "mmm-yy", "12.2026"),
        *((DAY, form, "01.12.2026") for form in ("dddd", "mmmm", "ddd d mmm", "dddd dd")),
        (MOMENT, "dddd, h:mm", "01.12.2026 09:05"),
        (time(18, 30), r"[$-F400]h:mm:ss\ AM/PM", "18:30:00"),
        (time(18, 30), 'h" ч "mm" мин"', "18:30"),
    ],
)
def test_a_format_with_words_or_of_the_system_gives_the_same_numbers_in_one_order(
    value: Any, number_format: str, text: str
) -> None:
    assert date_text(value, number_format) == text


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        (DAY, "General"),
        (time(18, 30), "dd.mm.yyyy"),
        (time(18, 30, 0, 700000), "h:mm:ss"),
        (time(0, 30), "mmss.0"),
        (timedelta(hours=-1), "[h]:mm"),
        (timedelta(hours=1), "[mm]:ss"),
        (timedelta(seconds=0.5), "[h]:mm:ss"),
    ],
)
def test_a_value_without_certain_numbers_has_no_text(value: Any, number_format: str) -> None:
    assert date_text(value, number_format) is None


@given(st.datetimes(), st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%d.%m.%Y %H:%M", "%H:%M"]))
def test_the_text_has_the_numbers_of_the_value(value: datetime, form: str) -> None:
    number_format = form
    for code, part in {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%H": "hh", "%M": "mm"}.items():
        number_format = number_format.replace(code, part)

    text = date_text(value, number_format)

    assert text is not None
    assert text == form.replace("%Y", f"{value.year:04}").replace("%d", f"{value.day:02}").replace(
        "%m", f"{value.month:02}"
    ).replace("%H", f"{value.hour:02}").replace("%M", f"{value.minute:02}")


@given(st.datetimes() | st.times() | st.timedeltas(), st.text('dmyhs.:/-[];\\" ,aAпP', max_size=14))
def test_any_format_gives_a_text_of_numbers_or_none(value: Any, number_format: str) -> None:
    text = date_text(value, number_format)

    assert text is None or text.strip("0123456789.:/- ,") == ""


@pytest.mark.parametrize(
    ("number_format", "is_date"),
    [
        *((form, True) for form in ("dd.mm.yyyy", "mmmm", "dddd", "dd.mm.yyyy hh:mm", "yyyy")),
        *((form, False) for form in ("hh:mm", "mm:ss", "h:mm AM/PM", "General", "@", '"day"')),
    ],
)
def test_a_format_shows_a_date_if_it_has_a_day_a_month_or_a_year(number_format: str, is_date: bool) -> None:
    assert shows_date(number_format) is is_date
