"""Operators of Jinja templates that would make wrong words of a text, such as ``15001500`` of ``'1500' * 2``.

A CSV file contains only texts. If an author writes a template for the numbers and booleans of a workbook, and
then gives the campaign a CSV file, a person would hear a wrong sum.
"""

from __future__ import annotations

import re
from numbers import Number
from operator import add, mul
from typing import Any

from jinja2 import TemplateRuntimeError

_AMOUNT = re.compile(r"[+-]?[0-9]+(?:[ \xa0\u202f][0-9]{3})*(?:[.,][0-9]+)?")
"""Matches the text of a number, such as ``1500`` or ``1 500,00``."""
_CALCULATED = (
    "the template calculates with a text; convert each number with `| float` or `| int`, or join texts with ~"
)


def is_amount(text: str) -> bool:
    """Return whether a text is a number, such as ``1500`` or ``1 500,00``."""
    return _AMOUNT.fullmatch(text) is not None


def times(left: Any, right: Any) -> Any:
    """Return ``left * right``.

    :raises TemplateRuntimeError: one of the values is a text, which Python would repeat.
    """
    if isinstance(left, str) or isinstance(right, str):
        raise TemplateRuntimeError(_CALCULATED)
    return mul(left, right)


def plus(left: Any, right: Any) -> Any:
    """Return ``left + right``. Two texts are joined.

    :raises TemplateRuntimeError: both texts are numbers, or one value is a text and the other a number.
    """
    texts = [value for value in (left, right) if isinstance(value, str)]
    numbers = [value for value in (left, right) if isinstance(value, Number)]
    if texts and (numbers or (len(texts) == 2 and all(map(is_amount, texts)))):
        raise TemplateRuntimeError(_CALCULATED)
    return add(left, right)
