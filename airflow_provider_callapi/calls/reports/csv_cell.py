"""Convert a value to the text of a CSV cell that a spreadsheet does not run as a formula."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_FORMULA = frozenset("=+-@\t\r\n")
_SIGNED_NUMBER = re.compile(r"[+-][\d\s().,-]*")


def csv_cell(value: Any) -> str:
    """Return a value as the text of a CSV cell. None becomes an empty cell.

    A boolean, a list or an object becomes JSON text. A text that a spreadsheet would run as a formula gets a
    ``'`` before it: ``=1+1`` becomes ``'=1+1``. A number with a sign, such as ``+7 926``, stays unchanged.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        harmless = value[:1] not in _FORMULA or _SIGNED_NUMBER.fullmatch(value)
        return value if harmless else f"'{value}"
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return csv_cell(str(value))
