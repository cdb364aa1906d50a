"""Texts whose letters a program has lost are recognised, and texts of any language are not taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.damaged_text import has_codes, is_damaged

RUSSIAN = st.from_regex(r"[А-ЯЁ][а-яё]{2,8}( [А-ЯЁ][а-яё]{1,8})?", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *(("utf-8", "cp1251"), ("utf-8", "cp1252"), ("utf-8", "latin-1")),
        *(("cp1251", "utf-8"), ("cp1251", "latin-1"), ("cp1251", "ascii")),
    ],
)
@given(name=RUSSIAN, around=st.sampled_from(["{}", "Hello {}!", '"{}", 7']))
def test_a_name_that_was_read_in_another_encoding_is_damaged(
    written: str, read: str, name: str, around: str
) -> None:
    assert is_damaged(around.format(name.encode(written).decode(read, "replace")))
    assert not is_damaged(around.format(name))


@given(name=RUSSIAN)
def test_a_name_of_question_marks_is_damaged(name: str) -> None:
    assert is_damaged("Здравствуйте, " + name.encode("ascii", "replace").decode())


@pytest.mark.parametrize(
    "text",
    [
        *("Élodie Ça", "Ýmir Þórður", "Ñandú", "Größe Öl", "Ærøskøbing", "Łódź", "Çağrı", "États-Unis"),
        *("СІРІУС", "Сєр Рівне", "РЎ", "СССР", "Ёлка № 5", "日本", "Nguyễn", "Что??"),
        *("Алло???", "?", "a ?? b", "", "расисты", "сёрсёр", "Ådne"),
    ],
)
def test_a_text_of_any_language_is_not_damaged(text: str) -> None:
    assert not is_damaged(text)


@pytest.mark.parametrize(
    "text",
    [
        "ООО &quot;Ромашка&quot;",
        "Tom &amp; Jerry",
        "Анна<br>Ивановна",
        "Анна<BR/>",
        r"\u0410\u043d",
        "&#1040;",
    ],
)
def test_codes_instead_of_letters_are_noticed(text: str) -> None:
    assert has_codes(text)


@pytest.mark.parametrize(
    "text",
    ["AT&T", "R&D; 5", "100 % & 5 %", "a < b", r"C:\users", "<Без имени>", "%D0%90%D0%BD", "Tom & Jerry;"],
)
def test_signs_in_a_text_are_no_codes(text: str) -> None:
    assert not has_codes(text)
