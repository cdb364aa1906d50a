"""Encodings: read with certainty, or refused with the remedy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.encodings import detect_encoding
from airflow_provider_callapi.calls.lists.problems import ListUnreadable

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


@settings(max_examples=200, deadline=None)
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


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", "phone;name\n1;Ren\xe9\n".encode("latin-1"), b"\x89PNG\r\n\x1a\n\0"]
)
def test_bytes_that_are_not_certainly_text_are_refused(content: bytes) -> None:
    with pytest.raises(ListUnreadable):
        detect_encoding(content)
