"""Convert a value to the text of a CSV cell that a spreadsheet does not run as a formula."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_FORMULA = frozenset("=+-@\t\r\n")
_SIGNED_NUMBER = re.compile(r"[+-](?![\s(]*\d[\d.,]*[\s)]*-)[\d\s().,-]*")
"""Matches a number with a sign. A spreadsheet calculates ``+7-926-000-00-01``, so this is a formula."""
_INNER_FORMULA = re.compile(r'(?<=[;,\t\r\n])(?="*(?:[=@]|[+-](?:[^\W\d_]|.{0,200}(?:[|!]|[^\W\d_]\())))')
"""Matches the place before a formula inside of a text.

A spreadsheet may begin a cell at this place: Excel in Russian splits each CSV file at ``;``.
"""


def csv_cell(value: Any) -> str:
    """Return a value as the text of a CSV cell. None becomes an empty cell.

    A boolean, a list or an object becomes JSON text. If a spreadsheet would run a text as a formula, a ``'``
    is put before the formula: ``=1+1`` becomes ``'=1+1``. A spreadsheet may split a text at ``;``, so
    ``a;=1+1`` becomes ``a;'=1+1``. A number with a sign, such as ``+7 926``, stays unchanged.
    """
    if value is None:
        return ""
    if isinstance(value, bool | Mapping | list | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    if text[:1] in _FORMULA and not _SIGNED_NUMBER.fullmatch(text):
        text = f"'{text}"
    return _INNER_FORMULA.sub("'", text)
