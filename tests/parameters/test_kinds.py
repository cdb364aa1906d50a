"""Each kind converts what people really give, and refuses the rest without guessing."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lone_surrogates import TEXTS as ANY_TEXTS

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kind import Kind, choice, count, share
from airflow_provider_callapi.parameters.kinds import (
    CALLING_DAYS,
    CALLING_HOURS,
    CONTACTS,
    FLAG,
    IDENTIFIER,
    IDENTIFIERS,
    INTERVAL,
    LIMIT,
    NAME,
    SECONDS,
    SECONDS_OR_ZERO,
    TEXT,
    TEXTS,
    TIMEZONE,
)
from airflow_provider_callapi.parameters.schema import read_parameter, read_parameters


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (SECONDS, timedelta(minutes=10), 600.0),
        (SECONDS, "60", 60.0),
        (SECONDS, 2.5, 2.5),
        (SECONDS_OR_ZERO, "0", 0.0),
        (INTERVAL, 0.1, 0.1),
        (LIMIT, None, None),
        (LIMIT, math.inf, None),
        (LIMIT, 1e30, None),
        (LIMIT, "60", timedelta(minutes=1)),
        (LIMIT, timedelta(hours=1), timedelta(hours=1)),
        (FLAG, True, True),
        (FLAG, "false", False),
        (FLAG, " True ", True),
        (TEXT, "1.20", "1.20"),
        (TEXT, 79260000001, "79260000001"),
        (TEXTS, 7, ["7"]),
        (TEXTS, ("mon", "tue"), ["mon", "tue"]),
        (count(), "3", 3),
        (count(), 3.0, 3),
        (share(), 1, 1.0),
        (IDENTIFIER, " 36 ", 36),
    ],
)
def test_a_value_is_read_as_its_kind(kind: Kind, value: Any, read: Any) -> None:
    assert read_parameter("x", value, kind) == read


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SECONDS, [None, 0, -1, math.nan, math.inf, "inf", "1e9", "", " ", True, b"60", [60], timedelta(0)]),
        (INTERVAL, [0.01, 0, "1e-9"]),
        (LIMIT, [0, -1, -1e30, -math.inf, math.nan, "never", timedelta(days=-1), True]),
        (FLAG, [None, 0, 1, "", "no", "yes", "1", [], "{{ params.dry }}"]),
        (TEXT, [None, "", " ", 1.2, True, b"x", [], {}]),
        (TEXTS, [None, 1.5, {"a": 1}, b"x"]),
        (CONTACTS, [None, 1.5, "", {"a": 1}, b"x"]),
        (IDENTIFIERS, [None, 0, "x", [], (), {}]),
        (count(), [0, 1.5, "1.5", -1, True, "9" * 5000, 10**30, None]),
        (share(), [-0.1, 1.1, math.nan, True, None]),
        (share(below_one=True), [1]),
        (IDENTIFIER, [0, -1, 5.5, True, None, "x", "9" * 5000, {}, 2**63, 10**19, 1e19, "9" * 19]),
    ],
)
def test_any_other_value_is_refused_with_the_parameter_and_what_is_allowed(
    kind: Kind, values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(InvalidParameter) as refused:
            read_parameter("some_name", value, kind)
        assert str(refused.value).startswith(f"some_name: {kind.allowed} is needed; the value is ")


@pytest.mark.parametrize(
    ("kind", "entry", "wrong"),
    [
        (TEXTS, "mon", [None, 1.5, "", {}, ["mon"], []]),
        (CONTACTS, 79260000001.0, [None, 79260000001.5, " ", ["79260000001"]]),
        (IDENTIFIERS, "36", [0, "x", None, 2**63, [36]]),
    ],
)
def test_the_error_of_a_list_names_the_entry_that_is_refused(
    kind: Kind, entry: Any, wrong: list[Any]
) -> None:
    for value in wrong:
        with pytest.raises(InvalidParameter, match=r"^x\.\(entry 2\): .* is needed; the value is "):
            read_parameter("x", [entry, value], kind)


@pytest.mark.parametrize("value", ["79261112233 secret", 79261112233.5, ["79261112233"], b"79261112233"])
def test_an_error_never_contains_the_value(value: Any) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_parameter("x", value, FLAG)
    assert "7926" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (
            choice(["contact", "operator"]),
            "client",
            "one of contact, operator is needed; the value is 'client'",
        ),
        (choice(["contact"]), "79260000001", "one of contact is needed; the value is a text"),
        (choice(["contact"]), "Anna Petrova", "one of contact is needed; the value is a text"),
        (FLAG, "yes", "true or false is needed; the value is 'yes'"),
        (TIMEZONE, "MSK", "'MSK' is no IANA time zone"),
        (TIMEZONE, "UTC+3", "'UTC+3' is no IANA time zone"),
        (TIMEZONE, "EST", "'EST' has no summer time, and may mean a zone that has it: name a city"),
        (TIMEZONE, "+79260000001", "the value is a text"),
        (CALLING_HOURS, ("09:00", "09:00"), "the two times are equal"),
        (CALLING_HOURS, "09:00", "the value is a text"),
        (CALLING_DAYS, ["tues"], "'tues' is not a weekday: write mon, tue, wed, thu, fri, sat, sun"),
        (count(), [1], "the value is a list"),
    ],
)
def test_an_error_says_what_is_wrong_and_shows_only_a_word_of_a_fixed_set_a_weekday_or_a_zone(
    kind: Kind, value: Any, problem: str
) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_parameter("x", value, kind)
    assert str(refused.value).endswith(problem)


def test_a_template_is_allowed_only_in_a_template_field() -> None:
    values = {"a": "{{ params.a }}", "b": "{{ params.b }}"}

    assert read_parameters({"a": SECONDS}, values, not_rendered=["a"]) == {"a": "{{ params.a }}"}
    with pytest.raises(InvalidParameter, match=r"b: .*; the value is a template"):
        read_parameters({"b": SECONDS}, values, not_rendered=["a"])


@given(ANY_TEXTS)
def test_a_text_has_whole_characters_or_is_refused_with_the_name_of_the_parameter(given_text):
    said = ""
    try:
        read = read_parameter("campaign", given_text, TEXT)
    except InvalidParameter as error:
        said = str(error)
    assert said.startswith("campaign: a text that is not empty is needed; the value is a") or read.encode()


@given(
    words=st.lists(st.text("aя1-", min_size=1), min_size=1), gaps=st.lists(st.text(" \n\u00a0", min_size=1))
)
def test_blanks_do_not_change_a_name(words: list[str], gaps: list[str]) -> None:
    gaps = [*gaps, *[" "] * len(words)]
    typed = "".join(f"{gap}\u200b{word}" for gap, word in zip(gaps, words, strict=False))
    assert NAME.read(typed) == NAME.read(f"{typed} ") == " ".join(words)


def test_a_name_has_one_spelling_of_a_composed_letter() -> None:
    assert NAME.read("мои\u0306") == NAME.read("мой")


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\u00a0\ufeff", None])
def test_a_name_that_shows_nothing_is_refused(blank: str | None) -> None:
    with pytest.raises(InvalidParameter, match="campaign: a text that is not empty"):
        read_parameter("campaign", blank, NAME)
