"""The strict reader: a number is read as it was written, with all its digits, or refused with a reason."""

from __future__ import annotations

import contextlib
import re

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import (
    read_contact,
    read_destination,
    read_destination_or_extension,
)

ANNA = "79260000001"


@pytest.mark.parametrize(
    "text",
    [
        "79260000001",
        "+79260000001",
        "8 926 000-00-01",
        "89260000001",
        "9260000001",
        "8 (926) 000 00 01",
        "8-926-000-00-01",
        "7.926.000.00.01",
        "8/926/000/00/01",
        "8\u2011926\u2011000\u201100\u201101",
        "+7\u00a0926\u202f000\u201000\u221201",
        "7926\u200e0000001",
        "\ufeff+7926\u200d0000001\u2069",
        "７９２６００００００１",
        "＋7 926 000 00 01",
        "'79260000001",
        '="89260000001"',
        "79260000001.0",
        "79260000001,00",
        "810 7 926 000 00 01",
    ],
)
def test_every_usual_spelling_is_one_number(text: str) -> None:
    assert read_contact(text, "RU") == read_destination(text, "RU") == ANNA


@pytest.mark.parametrize(
    ("text", "region", "why"),
    [
        ("", "RU", "empty"),
        ("\u200b \u2060", "RU", "empty"),
        ("+", "RU", "no digits"),
        ("+79260000001 +79260000002", "RU", "several numbers"),
        ("79260000001 79260000002", "RU", "several numbers|more than 15"),
        ("+7 926 000-00-01/02", "RU", "slash"),
        ("79260000001, 79260000002", "RU", "several numbers"),
        ("7926000000179260000002", "RU", "more than 15 digits"),
        ("79260000001.5", "RU", "fraction"),
        ("-79260000001", "RU", "minus .* format the column as text"),
        ("\u221279260000001", "RU", "minus"),
        (" -9259999994", "RU", "minus"),
        ("-79260000001.0", "RU", "minus"),
        ("'-9 259 999 994", "RU", "minus"),
        ("+-79260000001", "RU", "minus"),
        ("+436641234567.0", "RU", "fraction"),
        ("+43 664 1234567.0", "AT", "fraction"),
        ("+49 30 123456 (2)", "RU", "brackets"),
        ("+49 30 123456 )2(", "RU", "brackets"),
        ("4.3664E11", "RU", "Excel"),
        ("7,91612E+10", "RU", "Excel .* last digits are lost; .* format the column .* save the list again"),
        ("+8 (495) 123-45-67", "RU", "no country code"),
        ("+8 (863) 234-56-78", "RU", "no country code"),
        ("+84951234567", "RU", r"the \+ may be wrong"),
        ("+89260000001", "RU", "country code"),
        ("792600000", "RU", "no phone number of region RU"),
        ("79260000001²", "RU", "letters or signs inside|more text"),
        ("79260000001 Anna", "RU", "letters or signs inside"),
        ("8 (495) 123-45-67 доб. 12", "RU", "with an extension, which a call cannot dial; remove the ext"),
        ("+7 926 000-00-11, ext 5", "RU", "with an extension"),
        ("030 1234567 Ext. 12", "DE", "with an extension"),
        ("79260000011x5", "RU", "letters or signs inside"),
        ("7926O000001", "RU", "letters or signs inside"),
        ("0x79260000001", "RU", "letters or signs inside"),
        ("8_926_000_00_01", "RU", "letters or signs inside"),
        ("030 1234 030 1235", "DE", "several numbers"),
        ("2. 30 123456", "DE", "number of its line"),
        ("2\t030 123456", "DE", "number of its line"),
        ("3. 664 1234567", "AT", "number of its line|no phone number"),
        ("4915123456789", "DE", r"two different numbers.*its \+"),
        ("49 (0) 30 123456", "DE", "two different numbers"),
        ("435738344.0", "AT", "two different numbers"),
        ("+39 (0) 312 454 2218", "IT", r"two different numbers, with and without the \(0\)"),
        ("7926" + "-" * 9 + "0000001", "RU", "too many characters"),
        ("+43 664 12345...", "RU", "further digits"),
        ("+43 664 12345-", "AT", "further digits"),
        ("+49 30 12345 -", "DE", "further digits"),
        ("0301234--", "DE", "further digits"),
        ("8 926 000-00-01 ~", "RU", "further digits"),
    ],
)
def test_a_number_that_cannot_be_read_completely_is_refused_with_the_reason(
    text: str, region: str, why: str
) -> None:
    with pytest.raises(NotANumber, match=why) as refusal:
        read_contact(text, region)
    assert not re.search(r"\d{3}", str(refusal.value))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("436641234567.0", "436641234567"),
        ("0664 1234567", "436641234567"),
        ("+43 (0) 664 1234567", "436641234567"),
        ("00 7 926 000 00 01", ANNA),
        ("436641234567", "436641234567"),
    ],
)
def test_a_region_decides_how_a_number_without_a_country_code_is_read(text: str, number: str) -> None:
    assert read_contact(text, "AT") == number


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("80291234567", "BY", "375291234567"),
        ("8 (029) 123-45-67", "BY", "375291234567"),
        ("029 123-45-67", "BY", "375291234567"),
        ("80291234567.0", "BY", "375291234567"),
        ("8 612 34567", "LT", "37061234567"),
        ("+38 (050) 123-45-67", "UA", "380501234567"),
    ],
)
def test_a_number_may_have_each_national_prefix_of_the_region(text: str, region: str, number: str) -> None:
    assert read_contact(text, region) == number


@pytest.mark.parametrize(
    ("text", "region"),
    [("80291234567", "RU"), ("90532 123 45 6", "TR"), ("+38 (050) 123-45-67", "RU"), ("8829 1234567", "BY")],
)
def test_a_prefix_of_another_region_is_refused(text: str, region: str) -> None:
    with pytest.raises(NotANumber):
        read_contact(text, region)


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("7. 926 000 00 01", "RU", ANNA),
        ("8. 9260000001", "RU", ANNA),
        ("49 30 123456", "DE", "4930123456"),
        ("30 123456", "DE", "4930123456"),
        ("1 5123456", "AT", "4315123456"),
        ("06 1234 5678", "IT", "390612345678"),
        ("347 0123456", "IT", "393470123456"),
    ],
)
def test_the_first_group_of_a_number_is_no_number_of_a_line(text: str, region: str, number: str) -> None:
    assert read_contact(text, region) == number


def test_a_number_with_a_separate_country_code_belongs_to_this_country() -> None:
    assert read_contact("+84 95 1234567", "RU") == "84951234567"


@pytest.mark.parametrize("sip", ["sip25", "0100@pbx.example.com", "79260000011@pbx.example.com", "0100a"])
def test_a_sip_number_is_used_unchanged(sip: str) -> None:
    assert read_contact(sip, "RU") == sip


@pytest.mark.parametrize(
    "text",
    ["", "12-34", "7926000001", "+7 926 000 00 11 доб. 5", "99999999999999", "Anna", "call 89260000011 x"],
)
def test_a_text_that_is_no_number_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(NotANumber) as refusal:
        read_contact(text, "RU")
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["79260000011x5", "89260000011a", "8-926-000-00-11x5", "8.926.000.00.11a", "79260000011доб5"]
)
def test_a_phone_number_with_letters_behind_it_is_not_read_as_a_sip_number(text: str) -> None:
    """With its letters, it would be another person than the number, also on the do-not-call list."""
    with pytest.raises(NotANumber):
        read_contact(text, "RU")


@pytest.mark.parametrize("text", ["436641234567", "998901234567", "sip25", "100@pbx.example"])
def test_a_single_call_also_takes_the_services_own_form(text: str) -> None:
    assert read_destination(text, "RU") == read_destination_or_extension(text, "RU") == text


@given(st.from_regex("[0-9]{1,6}", fullmatch=True), st.sampled_from(["RU", "DE", "AM", "LV", "US"]))
@example("7916", "RU")
@example("0100", "RU")
@example("100200", "AM")
def test_an_extension_is_no_contact(text: str, region: str) -> None:
    """It may be the beginning of a phone number that was cut, and the service calls no extension."""
    assert read_destination_or_extension(text, region) == text
    try:
        number = read_destination(text, region)
    except NotANumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("91123456", "AM", "37491123456"),
        ("091123456", "AM", "37491123456"),
        ("501234567", "AE", "971501234567"),
        ("502345678", "IL", "972502345678"),
        ("291234567", "BY", "375291234567"),
        ("376312345", "RU", "376312345"),
    ],
)
def test_a_short_number_of_the_region_is_no_extension(text: str, region: str, number: str) -> None:
    assert read_destination(text, region) == number


@given(st.from_regex("[0-9]{7,9}", fullmatch=True))
@example("791612345")
def test_a_cut_phone_number_is_no_extension(text: str) -> None:
    try:
        number = read_destination(text, "RU")
    except NotANumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))


@pytest.mark.parametrize("text", ["8863234567", "892600000011", "7926000001", "True", "nan"])
def test_a_single_call_does_not_read_a_mistyped_number_of_the_region_as_a_foreign_number(text: str) -> None:
    with pytest.raises(NotANumber):
        read_destination(text, "RU")


@pytest.mark.parametrize("text", ["030 144906 127001", "+49 30 144906 127001", "0301449061270011"])
def test_a_number_has_at_most_15_digits_with_its_country_code(text: str) -> None:
    """Germany has no fixed length, so two numbers in one cell could be one number of 16 digits."""
    for read in (read_contact, read_destination):
        with pytest.raises(NotANumber):
            read(text, "DE")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        *(
            ("+49 5123 4567", "RU"),
            ("+64 6 555 0123", "US"),
            ("+375 29 1234567", "RU"),
            ("+79161234567", "DE"),
        ),
        *(("+4951234567", "RU"), ("+6465550123", "US"), ("+4722123456", "RU")),  # E.164
    ],
)
def test_a_number_of_another_country_is_read_with_a_plus(text: str, region: str) -> None:
    assert read_contact(text, region) == re.sub(r"\D", "", text)


@pytest.mark.parametrize("text", ["1-800-FLOWERS", "+1 (800) FLOWERS", "800-flowers", "1800CONTACTS"])
def test_a_number_in_words_is_no_sip_number(text: str) -> None:
    with pytest.raises(NotANumber):
        read_contact(text, "US")


@pytest.mark.parametrize("text", ["100-reception", "25boris", "sip25", "1800FLOWERS@x.ru"])
def test_a_sip_number_may_begin_with_digits(text: str) -> None:
    assert read_contact(text, "US") == text


def test_the_error_names_an_unknown_region() -> None:
    with pytest.raises(ValueError, match="region: 'Russia'"):
        read_contact(ANNA, "Russia")


@pytest.mark.parametrize("text", ["- 8 926 000-00-01", "\u2013 9260000001"])
def test_a_dash_of_a_bulleted_list_is_no_minus(text: str) -> None:
    assert read_contact(text, "RU") == ANNA


@pytest.mark.parametrize(
    "text", ["79260000001\n79260000002", "+79260000001\r\n+79260000002", "7926\n0000001"]
)
def test_the_error_of_a_number_on_several_lines_names_the_lines(text: str) -> None:
    with pytest.raises(NotANumber, match="several lines"):
        read_contact(text, "RU")


@settings(max_examples=200)
@given(st.from_regex("49(?:15[0-9]{9}|1[67][0-9]{8})", fullmatch=True, alphabet="0123456789"), st.data())
def test_a_german_mobile_number_with_a_digit_lost_or_doubled_gets_no_second_country_code(
    mobile, data
) -> None:
    """An area code begins like the country code, so that the digits are also a fixed line without it."""
    number_type = phonenumbers.number_type(phonenumbers.parse(f"+{mobile}"))
    assume(number_type == phonenumbers.PhoneNumberType.MOBILE)
    at = data.draw(st.integers(2, len(mobile) - 1))
    for digits in (mobile[:at] + mobile[at + 1 :], mobile[:at] + mobile[at] + mobile[at:]):
        for read in (read_contact, read_destination):
            with contextlib.suppress(NotANumber):
                assert read(digits, "DE") == digits


def test_a_fixed_line_whose_area_code_begins_like_the_country_code_is_read() -> None:
    assert read_contact("0491511234567", "DE") == "49491511234567"
    assert read_contact("+49491511234567", "DE") == "49491511234567"
    assert read_contact("04921 123456", "DE") == "494921123456"
    with pytest.raises(NotANumber, match="perhaps a mobile number with a digit too few"):
        read_contact("491511234567", "DE")
