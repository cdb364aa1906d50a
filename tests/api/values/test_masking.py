"""Which numbers a text hides, and which it shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.values.masking import mask_number, mask_phones

PHONES = st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True)
AROUND = st.text(st.sampled_from(" ,:;\"'()[]{}<>=/|!?\n«»№"), min_size=1, max_size=3)


@given(phone=PHONES, before=AROUND, after=AROUND, plus=st.sampled_from(["", "+"]))
def test_a_phone_number_between_marks_is_shortened(phone: str, before: str, after: str, plus: str) -> None:
    text = f"contact{before}{plus}{phone}{after}here"
    assert mask_phones(text) == f"contact{before}{phone[:4]}…{phone[-4:]}{after}here"


@given(st.from_regex(r"\+?[ (]?[1-9]([-. ()/]{0,2}[0-9]){6,14}", fullmatch=True))
def test_no_value_that_is_a_phone_number_is_shown_whole(number: str) -> None:
    shown = mask_number(number)
    assert sum(map(str.isdigit, shown)) <= sum(map(str.isdigit, number)) - 2


@pytest.mark.parametrize("value", ["", "Anna", "sip25@example.com", "101", "112", "operator"])
def test_an_extension_and_a_value_that_is_no_number_stay_readable(value: str) -> None:
    assert mask_number(value) == value


def test_the_documents_phone_number_becomes_its_short_form() -> None:
    assert mask_phones("79260000001") == "7926…0001"
    assert mask_phones("+79260000001.") == "7926…0001."
    assert mask_phones("74959268686...9.2.3.3") == "7495…8686...9.2.3.3"
    assert mask_phones("79260000001,79260000002") == "7926…0001,7926…0002"


@pytest.mark.parametrize(
    "text",
    [
        "номер.79260000001",
        "79260000001-2",
        "lead-79260000001",
        "contact_79260000001",
        "тел79260000001",
        "...79260000001",
    ],
)
def test_a_phone_number_next_to_other_characters_is_shortened_too(text: str) -> None:
    assert "79260000001" not in mask_phones(text)


@pytest.mark.parametrize("text", ["+7 926 000-00-01", "+7 (926) 000 00 01"])
def test_a_phone_number_in_groups_is_shortened_too(text: str) -> None:
    assert text not in mask_phones(f"wrong contact {text}")


@pytest.mark.parametrize(
    "text",
    [
        "8-916-123-45-67",
        "7.916.123.45.67",
        "8 916 123 45 67",
        "8/916/123/45/67",
        "7\u00a0916\u2011123\u201145\u201167",
        "7916\u200e1234567",
        "７９１６１２３４５６７",
        "7916123456779161234568",
        "+372 5123456",
    ],
)
def test_a_phone_number_in_any_spelling_is_shortened(text: str) -> None:
    assert "…" in mask_phones(f"wrong contact {text}")
    assert "123" not in mask_phones(f"wrong contact {text}").replace("512…", "")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 09:00:00 Europe/Moscow",
        "from 2026-03-02 to 2026-03-05",
        "2026-03-02 - 2026-03-05",
        "manual__2026-03-02T09:00:00.123456+00:00",
        "such as 01.12.2026 10:05",
        "192.168.100.200",
        "call session 237859081, 12 people",
    ],
)
def test_dates_addresses_and_ids_stay_readable(text: str) -> None:
    assert mask_phones(text) == text
