"""The filters ``int`` and ``float`` of Jinja templates, which never make a number of something else.

Jinja's own filters turn each value that they cannot read into 0: a person would hear "You owe 0 rubles". They
also read ``7.92612E+10``, which a spreadsheet has rounded, as the phone number of a stranger.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from jinja2 import TemplateRuntimeError, Undefined, filters

from airflow_provider_callapi.calls.texts.empty_values import is_empty

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.(?P<fraction>[0-9]+))?")
_AMOUNT = re.compile(r"([+-]?[0-9]{1,3}(?:[ \xa0\u2009\u202f][0-9]{3})+|[+-]?[0-9]+)(?:,([0-9]{1,2}))?")
"""Matches an amount as a spreadsheet writes it: ``1 500,00``. But ``1,500`` may be 1500 or 1.5."""
_NO_DEFAULT = object()


def to_int(value: Any, default: Any = _NO_DEFAULT, base: int = 10) -> Any:
    """Convert a value to a whole number, as Jinja's ``int``: the text ``"12"`` becomes 12.

    :param value: a number, whose fraction is cut off, or a text of digits, also in groups: ``1 500``.
    :param default: the result if the value cannot be converted. If it is given, Jinja converts the
        value, after ``1 500,00`` has become ``1500.00``.
    :param base: the base of the number in a text.
    :raises TemplateRuntimeError: the value cannot be converted, and there is no default.
    """
    value = _plain(value)
    if default is not _NO_DEFAULT or base != 10:
        return filters.do_int(value, 0 if default is _NO_DEFAULT else default, base)
    _refuse_gap(value, "int")
    if isinstance(value, str):
        number = _NUMBER.fullmatch(value)
        if number is None or (number["fraction"] or "").strip("0"):
            raise TemplateRuntimeError(_problem("a text that is no whole number", "int"))
    try:
        return int(Decimal(value)) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        raise TemplateRuntimeError(_problem("a value that is no number", "int")) from None


def to_float(value: Any, default: Any = _NO_DEFAULT) -> Any:
    """Convert a value to a number with a fraction, as Jinja's ``float``: ``"1.5"`` becomes 1.5.

    :param value: a number, or a text of digits, as ``1500.5`` or ``1 500,50``.
    :param default: the result if the value cannot be converted. If it is given, Jinja converts the
        value, after ``1 500,00`` has become ``1500.00``.
    :raises TemplateRuntimeError: the value cannot be converted, and there is no default.
    """
    value = _plain(value)
    if default is not _NO_DEFAULT:
        return filters.do_float(value, default)
    _refuse_gap(value, "float")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise TemplateRuntimeError(_problem("a text that is no number, such as 1500 or 15.5", "float"))
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TemplateRuntimeError(_problem("a value that is no number", "float")) from None


def _plain(value: Any) -> Any:
    """Return a text such as ``1 500,00`` in Python's form: ``1500.00``. Return any other value unchanged."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        return text
    whole, fraction = "".join(amount[1].split()), amount[2]
    return whole if fraction is None else f"{whole}.{fraction}"


def _refuse_gap(value: Any, name: str) -> None:
    if isinstance(value, Undefined):
        str(value)  # a strict one raises an error that says what is missing
    if isinstance(value, Undefined) or is_empty(value):
        raise TemplateRuntimeError(_problem("an empty value", name))


def _problem(what: str, name: str) -> str:
    return f"the filter `{name}` gets {what}; give a default with {{{{ … | {name}(0) }}}}"
