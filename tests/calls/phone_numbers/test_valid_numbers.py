"""The quick readings of phone numbers give the results of the library `phonenumbers`, in every region."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.phone_numbers import numbering_plan
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import read_digits
from airflow_provider_callapi.calls.phone_numbers.valid_numbers import is_valid_national

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
COUNTRY_CODES = sorted({phonenumbers.country_code_for_region(region) for region in REGIONS})
TYPES = sorted(phonenumbers.PhoneNumberType.values())
DIGITS = st.text("0123456789", min_size=1, max_size=15)


def _examples(region: str) -> list[str]:
    """Return the national number of each type of number that the library has an example of."""
    found = [phonenumbers.example_number_for_type(region, kind) for kind in TYPES]
    return [phonenumbers.national_significant_number(number) for number in found if number is not None]


@st.composite
def nationals(draw: st.DrawFn, region: str) -> str:
    """Draw a national number of a region, a number with a few wrong digits, or any digits."""
    if draw(st.integers(0, 3)) == 0:
        return draw(DIGITS)
    digits = list(draw(st.sampled_from(_examples(region) or ["2015550123"])))
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(digits) - 1))
        digits[position] = draw(st.sampled_from("0123456789"))
    return "".join(digits) + draw(st.text("0123456789", max_size=1))


@settings(max_examples=600)
@given(data=st.data(), region=st.sampled_from([*REGIONS, *["RU", "KZ", "US", "IT", "GB"] * 20]))
def test_a_national_number_is_valid_if_the_library_calls_it_valid(data: st.DataObject, region: str) -> None:
    national = data.draw(nationals(region))
    if national.startswith("0"):  # the library stores these zeros apart
        return
    code = phonenumbers.country_code_for_region(region)
    number = phonenumbers.PhoneNumber(code, int(national))
    assert is_valid_national(code, national) is phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("code", COUNTRY_CODES)
def test_the_patterns_of_the_library_can_be_joined(code: int) -> None:
    """In a joined expression, a group has another number, so a back-reference would mean another group."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        descriptions = [value for value in vars(plan).values() if hasattr(value, "national_number_pattern")]
        assert descriptions
        for description in descriptions:
            pattern = description.national_number_pattern or ""
            assert not any(f"\\{digit}" in pattern for digit in range(1, 10))
            assert "(?i" not in pattern


def test_an_international_prefix_that_begins_with_the_national_prefix_is_left_to_the_parser() -> None:
    assert read_digits("0151123400000", "IL") is None  # 015 abroad, and not the national prefix 0


@settings(max_examples=600)
@given(data=st.data(), region=st.sampled_from([*REGIONS, *["RU", "KZ", "US", "IT", "GB"] * 20]))
def test_digits_are_read_like_the_parser_of_the_library_reads_them(data: st.DataObject, region: str) -> None:
    plan = numbering_plan.NumberingPlan.of(region)
    lead = data.draw(st.sampled_from(["", plan.country_code, plan.national_prefix, "0", "00", "810"]))
    digits = lead + data.draw(nationals(region))
    quick = numbering_plan._read_by_prefix(digits, plan)
    if quick is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(numbering_plan, "_read_by_prefix", lambda digits, plan: None)
            parsed = read_digits(digits, region)
        # The parser refuses some international numbers of other countries with the same country code.
        assert parsed == quick or (parsed is None and digits == quick)


@settings(max_examples=600)
@given(data=st.data(), region=st.sampled_from([*REGIONS, *["RU", "KZ", "US", "IT", "GB"] * 20]))
def test_a_number_with_a_country_code_is_read_like_the_parser_of_the_library_reads_it(
    data: st.DataObject, region: str
) -> None:
    digits = numbering_plan.NumberingPlan.of(region).country_code + data.draw(nationals(region))
    quick = numbering_plan._read_by_country_code(digits)
    if quick is not None:
        assert quick == phonenumbers.parse(f"+{digits}")
        assert phonenumbers.is_valid_number(quick)
