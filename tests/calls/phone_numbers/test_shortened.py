"""The last digits of a second number behind a whole one protect a person, or the cell is unreadable."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.shortened import complete_numbers
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact


@pytest.mark.parametrize("words", ["", "тел. ", "Anna "])
@pytest.mark.parametrize(
    "second",
    [
        *(", 02", "/02", "; 02, 03", " и 2", "/ 0002", ", 02 (жена)", "..02", " – 02"),
        *(" или 02", " а также 02", " и 02, и 03", " or 02", " plus 02", " oraz 02", " та 02", " y 02"),
        *(
            " или на 02",
            " и ещё 02",
            " (02)",
            " | 02",
            " 02",
            ", -02",
            ", …02",
            " _ 02",
            "~02",
            "—02",
            "\\02",
        ),
        *("-02", "-02 Анна", "*02 Анна", " по 09", " до 05"),
    ],
)
def test_a_second_number_without_its_first_digits_is_unreadable(words: str, second: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"{words}8 926 000 00 01{second}", "RU")


@settings(max_examples=300)
@given(
    area=st.sampled_from(phrases("385 | 391 | 401 | 495 | 812 | 903 | 916 | 926 | 951 | 962 | 992")),
    rest=st.integers(2_000_000, 9_999_999),
    prefix=st.sampled_from(["8", "+7", "7", ""]),
    end=st.from_regex(r"[0-9]{1,4}", fullmatch=True),
    form=st.sampled_from(["{} {}", "{} - {}", "{}-{}", "{} ({})", "{}.{}", "{}\n{}", "{} {} Анна"]),
)
def test_a_foreign_number_never_hides_that_a_second_number_lacks_its_first_digits(
    area: str, rest: int, prefix: str, end: str, form: str
) -> None:
    """For example, 916 736 6779 37 may be a number of India."""
    first = f"{prefix} ({area}) {str(rest)[:3]}-{str(rest)[3:5]}-{str(rest)[5:]}"
    text = form.format(first, end)
    with contextlib.suppress(NotANumber):
        assume(read_contact(first, "RU") == f"7{area}{rest}")
        with pytest.raises(NotANumber):
            read_contact(text, "RU")
        second = f"7{area}{rest}"[: -len(end)] + end
        assert second in find_numbers(text, "RU") | complete_numbers(text, [f"7{area}{rest}"], "RU")


@pytest.mark.parametrize(
    "text",
    [
        *("79260000001, дом 12", "тел 79260000001, 5 этаж", "2 раза 79260000001", "1. Анна 79260000001"),
        *("79260000001 12 марта", "79260000001 от 12.03.26", "Анна 79260000001 с 10:00 до 18:00"),
    ],
)
def test_a_short_number_that_words_explain_is_ignored(text: str) -> None:
    assert find_numbers(text, "RU") == {"79260000001"}
