"""When people may be called: the local clock of each person decides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.values.value_parts import WrongValue
from airflow_provider_callapi.calls.calling_hours.days import CallingDays, WorkCalendar
from airflow_provider_callapi.calls.calling_hours.hours import (
    NEVER,
    CallingHours,
    OutsideCallingHours,
    read_hours,
    year_in,
)
from airflow_provider_callapi.calls.campaign.engine.zone_queue import ZoneQueue

BERLIN, MOSCOW = "Europe/Berlin", "Europe/Moscow"


def at(text: str, zone: str = BERLIN, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def hours(opens: str, closes: str, *days: str) -> CallingHours:
    return CallingHours(*read_hours((opens, closes)), CallingDays.of(days) if days else CallingDays())


@pytest.mark.parametrize(
    ("now", "window"),
    [
        ("2026-05-04T08:00", ("2026-05-04T09:00", "2026-05-04T21:00")),
        ("2026-05-04T09:00", ("2026-05-04T09:00", "2026-05-04T21:00")),
        ("2026-05-04T20:59:59", ("2026-05-04T09:00", "2026-05-04T21:00")),
        ("2026-05-04T21:00", ("2026-05-05T09:00", "2026-05-05T21:00")),
    ],
)
def test_a_window_is_open_from_its_first_minute_to_the_one_before_its_end(
    now: str, window: tuple[str, str]
) -> None:
    assert hours("09:00", "21:00").window(at(now), BERLIN) == (at(window[0]), at(window[1]))


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    friday_night = hours("22:00", "02:00", "fri")
    saturday = at("2026-05-09T01:00")

    assert friday_night.window(saturday, BERLIN) == (at("2026-05-08T22:00"), at("2026-05-09T02:00"))
    assert friday_night.window(at("2026-05-08T01:00"), BERLIN)[0] == at("2026-05-08T22:00")


def test_a_window_over_midnight_ends_before_a_date_on_which_no_one_may_be_called() -> None:
    day_off = CallingDays.of({"except": ["2026-05-09"]})
    rule = CallingHours(*read_hours(("22:00", "02:00")), day_off)

    for moment in ("2026-05-08T23:00", "2026-05-08T23:59:59"):
        assert rule.window(at(moment), BERLIN) == (at("2026-05-08T22:00"), at("2026-05-09T00:00"))
    assert rule.window(at("2026-05-09T00:00"), BERLIN)[0] == at("2026-05-10T22:00")


def test_the_window_after_the_last_day_of_the_week_is_in_the_next_week() -> None:
    weekdays = hours("09:00", "21:00", "mon", "fri")
    assert weekdays.window(at("2026-05-08T21:00"), BERLIN)[0] == at("2026-05-11T09:00")


def test_hours_from_midnight_to_midnight_allow_the_whole_day_and_the_default_is_always_open() -> None:
    monday = hours("00:00", "24:00", "mon")
    assert monday.window(at("2026-05-04T12:00"), BERLIN) == (at("2026-05-04T00:00"), at("2026-05-05T00:00"))
    assert CallingHours().window(5.0, BERLIN) == (5.0, NEVER)


def test_a_window_that_opens_in_the_hour_that_is_skipped_opens_at_the_change() -> None:
    opens, closes = hours("02:30", "04:00").window(at("2026-03-29T01:00"), BERLIN)
    assert (opens, closes) == (at("2026-03-29T03:00"), at("2026-03-29T04:00"))


def test_a_window_that_closes_in_the_hour_that_is_skipped_closes_at_the_change() -> None:
    assert hours("01:00", "02:30").window(at("2026-03-29T01:00"), BERLIN)[1] == at("2026-03-29T03:00")


def test_a_window_within_the_hour_that_is_skipped_is_not_opened_that_day() -> None:
    opens, _ = hours("02:15", "02:45").window(at("2026-03-29T01:00"), BERLIN)
    assert opens == at("2026-03-30T02:15")


def test_a_window_closes_in_the_first_and_opens_in_the_second_of_two_equal_hours() -> None:
    before = at("2026-10-25T00:30")
    assert hours("01:00", "02:30").window(before, BERLIN)[1] == at("2026-10-25T02:30", fold=0)
    assert hours("02:30", "04:00").window(before, BERLIN)[0] == at("2026-10-25T02:30", fold=1)
    within = hours("02:15", "02:45").window(before, BERLIN)
    assert within == (at("2026-10-25T02:15", fold=0), at("2026-10-25T02:45", fold=0))


def test_the_next_window_is_a_week_later_if_the_clocks_skip_the_only_window_of_the_week() -> None:
    rule = hours("02:00", "03:00", "sun")  # on 2026-03-29 the clocks go from two to three
    assert rule.window(at("2026-03-23T12:00"), BERLIN) == (at("2026-04-05T02:00"), at("2026-04-05T03:00"))


def test_a_day_that_a_country_skipped_has_no_window() -> None:
    apia = "Pacific/Apia"  # it moved over the date line on 2011-12-30
    opens, _ = hours("09:00", "21:00").window(at("2011-12-29T22:00", apia), apia)
    assert opens == at("2011-12-31T09:00", apia)


@pytest.mark.parametrize(
    "given", [("9", "21:00"), ("09:00",), ("09:00+03:00", "21:00"), ("09:00", 1260), "0921", None, ("", "")]
)
def test_hours_that_cannot_be_read_are_refused(given: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the kind of the parameter writes the text
        read_hours(given)

    new_year = at("2026-01-01T00:30", MOSCOW)
    assert [year_in(zone, new_year) for zone in (MOSCOW, BERLIN)] == [2026, 2025]


@given(st.times().map(lambda t: t.isoformat("minutes")) | st.just("24:00"), st.sampled_from([list, tuple]))
def test_two_equal_times_are_refused_because_they_would_mean_all_hours(text: str, pair: type) -> None:
    with pytest.raises(ValueError, match=r"^the two times are equal$"):
        read_hours(pair([text, text]))


@pytest.mark.parametrize(
    "text", ["09.30", "09,30", "09:30.5", "09:00,5", "T09:00", "09", "9", "9:0", "0930.5"]
)
def test_a_time_in_another_spelling_is_refused(text: str) -> None:
    """Python itself reads 09.30 as 09:00:00.3, and the phones would ring half an hour too early."""
    with pytest.raises(WrongValue, match="entry 1 is no time"):
        read_hours((text, "21:00"))


def test_the_hour_may_have_one_digit() -> None:
    assert read_hours(("9:00", "21:30:15")) == read_hours(("09:00", "21:30:15"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ((9, 21), "^entry 1 is a number: in YAML, write times in quotation marks$"),
        (["09:00", 75600], "^entry 2 is a number"),
        (["09:00", None], "^entry 2 is None$"),
        (["9", "21:00"], "^entry 1 is no time such as 09:00$"),
        (["09:00+03:00", "21:00"], "^entry 1 has a time zone"),
        (["09:00", "13:00", "21:00"], "^the value has 3 entries$"),
    ],
)
def test_the_error_of_a_pair_of_times_names_the_wrong_entry(value: Any, problem: str) -> None:
    with pytest.raises(WrongValue, match=problem):
        read_hours(value)


def test_midnight_to_midnight_means_all_hours_only_as_00_00_to_24_00() -> None:
    assert str(CallingHours(*read_hours(("00:00", "24:00")))) == "all hours, every day"
    with pytest.raises(ValueError, match="the two times are equal"):
        read_hours(("24:00", "00:00"))


MOMENTS = st.one_of(
    st.integers(int(at("2026-03-29T00:00")), int(at("2026-03-29T05:00"))),
    st.integers(int(at("2026-10-25T00:00")), int(at("2026-10-25T05:00"))),
    st.integers(int(at("2011-12-28T00:00")), int(at("2012-01-01T00:00"))),
    st.integers(1_262_304_000, 1_893_456_000),
)
TIMES = st.one_of(
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.builds(lambda m: time(1 + m // 60, m % 60), st.integers(0, 179)),
)
ZONES = st.sampled_from(
    [BERLIN, MOSCOW, "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "Asia/Beirut"]
)


def allowed(rule: CallingHours, moment: float, zone: str) -> bool:
    """The rule in its simplest form: read the local clock and the calendar."""
    wall = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone))
    clock = wall.time()
    today, yesterday = (bool(rule.days.allow(wall.date() - timedelta(days=back))) for back in (0, 1))
    if rule.opens < rule.closes:
        return today and rule.opens <= clock < rule.closes
    goes_on = yesterday and wall.date() not in rule.days.excluded
    return (today and clock >= rule.opens) or (goes_on and clock < rule.closes)


@settings(max_examples=150)
@given(
    now=st.integers(int(at("2026-05-01T00:00")), int(at("2026-08-01T00:00"))),
    opens=TIMES,
    closes=TIMES,
    days=st.sets(st.integers(0, 6), min_size=1),
)
def test_a_window_is_open_whenever_the_wall_clock_allows_it_if_no_clock_changes(
    now: int, opens: time, closes: time, days: set[int]
) -> None:
    rule = CallingHours(opens, closes, CallingDays(frozenset(days)))
    assert (ZoneQueue(BERLIN, rule).open_until(now) is not None) == allowed(rule, now, BERLIN)


def test_a_due_redial_comes_before_a_first_call_and_not_too_early() -> None:
    queue = ZoneQueue(BERLIN, hours("09:00", "21:00"))
    morning = at("2026-05-04T09:00")
    queue.add("fresh")
    queue.add_later("due", morning)
    queue.add_later("not due", morning + 600)

    assert [queue.take(morning) for _ in range(3)] == ["due", "fresh", None]
    assert queue.next_at(morning) == morning + 600
    assert queue.next_at(at("2026-05-04T22:00")) == at("2026-05-05T09:00")
    assert queue.clear() == ["not due"]


# --- the calendar, and days of one's own ---

YEARS = frozenset({2025, 2026, 2027})
HOLIDAYS = {date(2025, 12, 31), *(date(2026, 1, day) for day in range(1, 12)), date(2026, 3, 9)}
WORKING_SATURDAY = date(2026, 3, 28)
CALENDAR = WorkCalendar(
    "RU",
    YEARS,
    frozenset(
        day
        for day in (date(2025, 1, 1) + timedelta(days=number) for number in range(3 * 365))
        if (day.weekday() < 5 and day not in HOLIDAYS) or day == WORKING_SATURDAY
    ),
)


def workdays(**days: set[date]) -> CallingHours:
    return CallingHours(
        time(9), time(21), CallingDays(None, calendar=CALENDAR, **{k: frozenset(v) for k, v in days.items()})
    )


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2025-12-30T20:59", "2025-12-30T09:00"),
        ("2025-12-30T21:00", "2026-01-12T09:00"),  # the New Year's holidays
        ("2026-03-27T21:00", "2026-03-28T09:00"),  # a working Saturday, before the night of summer time
        ("2026-03-28T21:00", "2026-03-30T09:00"),
    ],
)
def test_the_calendar_decides_which_days_are_workdays(now: str, opens: str) -> None:
    assert workdays().window(at(now), BERLIN)[0] == at(opens)


def test_the_authors_own_dates_override_the_calendar() -> None:
    rule = workdays(also={date(2026, 1, 5)}, excluded={date(2026, 1, 12), date(2026, 1, 13)})
    assert rule.window(at("2025-12-31T12:00"), BERLIN)[0] == at("2026-01-05T09:00")
    assert rule.window(at("2026-01-05T21:00"), BERLIN)[0] == at("2026-01-14T09:00")


def test_no_window_opens_in_a_year_without_a_calendar_and_the_reason_names_the_year() -> None:
    last_evening, new_year = at("2027-12-31T21:00"), at("2028-01-01T12:00")
    for moment in (last_evening, new_year):
        assert workdays().window(moment, BERLIN) == (NEVER, NEVER)
        why = workdays().why_never(moment, BERLIN)
        assert why is not None
        assert why.startswith("calling_days: the calendar of RU does not know the workdays of 2028.")
        with pytest.raises(OutsideCallingHours):
            workdays().refuse_closed(moment, BERLIN)
    assert workdays().why_never(at("2027-12-31T20:00"), BERLIN) is None


def test_the_authors_own_date_has_a_window_only_if_no_unknown_day_comes_before_it() -> None:
    rule = workdays(also={date(2028, 1, 2)})
    assert rule.window(at("2028-01-02T10:00"), BERLIN)[0] == at("2028-01-02T09:00")
    assert rule.window(at("2028-01-01T10:00"), BERLIN)[0] == NEVER


def test_hours_without_a_calling_day_within_a_year_never_open() -> None:
    rule = CallingHours(days=CallingDays.of({"except": ["2026-05-04"]}))
    assert rule.window(at("2026-05-04T12:00"), BERLIN)[0] == at("2026-05-05T00:00")
    off = frozenset(date(2026, 5, 4) + timedelta(days=number) for number in range(400))
    why = CallingHours(days=CallingDays(excluded=off)).why_never(at("2026-05-04T12:00"), BERLIN)
    assert why == "calling_days: no day of the next 366 days is a calling day"


def test_calling_hours_are_shown_in_words() -> None:
    assert str(CallingHours()) == "all hours, every day"
    assert str(workdays(also={date(2026, 1, 5)})) == "09:00 to 21:00, workdays of RU, 1 more day"
    assert str(hours("22:00", "02:00", "fri", "mon")) == "22:00 to 02:00, mon, fri"


DAYS_OFF_AND_ON = st.sets(st.dates(date(2025, 12, 20), date(2026, 4, 10)), max_size=12).map(frozenset)


@st.composite
def calling_days(draw: st.DrawFn) -> CallingDays:
    weekdays = draw(st.none() | st.sets(st.integers(0, 6), min_size=1).map(frozenset))
    also = draw(DAYS_OFF_AND_ON)
    return CallingDays(weekdays, also, draw(DAYS_OFF_AND_ON) - also, CALENDAR)


def is_repeated(moment: int, zone: str) -> bool:
    """Return whether a clock change repeats the local time of a moment."""
    wall = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return wall.utcoffset() != wall.replace(fold=1 - wall.fold).utcoffset()


AROUND_CHANGES = st.one_of(
    st.integers(int(at("2025-12-29T00:00")), int(at("2026-01-13T00:00"))),
    st.integers(int(at("2026-03-27T00:00")), int(at("2026-03-31T00:00"))),
    st.integers(int(at("2026-10-23T00:00")), int(at("2026-10-26T00:00"))),
)


@pytest.mark.no_cover
@settings(max_examples=120)
@example(
    now=int(at("2025-12-29T00:00")),
    opens=time(1, 1),
    closes=time(1),
    days=CallingDays(excluded=frozenset({date(2025, 12, 29)})),
    zone=BERLIN,
)
@given(
    now=AROUND_CHANGES,
    opens=TIMES,
    closes=TIMES,
    days=calling_days(),
    zone=st.sampled_from([BERLIN, MOSCOW, "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]),
)
def test_the_next_allowed_moment_is_the_first_that_a_scan_of_all_minutes_finds(
    now: int, opens: time, closes: time, days: CallingDays, zone: str
) -> None:
    now -= now % 60
    rule = CallingHours(opens, closes, days)
    opens_at = max(rule.window(now, zone)[0], now)
    assert opens_at < NEVER
    assert allowed(rule, opens_at, zone)
    earlier = range(now, int(opens_at), 60)
    assert not [m for m in earlier if allowed(rule, m, zone) and not is_repeated(m, zone)]


@settings(max_examples=400)
@given(
    now=MOMENTS,
    later=st.lists(st.integers(1, 7200), max_size=6),
    opens=TIMES,
    closes=TIMES,
    days=calling_days(),
    zone=ZONES,
)
def test_the_wall_clock_is_within_the_hours_and_days_whenever_a_window_is_open(
    *, now: int, later: list[int], opens: time, closes: time, days: CallingDays, zone: str
) -> None:
    rule = CallingHours(opens, closes, days)
    queue = ZoneQueue(zone, rule)
    for moment in [now, *(now + sum(later[: i + 1]) for i in range(len(later)))]:
        closes_at = queue.open_until(moment)
        if closes_at is not None:
            assert moment < closes_at
            assert allowed(rule, moment, zone)
            if closes_at != float("inf"):
                assert allowed(rule, closes_at - 1, zone)
