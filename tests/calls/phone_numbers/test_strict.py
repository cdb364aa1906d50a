"""The strict reader: a number is read as it was written, with all its digits, or refused with a reason."""

from __future__ import annotations

import re

import phonenumbers
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spelled_numbers import GAPS, NUMBERS, spelled

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    NotANumber,
    NumberingPlan,
    read_digits,
)
from airflow_provider_callapi.calls.phone_numbers.strict import (
    read_contact,
    read_destination,
    read_destination_or_extension,
)
from airflow_provider_callapi.calls.phone_numbers.valid_numbers import is_valid_national

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


@settings(max_examples=300)
@given(st.integers(900_000_0000, 999_999_9999), st.integers(3, 10), st.sampled_from("0123456789"))
def test_a_digit_too_many_never_sends_a_call_abroad(national: int, position: int, digit: str) -> None:
    text = str(national)
    try:
        number = read_destination(text[:position] + digit + text[position:], "RU")
    except ValueError:
        return
    # Without the digit, there is no such number in Russia.
    with pytest.raises(ValueError, match="no phone number"):
        read_contact(text, "RU")
    assert number == text[:position] + digit + text[position:]


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


@pytest.mark.parametrize("text", ["- 8 926 000-00-01", "\u2013 9260000001"])
def test_a_dash_of_a_bulleted_list_is_no_minus(text: str) -> None:
    assert read_contact(text, "RU") == ANNA


@pytest.mark.parametrize(
    "text", ["79260000001\n79260000002", "+79260000001\r\n+79260000002", "7926\n0000001"]
)
def test_the_error_of_a_number_on_several_lines_names_the_lines(text: str) -> None:
    with pytest.raises(NotANumber, match="several lines"):
        read_contact(text, "RU")


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


@settings(max_examples=300)
@given(st.text(st.one_of(st.sampled_from("0123456789+()-. /" + "".join(GAPS)), st.characters()), max_size=24))
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
