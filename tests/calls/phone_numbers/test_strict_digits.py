"""The strict reader adds and loses no digit, and sends no call abroad by mistake."""

from __future__ import annotations

import re

import phonenumbers
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spelled_numbers import GAPS, NUMBERS, spelled

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber, NumberingPlan, read_digits
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact, read_destination
from airflow_provider_callapi.calls.phone_numbers.valid_numbers import is_valid_national


@settings(max_examples=300)
@given(st.integers(900_000_0000, 999_999_9999), st.integers(3, 10), st.sampled_from("0123456789"))
def test_a_digit_too_many_never_sends_a_call_abroad(national: int, position: int, digit: str) -> None:
    text = str(national)
    with pytest.raises(NotANumber):
        read_destination(text[:position] + digit + text[position:], "RU")


@settings(max_examples=600)
@given(
    st.sampled_from(["DE", "AT", "FI", "ID", "SE", "MM", "IT", "XK", "RU", "US"]),
    st.from_regex(r"[0-9]{6,11}", fullmatch=True),
    st.sampled_from(["{}{}", "{} {}", "{}{}.0", "{} (0) {}"]),
)
def test_the_country_code_of_the_region_is_never_taken_for_an_area_code(
    region: str, national: str, form: str
) -> None:
    code = NumberingPlan.of(region).country_code
    if not is_valid_national(int(code), national) or national.startswith("0"):
        return
    text, number = form.format(code, national), f"{code}{national}"
    try:
        assert read_contact(text, region) in (number, f"{code}0{national}")  # in Italy, 0 belongs to a number
    except NotANumber:
        return


@pytest.mark.parametrize(
    ("text", "region"),
    [
        *(("+495 123-45-67", "RU"), ("+(495) 123 45 67", "RU"), ("+84951234567", "RU")),
        *(("+3812 12-34-56", "KZ"), ("+646 555 0123", "US")),
    ],
)
def test_a_plus_before_a_national_number_never_sends_a_call_abroad(text: str, region: str) -> None:
    with pytest.raises(NotANumber, match=r"the \+ may be wrong"):
        read_destination(text, region)


@settings(max_examples=200)
@given(spelled(NUMBERS), st.sampled_from([".0", " .0", ". 0", ".00", ".0000", "~2", ".\u200b0"]))
def test_a_fraction_never_adds_a_digit_to_a_number(case: tuple[str, str, str], fraction: str) -> None:
    text, region, number = case
    try:
        read_contact(text, region)
        with_fraction = read_contact(text.rstrip() + fraction, region)
    except NotANumber:
        return
    assert with_fraction == number or re.search(r"[.~\u00b7\uff0e]", text)


@pytest.mark.parametrize("fraction", [".0", ".00", " .0", ". 0", ".\u200b0", "\u00b70", "~0"])
@pytest.mark.parametrize(
    ("text", "region"),
    [
        *(("+43664123456", "AT"), ("0664 1234 567", "AT"), ("+49 30 12 34 56", "DE"), ("030/1234", "DE")),
        *(("(030) 1234", "DE"), ("030-12-34", "DE"), ("+43 664 1234567", "RU")),
    ],
)
def test_a_fraction_behind_groups_of_digits_is_refused(text: str, region: str, fraction: str) -> None:
    with pytest.raises(NotANumber, match="fraction"):
        read_contact(text + fraction, region)


@pytest.mark.parametrize("text", ["030.12.34", "030.123.45", "0664.1234.567", "+49.30.1234.50"])
def test_dots_between_all_groups_are_no_fraction(text: str) -> None:
    assert read_contact(text, "AT" if text.startswith("0664") else "DE").endswith(re.sub(r"\D", "", text)[1:])


@settings(max_examples=400)
@given(spelled(NUMBERS))
def test_a_spelled_number_is_read_with_all_its_digits_or_refused(case: tuple[str, str, str]) -> None:
    text, region, number = case
    try:
        assert read_contact(text, region) == number
    except NotANumber:
        return


@settings(max_examples=200)
@given(spelled(NUMBERS), st.sampled_from("-\u2010\u2011\u2212\ufe63\uff0d"))
def test_a_negative_number_is_never_read_as_a_phone_number(case: tuple[str, str, str], minus: str) -> None:
    text, region, number = case
    for negative in (minus + re.sub(r"^\D+", "", text), f"-{number}", -int(number), -float(number)):
        with pytest.raises(NotANumber):
            read_destination(negative, region)


@given(st.integers(79000, 79999), st.integers(0, 9))
def test_a_float_that_yaml_makes_of_a_spreadsheets_short_form_is_refused(first: int, next_digit: int) -> None:
    """The short form 7.926E+10 has lost the last digits; YAML reads it as the number 79260000000.0."""
    number = yaml.safe_load(f"{first // 10000}.{first % 10000}{next_digit}E+10")
    assert isinstance(number, float)

    with pytest.raises(NotANumber, match="ends in five zeros"):
        read_destination(number, "RU")
    with pytest.raises(NotANumber, match="ends in five zeros"):
        read_contact(f" {number}", "RU")


def test_a_whole_number_may_end_in_five_zeros_and_a_float_in_other_digits() -> None:
    assert read_destination(79260000000, "RU") == "79260000000"
    assert read_destination(79260000001.0, "RU") == "79260000001"


@settings(max_examples=400)
@given(spelled(NUMBERS))
def test_every_number_that_can_be_read_is_masked(case: tuple[str, str, str]) -> None:
    text, region, _ = case
    try:
        read_contact(text, region)
    except NotANumber:
        return
    if len(re.findall(r"\d", text)) < 10 and not text.lstrip().startswith("+"):
        return  # so few digits are an id, too
    masked = mask_phones(f"Calling {text} now")
    assert not re.search(r"(\d[^\w…]*){6}", masked), masked


SIGNS = st.one_of(st.sampled_from("0123456789+()-. /" + "".join(GAPS)), st.characters())


@st.composite
def with_another_sign(draw: st.DrawFn) -> str:
    """Draw a spelling of a Russian number, with up to two further signs or without one of its signs."""
    text, _, _ = draw(spelled([number for number in NUMBERS if number[0] == "RU"]))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text(SIGNS, max_size=2)) + text[at + draw(st.integers(0, 1)) :]


@settings(max_examples=300)
@given(with_another_sign() | st.text(SIGNS, max_size=24))
def test_no_digit_of_a_text_is_added_or_lost(text: str) -> None:
    try:
        number = read_contact(text, "RU")
    except NotANumber:
        return
    if not number.isdigit():
        return
    digits = "".join(
        str(int(digit)) for digit in re.findall(r"\d", re.sub(r"(\d{5})[.,]0+$", r"\1", text.strip()))
    )
    assert digits.endswith(number[-10:])
    assert len(digits) <= len(number) + 3, "a prefix at most"


@settings(max_examples=300)
@given(
    st.sampled_from(["RU", "AT", "DE", "US", "KZ", "IT", "AR", "HU"]),
    st.from_regex(r"[0-9]{7,15}", fullmatch=True),
)
@example("KZ", "73010000000")
def test_the_short_cut_reads_the_same_numbers_as_the_library(region: str, digits: str) -> None:
    read = read_digits(digits, region)
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        assert read is None
        return
    if read is not None and not phonenumbers.is_valid_number(number):  # digits with a country code, without +
        number = phonenumbers.parse(f"+{digits}")
        assert phonenumbers.is_valid_number(number)
    by_library = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    assert read in (None, by_library)


@pytest.mark.parametrize(
    ("written", "region"),
    [("0612345670", "FR"), ("01711234567", "DE"), ("06641234567", "AT"), ("00447712345671", "DE")],
)
def test_a_number_that_yaml_has_read_as_octal_is_refused(written: str, region: str) -> None:
    with pytest.raises(NotANumber, match="write it in quotation marks"):
        read_destination(yaml.safe_load(written), region)


def _read(given: int | str, region: str) -> str | None:
    try:
        return read_destination(given, region)
    except NotANumber:
        return None


@given(st.integers(9 * 10**9, 10**10 - 1), st.sampled_from(["", "7", "8"]))
def test_a_russian_number_may_be_an_int(national: int, prefix: str) -> None:
    digits = f"{prefix}{national}"
    assert _read(int(digits), "RU") == _read(digits, "RU")


@pytest.mark.parametrize(("region", "code", "national"), [numbers[:3] for numbers in NUMBERS])
def test_a_number_with_its_country_code_may_be_an_int(region: str, code: str, national: str) -> None:
    assert read_destination(int(code + national), region) == code + national
