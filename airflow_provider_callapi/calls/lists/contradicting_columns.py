"""Finds the rows of a contact list whose further columns contradict a call to the number in the row.

A campaign reads only some columns. Without this check, it would ignore that a column forbids the call, or
that a column contains the rest of the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.lists.columns import fold_name, shown_name

_EXTENSION = re.compile(r"(phone|тел(ефон)?)?(ext(ension)?|доб(авочный)?|внутр(енний)?)(номер|number|no)?")
_FORBIDDEN = re.compile(
    r"donotcall|donotphone|dontcall|nocalls?|dnc|optout|незвонить|незвоните|стоп(лист)?|stoplist"
)
"""Match the name of a column, as `fold_name` returns it."""
_SHORT_NUMBER = re.compile(r"#?\d{1,6}(\.0)?")
_NO = frozenset({"0", "0.0", "-", "—", "n", "no", "false", "f", "нет", "н", "ложь"})
"""The values with which a column forbids no call, in lower case."""


def find_contradiction(row: Mapping[str, Any]) -> str | None:
    """Return why no one may be called from a row: a column of the row contradicts the call.

    :param row: column → value, or None for an empty cell.
    :return: the reason, which contains no value of the row. None: no column contradicts the call.
    """
    for name, is_extension in _contradicting(tuple(row)):
        text = "" if row[name] is None else fold(str(row[name])).strip().casefold()
        if is_extension and _SHORT_NUMBER.fullmatch(text):
            return f"column {shown_name(name)}: a campaign cannot dial an extension"
        if not is_extension and text and text not in _NO:
            return (
                f"column {shown_name(name)}: the row seems to forbid the call. Put such people into "
                "do_not_call, or rename the column"
            )
    return None


@lru_cache(maxsize=256)
def _contradicting(names: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Return the columns that may contradict a call: (name, whether it is a column of extensions)."""
    folded = [(name, fold_name(name)) for name in names]
    return [
        (name, bool(_EXTENSION.fullmatch(plain)))
        for name, plain in folded
        if _EXTENSION.fullmatch(plain) or _FORBIDDEN.fullmatch(plain)
    ]
