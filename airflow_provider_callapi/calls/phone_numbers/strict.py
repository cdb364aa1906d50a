"""The strict reader of phone numbers. It returns exactly the written number, or raises an error.

With a wrong digit, a stranger's phone would ring. The reader therefore uses every digit of a text, and
guesses no digit. The error states what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_provider_callapi.api.parameter_types import check_phone_or_sip
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits, fold, only_digits
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    ROUNDED,
    NotANumber,
    NumberingPlan,
    e164,
    may_be_mistyped_mobile,
    read_digits,
    read_international,
)
from airflow_provider_callapi.calls.texts.number_texts import ROUNDED_DIGITS, ROUNDED_NUMBER

MASKED = "a masked number, or a pattern for several numbers; write each number whole"
"""What is wrong with a text such as ``7926***0001`` or ``7926*``, and what to do."""

_MOST_DIGITS = 15
"""The largest number of digits that E.164 allows."""
_MASKED_DIGITS = 10
"""The smallest number of digits of a number that logs shorten."""
_MOST_DIGITS_OF_A_SIP_NAME = 8
"""The largest number of digits in a SIP name.

If a text with letters has more digits, the text is a phone number with a mistyped digit, such as ``O`` for
``0``.
"""
_AREA_CODE = 3
"""The number of digits before a mistyped digit. With other first digits, a number has another area code."""
_TWO_NUMBERS = 14
"""The smallest number of digits that may be two short phone numbers."""
_NAME = re.compile(r"[^\W\d_]|[@*#_]")
"""Matches a character that only a SIP number can contain."""
_MASKED = re.compile(
    r"(?=.*(?:[*#_]|[0-9][xXхХ]|[xXхХ]{2}))[0-9xXхХ*#_ .()+-]+"
    r"|[0-9]{2,}([A-Za-z])\1{2,}[0-9]*"
)
"""Matches digits with signs that stand for other digits: ``7926***0001``, ``*0001``, ``7926nnn``."""
SHORT_FORM = re.compile(r"[+-]?(\d+)(?:[.,]\d*)?[eEеЕ][+-]?(\d+)")
"""Matches a number in the short form of a spreadsheet, such as ``7,926E+10``. Groups: its 7 and its 10."""
_BEGINS_AS_A_PHONE_NUMBER = re.compile(r"\+?([0-9][ ()._*#-]*){7}[^@]*")
EXTENSION_WORD = r"(?:доб\w*|вн\w*|ext\w*)"
"""A regular expression: the words before an extension, such as ``доб``."""
_EXTENSION_BEHIND = re.compile(
    rf"\+?(?:[0-9][ ().-]*){{5,}}[,;]?\s*{EXTENSION_WORD}[. :№#]*[0-9]{{1,6}}", re.IGNORECASE
)
"""Matches a phone number with an extension, such as ``8 (926) 000-00-01 доб. 12``."""
_FRACTION = re.compile(r"(\d{5,})[.,](\d+)")
_ROUNDED_FLOAT = re.compile(rf"\+?{ROUNDED_DIGITS}\.0+")
"""Matches the text of the float that YAML makes of a spreadsheet's short form, such as ``7.926E+10``."""
_FRACTION_BEHIND = re.compile(r"([^.~]+)[.~]\s*(?:\d{1,2}|0+)")
"""Matches a phone number with a fraction, such as ``030 123 456.0``, but not ``030.123.456``."""
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_WORD_NUMBER = re.compile(r"\+?(?:\d[ ().-]*){3}[A-Za-z0-9 ().-]+")
_KEYS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
"""Letter → the digit on whose key a phone has the letter."""
_EXTENSION = re.compile(r"[0-9]{1,6}")
_PREFIX = re.compile(r"[0-9]{1,9}")
_LINE_NUMBER = re.compile(r"(\d{1,2})(\.?\s+)(\d.*)", re.DOTALL)
_NEGATIVE = (
    "a minus before the number; a spreadsheet may have calculated it, because a text such as +7-9… is a "
    "formula; in the workbook, format the column as text, and write the number again"
)
_SHAPES = (
    (re.compile(r".*"), "several lines; write one number on one line"),
    (re.compile(r".[^+]*"), "several numbers, or a + inside the number"),
    (re.compile(r"(?!\D*-\d).*", re.DOTALL), _NEGATIVE),
    (re.compile(r"(?!(\D*\d){10,}\s*[,;](\D*\d){10}).*"), "several numbers; write one number"),
    (re.compile(r"\+?[\d\s().~/-]*"), "a character that is not part of a phone number"),
    (re.compile(r"[^()]*(\([\d\s]*\)(\D*\d){4,}[^()]*)?"), "brackets that contain no area code"),
    (re.compile(r"(?!.*\d{5}\.\d{1,3}$).*"), "a fraction behind the number"),
    (re.compile(r"\D*|.*[\d)]\s*\.?"), "a sign behind the number, which may stand for further digits"),
    (re.compile(r"(\D*(\d[^\d/]*){1,6}/)*[^/]*"), "several numbers, or digits behind a slash"),
)
"""Regular expression that the whole text must match → what is wrong with a text that does not match."""


def read_contact(text: str, region: str) -> str:
    """Convert the phone number or SIP number of a person on a list to the form that the service expects.

    - A phone number becomes E.164 digits without ``+``, such as ``79260000011``.
    - A SIP number, such as ``sip25@example.com``, stays unchanged.
    - A phone number with letters behind it, such as ``79260000011 home``, is an error.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :raises NotANumber: the text is not a phone number or SIP number that can be called.
    """
    if text.isascii() and text.isdigit():
        return _read_plain(text, region)
    folded = fold(text)
    refuse_rounded_float(folded)
    if _NAME.search(folded):
        return _read_sip(folded, region)
    return _read_phone(folded, text, region)


def read_destination(given: object, region: str) -> str:
    """Convert a phone number or SIP number in a task's parameter to the service's form.

    The function reads every form that `read_contact` reads, and also the E.164 digits of any country, which
    stay unchanged. E.164 digits that may be a mistyped number of the region are an error: in Russia,
    ``92600000112`` may be ``9260000011`` with one digit too many.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :raises NotANumber: the value is no number that can be called, or seems to be mistyped, or a spreadsheet
        may have rounded it.
    """
    refuse_octal(given, region)
    text = str(given).strip()
    try:
        return read_contact(text, region)
    except NotANumber:
        if _EXTENSION.fullmatch(text):
            raise NotANumber("an extension, or a part of a phone number; write the whole number") from None
        is_digits = text.isascii() and text.isdigit()
        if is_digits and read_international(text) and not _may_be_mistyped(text, region):
            return text
        raise


def read_destination_or_extension(given: object, region: str) -> str:
    """Convert a number in a task's parameter as `read_destination` does. An extension stays unchanged.

    An extension has up to six digits.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :raises NotANumber: the value is no number that can be called, see `read_destination`.
    """
    refuse_octal(given, region)
    text = str(given).strip()
    return text if _EXTENSION.fullmatch(text) else read_destination(given, region)


def refuse_octal(given: object, region: str) -> None:
    """Raise an error if YAML seems to have read a phone number as an octal number.

    YAML does so if a number begins with 0 and contains no 8 or 9. For example, YAML reads the French phone
    number ``0612345670`` as 103402424: the phone number of a stranger.

    :param given: the value of a parameter. If the value is no int, the function raises no error.
    :raises NotANumber: the octal digits of the int are a phone number of the region. An int that begins with
        the region's country code, and is a phone number, raises no error.
    """
    if type(given) is not int or not 0 < given < 10**_MOST_DIGITS:
        return
    if str(given).startswith(NumberingPlan.of(region).country_code) and read_international(str(given)):
        return
    if any(read_digits(f"{zeros}{given:o}", region) for zeros in ("0", "00")):
        raise NotANumber(
            "YAML reads a number that begins with 0 as an octal number, so it may be another person's; write "
            "it in quotation marks, or with its country code"
        )


def refuse_rounded_float(text: str) -> None:
    """Raise an error if a text is a float that may be a rounded phone number, e.g. ``79260000000.0``.

    :param text: the text without blanks at its ends.
    :raises NotANumber: the text is such a float.
    """
    if _ROUNDED_FLOAT.fullmatch(text):
        raise NotANumber(ROUNDED_NUMBER)


def read_number_or_prefix(text: str, region: str) -> str:
    """Return a phone number as E.164 digits, or a prefix: the first digits of phone numbers.

    A text of up to nine digits, such as ``7926`` or ``+7926``, is a prefix. The function adds no country code
    to a prefix.

    :param region: ISO 3166 code of a country. A phone number without a country code belongs to this country.
    :raises NotANumber: the text is neither a phone number nor a prefix.
    """
    digits = fold(text).removeprefix("+")
    if _PREFIX.fullmatch(digits):
        return digits
    number = read_destination(text, region)
    if not number.isdecimal():
        raise NotANumber("a SIP number; only phone numbers and their first digits are possible")
    return number


def _may_be_mistyped(digits: str, region: str) -> bool:
    """Return whether digits may be a number of the region with one digit too few or too many."""
    shorter = (digits[:i] + digits[i + 1 :] for i in range(_AREA_CODE, len(digits)))
    is_too_long = any(read_digits(candidate, region) for candidate in shorter)
    return is_too_long or NumberingPlan.of(region).is_near_national_length(digits)


def _read_plain(digits: str, region: str) -> str:
    if len(digits) > _MOST_DIGITS:
        raise NotANumber("more than 15 digits")
    number = read_digits(digits, region)
    if number is None or len(number) > _MOST_DIGITS:
        is_near = NumberingPlan.of(region).is_near_national_length(digits)
        typo = ", perhaps with a digit too few or too many" if is_near else ""
        raise NotANumber(f"no phone number of region {region}{typo}; a number of another country needs its +")
    if number != digits and _read_with_country_code(digits, region) not in (None, number):
        raise NotANumber("two different numbers, with and without a country code; write it with its +")
    if number != digits and may_be_mistyped_mobile(digits, number, region):
        raise NotANumber("perhaps a mobile number with a digit too few or too many; write it with its +")
    return number


def _read_with_country_code(digits: str, region: str) -> str | None:
    """Read digits that begin with the region's country code. Return the number. None: they are no number."""
    if not digits.startswith(NumberingPlan.of(region).country_code):
        return None
    number = read_international(digits, has_trunk_zero=True)
    return None if number is None else e164(number)


def _read_sip(text: str, region: str) -> str:
    if SHORT_FORM.fullmatch(text):
        raise NotANumber(ROUNDED)
    if _EXTENSION_BEHIND.fullmatch(text):
        raise NotANumber("a phone number with an extension, which a call cannot dial; remove the extension")
    has_many_digits = count_digits(text) > _MOST_DIGITS_OF_A_SIP_NAME
    if "@" not in text and (has_many_digits or _is_word_number(text, region)):
        raise NotANumber("a phone number with letters or signs inside; a SIP number needs its @domain")
    if _MASKED.fullmatch(text):
        raise NotANumber(MASKED)
    if _BEGINS_AS_A_PHONE_NUMBER.fullmatch(text):
        raise NotANumber("a phone number with more text; a SIP number needs its @domain")
    try:
        return check_phone_or_sip(text)
    except ValueError:
        raise NotANumber("not a phone number or SIP number") from None


def _is_word_number(text: str, region: str) -> bool:
    """Return whether letters in a text may be keys of a phone: ``1-800-FLOWERS`` is 1 800 356 93 77."""
    if not NumberingPlan.of(region).has_one_length or not _WORD_NUMBER.fullmatch(text):
        return False
    digits = only_digits(text.upper().translate(_KEYS))
    return any(read_digits(digits[:length], region) for length in range(FEWEST_DIGITS, len(digits) + 1))


def _read_phone(folded: str, given: str, region: str) -> str:
    text = _without_zero_fraction(folded)
    if not text:
        raise NotANumber("empty")
    for shape, problem in _SHAPES:
        if not shape.fullmatch(text):
            raise NotANumber(problem)
    digits = only_digits(text)
    if not digits:
        raise NotANumber("no digits")
    if len(digits) >= _MASKED_DIGITS and mask_phones(given) == given:
        raise NotANumber("too many characters between the digits")
    if _has_fraction(text, region):
        raise NotANumber("a fraction or a second number behind the number")
    if not text.startswith("+"):
        if len(digits) >= _TWO_NUMBERS and _are_two_numbers(re.findall(r"\d+", text), region):
            raise NotANumber("several numbers")
        number = _read_plain(digits, region)
        if _has_line_number(text, region, number):
            raise NotANumber("digits before the number, such as the number of its line; remove them")
        return number
    if len(digits) > _MOST_DIGITS:
        raise NotANumber("more than 15 digits")
    return _read_with_plus(text, digits, region)


def _has_fraction(text: str, region: str) -> bool:
    """Return whether a text is a phone number with a fraction: ``030 123 456.0`` in Germany."""
    match = _FRACTION_BEHIND.fullmatch(text)
    if match is None:
        return False
    digits = only_digits(match[1])
    if text.startswith("+"):
        return read_international(digits, has_trunk_zero=True) is not None
    return read_digits(digits, region) is not None


def _has_line_number(text: str, region: str, number: str) -> bool:
    # The beginning of a text can be its position in a list: the 2 in `2. 30 123456`. This is so only if the
    # rest of the text is another number than `number`, the number in the whole text.
    plan = NumberingPlan.of(region)
    match = _LINE_NUMBER.fullmatch(text)
    if match is None or match[1] in (plan.country_code, plan.national_prefix):
        return False
    is_certain = "." in match[2] or (plan.national_prefix == "0" and match[3].startswith("0"))
    return is_certain and read_digits(only_digits(match[3]), region) not in (None, number)


def _are_two_numbers(groups: Sequence[str], region: str) -> bool:
    """Return whether groups of digits, e.g. ``["4950000011", "4950000012"]``, are two phone numbers."""
    return any(
        read_digits("".join(groups[:end]), region) and read_digits("".join(groups[end:]), region)
        for end in range(1, len(groups))
    )


def _without_zero_fraction(text: str) -> str:
    """Return a text such as ``79260000001.0`` without its fraction of zeros, and any other text unchanged."""
    match = _FRACTION.fullmatch(text)  # data frames and spreadsheets write whole numbers in this form
    return match[1] if match and set(match[2]) == {"0"} else text


def _read_with_plus(text: str, digits: str, region: str) -> str:
    without_zero = _TRUNK_ZERO.sub("", text)
    has_trunk_zero = without_zero != text
    number = read_international(digits, has_trunk_zero=has_trunk_zero)
    if number is None:
        raise NotANumber("no phone number with this country code")
    other = read_international(only_digits(without_zero)) if has_trunk_zero else None
    if other is not None and e164(other) != e164(number):  # in Italy, the 0 belongs to some numbers
        raise NotANumber("two different numbers, with and without the (0); remove the (0) or its brackets")
    first = re.findall(r"\d+", text)[0]
    code = str(number.country_code)
    # In Ukraine, people write +38 (050) for +380 50.
    if len(first) < len(code) and code != NumberingPlan.of(region).country_code:
        raise NotANumber("no country code behind the +")
    national = None if first == code else _read_without_plus(digits, region, has_gap=first != digits)
    if national not in (None, e164(number)):
        raise NotANumber(
            "the + may be wrong: without it, this is a number of the region; write the country code of the "
            "region, or a gap behind another country code"
        )
    return e164(number)


def _read_without_plus(digits: str, region: str, *, has_gap: bool) -> str | None:
    """Read the digits behind a mistaken ``+``, as in ``+8 926 000-00-01``. None: the ``+`` is right."""
    # `has_gap`: the text has a gap behind its first digits, as behind a country code.
    plan = NumberingPlan.of(region)
    has_prefix = bool(plan.national_prefix) and digits.startswith(plan.national_prefix)
    # Without a gap, this is E.164. If lengths vary, as in Germany, most numbers could be national numbers.
    if not has_prefix and not (has_gap and plan.has_one_length):
        return None
    return read_digits(digits, region)
