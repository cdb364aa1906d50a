"""Numbers as text, in the form in which people write them: ``1234`` and not ``1234.0``, no exponent."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Rational, Real
from typing import Any

from airflow_provider_callapi.api.values.object_ids import INEXACT_FROM
from airflow_provider_callapi.calls.texts.shown_values import LongNumber, ShownValue

MOST_DIGITS = 15
"""How many significant digits of a number a float certainly holds, in Python and in a workbook."""
LOST_DIGITS = (
    "a number of the workbook has more than 15 digits, so its last digits are lost; store the cell as text"
)
"""The error message about a `LongNumber`."""
_MOST_PLACES = 400
"""How many digits a text may have before or after the decimal point. The largest float has 309."""
ROUNDED_DIGITS = r"\d{5,10}00000"
"""Regular expression for the digits of a phone number that a spreadsheet may have rounded."""
ROUNDED_NUMBER = (
    "a number with a fraction that ends in five zeros, such as 7.926E+10 in YAML: its last digits may be "
    "lost; write all digits, in quotation marks"
)
"""What is wrong with a float such as 79260000000.0, and what to do."""
_MAY_BE_ROUNDED = re.compile(ROUNDED_DIGITS)


def number_text(value: int | float | Decimal) -> str:
    """Return a number as text: ``1234`` for 1234.0, ``0.3`` for 0.1 + 0.2, ``1000`` for 1E+3.

    The text has no exponent, no zeros at the end of its fraction, and a full stop as decimal point. The
    fraction of a float is rounded so that the number has 15 significant digits. All other digits stay. A
    number of a workbook has the text that its cell shows, such as ``15%``.

    :param value: a number. Types of other libraries, such as ``numpy.float32``, are also possible.
    :raises ValueError: the value is NaN, infinite, a bool, or has more than 400 digits before or after the
        decimal point.
    :raises ValueError: the value is a float that has lost digits: a whole number from 2^53 on with more than
        15 significant digits, such as 12345678901234567890.0. Or it is a `LongNumber` of a workbook.
    """
    if isinstance(value, ShownValue) and value.shown is not None:
        return value.shown
    number = _decimal(value)
    if not number:
        return "0"  # also for -0.0 and 0E-10
    if not number.is_finite() or not -_MOST_PLACES <= number.adjusted() < _MOST_PLACES:
        raise ValueError("no number of up to 400 digits")
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def may_have_fraction(value: Any) -> bool:
    """Return whether a value is of a type of numbers with a fraction: ``float``, ``numpy.float32``."""
    return isinstance(value, Real | Decimal) and not isinstance(value, Rational)


def whole_number_text(value: Any) -> str | None:
    """Return a whole number, which Python writes with a fraction, as text: ``664`` for 664.0.

    In ``{{ contact.code }}{{ contact.number }}``, the zero of 664.0 would become a digit of the phone number.

    :return: the text. None: the value is no such number.
    """
    if isinstance(value, ShownValue) or not may_have_fraction(value):
        return None
    try:
        text = number_text(value)
    except ValueError:
        return None
    return text if text.lstrip("-").isdigit() and abs(int(text)) < INEXACT_FROM else None


def may_be_rounded(text: str) -> bool:
    """Return whether digits, which stood before a fraction of zero, may be a rounded phone number."""
    return _MAY_BE_ROUNDED.fullmatch(text) is not None


def _decimal(value: int | float | Decimal) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("a boolean is no number")
    if isinstance(value, LongNumber):
        raise ValueError(LOST_DIGITS)
    if not isinstance(value, float):
        return Decimal(str(value))
    if not value.is_integer():  # also NaN and infinity
        return Decimal(f"{value:.{MOST_DIGITS}g}")
    if abs(value) < INEXACT_FROM:
        return Decimal(int(value))
    number = Decimal(repr(float(value)))
    if len(number.normalize().as_tuple().digits) > MOST_DIGITS:
        raise ValueError("a number has more digits than a float holds, so its last digits are lost")
    return number
