"""Reads digits as a phone number by the numbering plan of a region, such as ``89260000011`` in Russia.

The numbering plans come from the library `phonenumbers`, which is loaded at first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.phone_numbers.valid_numbers import is_valid_national

if TYPE_CHECKING:  # the library is heavy, and DAG files are parsed all day
    from phonenumbers import PhoneNumber


class NotANumber(ValueError):
    """A text is not a phone number or SIP number that can be called. The error never repeats the text."""


ROUNDED = (
    "a number that Excel or another spreadsheet saved in its short form, such as 7,9E+10, so its last digits "
    "are lost; in the original workbook, and not in this file, format the column as a number with 0 "
    "decimals, and save the list again"
)
"""What is wrong with a text such as ``7,91612E+10``, and what to do."""
ROUNDED_LIST = (
    "many numbers end in 00000, or are 32-bit floats. A program has probably replaced their last digits. "
    "Format the column as a number with 0 decimals in the original workbook, and save the list again. In a "
    "database, store phone numbers as text. If the numbers are right, write each number with its +"
)
"""What is wrong with a list whose phone numbers are rounded, and what to do."""
_FURTHER_DIGITS = 4
"""How many digits a cut phone number may lack, for `may_be_longer`."""
_MOSTLY = 10
"""Digits without ``+`` that are at least as many as these are a phone number."""
_LONGEST_PREFIX = 2
"""The largest number of digits of a national prefix. A longer one may select a telephone company."""


def is_region(region: str) -> bool:
    """Return whether a text is the ISO 3166 code of a country with a known numbering plan, e.g. ``RU``."""
    import phonenumbers  # noqa: PLC0415

    return region in phonenumbers.SUPPORTED_REGIONS


def regions_of(numbers: Iterable[str]) -> frozenset[str]:
    """Return the countries of phone numbers as ISO 3166 codes, e.g. ``{"RU", "US"}``.

    If several countries have one country code, the result contains the main one of them: US for +1.

    :param numbers: E.164 digits. SIP numbers are left out.
    """
    import phonenumbers  # noqa: PLC0415

    codes = {number[:length] for number in numbers if number.isdigit() for length in (1, 2, 3)}
    regions = (phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ("",))[0] for code in codes)
    return frozenset(filter(is_region, regions))


@cache
def code_of_region(region: str) -> str | None:
    """Return the country code of a region, such as ``7`` of ``RU``. None: there is no such region."""
    import phonenumbers  # noqa: PLC0415

    return str(phonenumbers.country_code_for_region(region)) if is_region(region) else None


def is_country_code(digits: str) -> bool:
    """Return whether digits are the country code of any phone numbers, such as ``380``."""
    return digits in _country_codes()


@dataclass(frozen=True)
class NumberingPlan:
    """The rules by which the phone numbers of one region are written.

    :ivar region: ISO 3166 code of the region, such as ``RU``.
    :ivar country_code: the digits after ``+``, such as ``7``.
    :ivar national_prefix: the digits that people dial before a national number, such as ``8``. Empty: no
        prefix.
    :ivar international_prefix: a regular expression for the digits that people dial before a country code,
        such as ``810``.
    :ivar lengths: how many digits a national number of the region can have.
    :ivar parsed_prefix: a regular expression for the first digits that `phonenumbers` removes or replaces
        when it reads a national number.
    :ivar has_plain_prefix: True: the digits behind the national prefix are the whole national number. False:
        `phonenumbers` may replace the first digits by other digits.
    :ivar has_one_length: True: all mobile and fixed-line numbers of the region have the same number of
        digits, as in Russia.
    """

    region: str
    country_code: str
    national_prefix: str
    international_prefix: re.Pattern[str]
    lengths: frozenset[int]
    parsed_prefix: re.Pattern[str]
    has_plain_prefix: bool
    has_one_length: bool

    @classmethod
    @cache
    def of(cls, region: str) -> NumberingPlan:
        """Return the numbering plan of a region, such as ``RU``.

        :raises ValueError: the region is unknown. The error message names the parameter ``region``.
        """
        import phonenumbers  # noqa: PLC0415

        plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        if plan is None:
            raise ValueError(f"region: {region!r} is not a code of ISO 3166, such as 'RU'")
        usual = [kind.possible_length for kind in (plan.fixed_line, plan.mobile) if kind is not None]
        return cls(
            region,
            str(plan.country_code),
            plan.national_prefix or "",
            re.compile(plan.international_prefix or "(?!)"),
            frozenset(plan.general_desc.possible_length if plan.general_desc else ()),
            re.compile(plan.national_prefix_for_parsing or "(?!)"),
            plan.national_prefix_transform_rule is None,
            len(frozenset().union(*usual)) == 1,
        )

    def may_have_prefix(self, digits: str) -> bool:
        """Return whether digits may begin with a country code, or with a national or international prefix."""
        return (
            digits.startswith(("0", self.country_code))
            or self.parsed_prefix.match(digits) is not None
            or self.international_prefix.match(digits) is not None
        )

    def has_national_length(self, digits: str) -> bool:
        """Return whether digits have the length of a national number, with or without the national prefix."""
        rest = digits.removeprefix(self.national_prefix)
        return len(digits) in self.lengths or len(rest) in self.lengths

    def is_near_national_length(self, digits: str) -> bool:
        """Return whether digits may be a national number of the region, perhaps mistyped.

        The digits must begin with the national prefix. The rest has the right length, or one digit too few or
        too many. In Russia, ``8926000001`` may be a mistyped number, because the rest has 9 digits instead of
        10.
        """
        if not self.national_prefix or not digits.startswith(self.national_prefix):
            return False
        rest = len(digits) - len(self.national_prefix)
        return any(abs(rest - length) <= 1 for length in self.lengths)


def read_digits(digits: str, region: str) -> str | None:
    """Return the valid phone number that digits mean in a region, as E.164 digits.

    In region ``RU``, ``9260000011``, ``89260000011`` and ``81079260000011`` all mean ``79260000011``.

    :param digits: a national or international number, with or without the prefix that people dial first.
    :param region: ISO 3166 code of a country. A national number belongs to this country.
    :return: the number. None: the digits contain no valid number, or more than a number with its prefixes.
    """
    plan = NumberingPlan.of(region)
    if (quick := _read_by_prefix(digits, plan)) is not None:
        return quick
    number = _parse(digits, region)
    if number is None:
        return None
    national, whole = _national(number), e164(number)
    if digits in (whole, national, plan.national_prefix + national):
        return whole
    prefix = digits.removesuffix(national)
    # In Belarus, people dial 80, 8 or 0 before a national number.
    if plan.has_plain_prefix and len(prefix) <= _LONGEST_PREFIX and plan.parsed_prefix.fullmatch(prefix):
        return whole
    prefix = digits.removesuffix(whole)
    return whole if prefix != digits and plan.international_prefix.fullmatch(prefix) else None


def may_be_mistyped_mobile(digits: str, number: str, region: str) -> bool:
    """Return whether digits may be a country code and a mobile number with one digit too few or too many.

    In Germany, ``491511234567`` may be +49 1511 2345678 without a digit. By the numbering plan, it is also a
    phone in Leer, whose area code begins like the country code. Digits that are a mobile number as they are,
    without a country code, are not mistyped. If all numbers of the region have one length, their length shows
    a missing digit.

    :param digits: the digits without ``+``.
    :param number: the number that they are without a country code, as E.164 digits.
    """
    plan = NumberingPlan.of(region)
    begin = len(plan.country_code)
    if plan.has_one_length or not digits.startswith(plan.country_code) or _is_mobile(number):
        return False
    shorter = (digits[:i] + digits[i + 1 :] for i in range(begin, len(digits)))
    longer = (digits[:i] + new + digits[i:] for i in range(begin, len(digits) + 1) for new in "0123456789")
    return any(map(_is_mobile, (*shorter, *longer)))


def _is_mobile(digits: str) -> bool:
    """Return whether E.164 digits are a number that is certainly that of a mobile phone."""
    import phonenumbers  # noqa: PLC0415

    number = read_international(digits)
    return number is not None and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def may_be_longer(number: str) -> bool:
    """Return whether a phone number may be the first digits of a longer phone number.

    In Austria, the numbers of one place differ in their length, so this is possible. In Russia, it is not.

    :param number: E.164 digits.
    """
    return any(read_international(number + "1" * further) for further in range(1, _FURTHER_DIGITS + 1))


def read_international(digits: str, *, has_trunk_zero: bool = False) -> PhoneNumber | None:
    """Return the valid phone number that a country code and a national number form.

    :param digits: the country code and the national number, without ``+``.
    :param has_trunk_zero: True: between the two, ``digits`` may contain a zero that is not dialled, as in
        ``+49 (0) 30 …``.
    :return: the number as an object of the library `phonenumbers`. None: the digits are no valid number.
    """
    number = _read_by_country_code(digits) or _parse(f"+{digits}", None)
    if number is None:
        return None
    if digits == e164(number):
        return number
    is_zero_extra = digits == f"{number.country_code}0{_national(number)}"
    return number if has_trunk_zero and is_zero_extra else None


def is_phone_number(contact: str) -> bool:
    """Return whether a contact is a phone number, and no SIP number.

    :param contact: E.164 digits without ``+``, a SIP number, or an extension. A number with fewer than ten
        digits is a phone number if its country has such numbers, as Andorra has ``376312345``.
    """
    if not contact.isdigit():
        return False
    return len(contact) >= _MOSTLY or read_international(contact) is not None


def e164(number: PhoneNumber) -> str:
    """Return a number as E.164 digits without ``+``, such as ``79260000011``."""
    return f"{number.country_code}{_national(number)}"


def _read_by_prefix(digits: str, plan: NumberingPlan) -> str | None:
    """Convert a national number, with or without the national prefix or country code, to E.164 digits.

    None: the parser of `phonenumbers` must decide.
    """
    # This reads most numbers, and is faster than the parser of phonenumbers.
    if len(digits) in plan.lengths:  # the digits may be a national number as they are
        return None if plan.may_have_prefix(digits) else _join_valid(plan.country_code, digits)
    if plan.international_prefix.match(digits):  # in Israel, 015 is one, but 0 is the national prefix, too
        return None
    leads = (plan.country_code, plan.national_prefix) if plan.has_plain_prefix else (plan.country_code,)
    for lead in leads:
        rest = digits[len(lead) :]
        if lead and digits.startswith(lead) and len(rest) in plan.lengths:
            return _join_valid(plan.country_code, rest)
    return None


def _join_valid(country_code: str, national: str) -> str | None:
    """Join a country code and a national number to E.164 digits.

    None: it is not certain that they are a valid number.
    """
    if national.startswith("0") or not is_valid_national(int(country_code), national):
        return None  # the parser of phonenumbers must decide
    return f"{country_code}{national}"


def _read_by_country_code(digits: str) -> PhoneNumber | None:
    """Convert digits with a country code, e.g. ``79260000001``, to a phone number.

    None: it is not certain that the number is valid.
    """
    import phonenumbers  # noqa: PLC0415

    for length in (1, 2, 3):  # no country code is the beginning of another one
        code, national = digits[:length], digits[length:]
        if code in _country_codes() and _join_valid(code, national):
            return phonenumbers.PhoneNumber(int(code), int(national))
    return None


@cache
def _country_codes() -> frozenset[str]:
    import phonenumbers  # noqa: PLC0415

    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _national(number: PhoneNumber) -> str:
    import phonenumbers  # noqa: PLC0415

    return phonenumbers.national_significant_number(number)
