"""Decides whether a national number is valid. The decision is that of the library `phonenumbers`, but faster.

For each number, the library matches about ten regular expressions: one for each type of number, such as
mobile numbers. This module joins these expressions of a region to one that matches the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_TYPES = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)
"""The types of numbers. `phonenumbers` calls a number valid if it belongs to at least one of them."""


@dataclass(frozen=True)
class _Region:
    """The form of the valid national numbers of one region, as regular expressions."""

    leading_digits: re.Pattern[str] | None  # the first digits of the region's numbers; None: not checked
    general: re.Pattern[str]  # a valid number matches both general and types
    types: re.Pattern[str]  # numbers of any type, such as mobile numbers

    def contains(self, national: str) -> bool:
        return self.general.fullmatch(national) is not None and self.types.fullmatch(national) is not None


def is_valid_national(country_code: int, national: str) -> bool:
    """Return whether a country code and a national number are a valid phone number.

    Several regions may have the same country code. Some regions have leading digits: the first digits of all
    their numbers. The function checks one region after another:

    - The number begins with the region's leading digits: the region decides whether it is valid.
    - The region has other leading digits: the number is not valid in this region, and the next region is
      checked.
    - The region has no leading digits: if the number is not valid in it, the next region is checked.

    :param national: the digits of the number without its country code and without a national prefix.
    """
    for region in _regions(country_code):
        if region.leading_digits is None:
            if region.contains(national):
                return True
        elif region.leading_digits.match(national):
            return region.contains(national)
    return False


@cache
def _regions(country_code: int) -> tuple[_Region, ...]:
    import phonenumbers  # noqa: PLC0415 - heavy

    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())
    plans = [phonenumbers.PhoneMetadata.metadata_for_region(code, None) for code in codes]
    return tuple(_region(plan, is_alone=len(codes) == 1) for plan in plans if plan is not None)


def _region(plan: Any, *, is_alone: bool) -> _Region:
    leading = None if is_alone or plan.leading_digits is None else re.compile(plan.leading_digits)
    return _Region(leading, re.compile(_expression(plan.general_desc)), re.compile("|".join(_types(plan))))


def _types(plan: Any) -> Iterator[str]:
    for name in _TYPES:
        if not (name == "mobile" and plan.same_mobile_and_fixed_line_pattern):
            yield _expression(getattr(plan, name))


def _expression(description: Any) -> str:
    """Return a regular expression for the numbers of one kind, such as mobile numbers.

    If the region has no such numbers, the expression matches nothing.
    """
    if description is None or not description.national_number_pattern:
        return "(?!)"  # matches no number
    lengths = "|".join(f"[0-9]{{{length}}}" for length in description.possible_length)
    return rf"(?=(?:{lengths or '.*'})\Z)(?:{description.national_number_pattern})"
