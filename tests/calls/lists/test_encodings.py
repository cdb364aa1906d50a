"""Encodings: read with certainty, or refused with the remedy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.encodings import detect_encoding
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

NAMES = [
    "Анна",
    "Борис Петрович",
    "ИВАНОВ",
    "ООО «Ромашка»",
    "Ёлкина",
    "кв. № 5 — двор",
    "Smith",
    "Уладзімір",
]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251", "cp866", "koi8-r", "iso8859-5"]),
)
def test_a_text_is_read_as_it_was_written_or_refused(names: list[str], encoding: str) -> None:
    text = "phone;name\r\n" + "".join(f"1;{name}\r\n" for name in names)
    try:
        content = text.encode(encoding)
        found = detect_encoding(content)
    except (ListUnreadable, UnicodeEncodeError):
        return
    assert content.decode(found.name) == text


COLUMNS = ["Заказ", "Имя", "Йод", "Код", "Район", "Сумма", "Телефон", "Улица", "Фирма", "Химки", "Эркер"]


@given(
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3),
    st.sampled_from(["5", "просила не звонить", "ООО «Ромашка»"]),
)
def test_each_capital_letter_is_read_in_a_short_list_of_excel(columns: list[str], value: str) -> None:
    """In mac-cyrillic, some of the capital letters of cp1251 are signs."""
    content = f"phone;{';'.join(columns)}\r\n1;{value}\r\n".encode("cp1251")

    assert detect_encoding(content).name == "cp1251"


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", "phone;name\n1;Ren\xe9\n".encode("latin-1"), b"\x89PNG\r\n\x1a\n\0"]
)
def test_bytes_that_are_not_certainly_text_are_refused(content: bytes) -> None:
    with pytest.raises(ListUnreadable):
        detect_encoding(content)


@pytest.mark.parametrize("encoding", ["cp1255", "iso8859-8"])
@pytest.mark.parametrize(
    "names",
    ["תמר", "אנה כהן, משה כץ, מיכל אברהם", "מכבי נתניה, אלמוני נמרוד", "שלום דברים חשובים לידיעת הלקוח היקר"],
)
def test_hebrew_is_not_read_as_russian(names: str, encoding: str) -> None:
    with pytest.raises(ListUnreadable, match="neither UTF-8 nor Windows-1251"):
        detect_encoding(f"phone;name\n1;{names}\n".encode(encoding))


@pytest.mark.parametrize(
    "names", ["Юля", "Вера", "анна, борис, вера", "просил не звонить после обеда", "ИВАНОВ"]
)
def test_russian_in_cp1251_is_still_read(names: str) -> None:
    assert detect_encoding(f"phone;name\n1;{names}\n".encode("cp1251")).name == "cp1251"


@pytest.mark.parametrize(("name", "encoding"), [("ΝΙΚΟΣ", "cp1253"), ("ĞÜŞİ", "cp1254")])
def test_capital_letters_of_another_alphabet_are_not_read_as_russian(name: str, encoding: str) -> None:
    with pytest.raises(ListUnreadable):
        detect_encoding(f"phone;name\n1;{name}\n".encode(encoding))


@given(
    st.lists(
        st.sampled_from(
            ["Їжакевич", "Ґалаґан", "Євген", "ІРИНА", "Наталія", "Андрій", "Ўладзімір", "Мар’яна"]
        ),
        min_size=3,
        unique=True,
    )
)
def test_ukrainian_and_belarusian_in_cp1251_are_read(names: list[str]) -> None:
    assert detect_encoding(f"phone;name\n1;{' '.join(names)}\n".encode("cp1251")).name == "cp1251"
