"""A cell with a range, a cut number or a mistyped number is unreadable."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber

A, B = "79260000001", "79260000002"


@pytest.mark.parametrize("between", ["..", "...", "…", "-", " – ", "—", "~", " по ", " до ", " to "])
@pytest.mark.parametrize("words", ["", "номера с "])
def test_a_range_of_numbers_is_unreadable(between: str, words: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(f"{words}79260000001{between}79260000009", "RU")


@pytest.mark.parametrize("between", [" - ", " — ", " по ", " ... "])
@pytest.mark.parametrize(
    "form", ["+7 (495) 123-45-{}", "8-495-123-45-{}", "8 495 12345{}", "(495) 123 45 {}"]
)
def test_a_range_of_spelled_numbers_is_unreadable(between: str, form: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(form.format("00") + between + form.format("99"), "RU")


@pytest.mark.parametrize(
    "between", [" ÷ ", ":", " -> ", " => ", " → ", "_", " through ", " until ", " через ", "»", " = "]
)
def test_a_sign_that_separates_no_list_makes_two_numbers_a_range(between: str) -> None:
    for text in (f"{A}{between}79260000009", f"8 926 000-00-01{between}8 926 000-00-09"):
        with pytest.raises(NotANumber, match="range"):
            find_numbers(text, "RU")


_LIST_SIGNS = frozenset(",;|/\\&+().*•·\"'-@")  # and the sign of a SIP number


SIGNS = [
    sign
    for sign in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(sign)[0] in "PS"
    and (folded := fold(f"0{sign}0")[1:-1].strip())
    and _LIST_SIGNS.isdisjoint(folded)
]
"""Every sign of Unicode that is neither a blank nor a sign that separates a list."""


@settings(max_examples=300)
@given(sign=st.sampled_from(SIGNS), gap=st.sampled_from(["", " "]))
def test_no_unknown_sign_hides_a_range(sign: str, gap: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"{A}{gap}{sign}{gap}79260000009", "RU")


@pytest.mark.parametrize("sign", [",", ";", " | ", " / ", " & ", "\n", " и ", " * ", " • ", "\\"])
def test_a_sign_that_separates_a_list_makes_no_range(sign: str) -> None:
    assert find_numbers(f"{A}{sign}79260000009", "RU") == {A, "79260000009"}


@pytest.mark.parametrize("text", ["[79260000001,79260000009)", "(79260000001, 79260000009]"])
def test_a_range_of_a_database_is_unreadable(text: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(text, "RU")


@pytest.mark.parametrize("words", ["{}", "Herr Meier {}"])
@pytest.mark.parametrize("number", ["030 12345", "+43 664 12345"])
@pytest.mark.parametrize("sign", ["...", "…", "..", "?", "??", "%", " %", "-", " ff.", "⁷"])
def test_a_sign_that_may_stand_for_further_digits_is_unreadable(words: str, number: str, sign: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(words.format(number + sign), "DE")


@pytest.mark.parametrize("sign", ["...", "…", "..", "?", "%", "-", " -", "."])
def test_a_sign_behind_a_number_of_the_greatest_length_is_punctuation(sign: str) -> None:
    assert find_numbers(f"не звонить 8 926 000-00-01{sign}", "RU") == {A}


@pytest.mark.parametrize("end", ["-10 bis 20", "-10 bis -20", "-10 до -20"])
def test_the_last_digits_of_a_range_are_unreadable(end: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"030 123456{end}", "DE")


@pytest.mark.parametrize(
    "text",
    ["79260000002 - 79260000001", "79260000002 (до 18) 79260000001", "по 79260000002, и по 79260000001"],
)
def test_two_numbers_that_are_no_range_are_both_found(text: str) -> None:
    assert find_numbers(text, "RU") == {A, B}


@pytest.mark.parametrize("beside", ["", ", 79260000002", " и 79260000002", " Анна"])
@pytest.mark.parametrize(
    "typo", ["+7 926 OOO-OO-O1", "7926ООООО01", "8926О00-00-01", "8926000000З", "+7 926 000 00 0l"]
)
def test_a_letter_instead_of_a_digit_is_unreadable_also_beside_another_number(typo: str, beside: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(typo + beside, "RU")


@pytest.mark.parametrize("words", ["{} Зоя", "{} О. Смит", "дом 5 о {}", "З. Иванова {}", "{} оло", "{}, О"])
def test_a_word_with_letters_like_digits_is_ignored(words: str) -> None:
    assert find_numbers(words.format(A), "RU") == {A}
