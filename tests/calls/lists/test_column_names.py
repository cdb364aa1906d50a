"""The names of columns: two spellings of a name are equal, and no error shows a phone number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.column_names import (
    describe_columns,
    fold_name,
    refuse_duplicates,
    value_of,
    words_of,
)
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


@given(st.sampled_from(["time zone", "Time_Zone", "TIME-ZONE", "time.zone", "\u200btimezone", '"Time Zone"']))
def test_the_spelling_of_a_name_does_not_matter(name: str) -> None:
    assert fold_name(name) == "timezone"
    assert value_of({name: "x"}, "timezone") == "x"


@pytest.mark.parametrize(
    ("name", "words"),
    [("DNC_flag", "dnc flag"), ("optOut", "opt out"), ("No. 5", "number 5"), ("Тел. вн.", "тел внутр")],
)
def test_a_name_is_split_into_words(name: str, words: str) -> None:
    assert words_of(name) == words


def test_two_spellings_of_a_name_in_one_row_are_refused() -> None:
    with pytest.raises(ListUnreadable, match="two columns are named 'name', apart from case"):
        value_of({"Name": "Anna", "NAME": "Boris"}, "name")
    with pytest.raises(KeyError):
        value_of({"Name": "Anna"}, "surname")


def test_the_first_row_of_a_list_without_a_heading_is_not_shown() -> None:
    assert describe_columns(["phone", "name"]) == "its columns are 'phone', 'name'"
    assert describe_columns(["79260000001", "Anna"]) == "the list seems to have no heading"
    assert describe_columns(map(str, range(20))).endswith("'11' …")


def test_an_error_about_one_name_twice_shows_no_phone_number() -> None:
    with pytest.raises(ListUnreadable, match="7926…0001"):
        refuse_duplicates(["79260000001", "79260000001"])
