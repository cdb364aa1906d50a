"""Finds the rows of a contact list with a column that contradicts a call to the number in the row.

A campaign reads only some columns. Without these checks, it would ignore a column that forbids the call, and
a column with the rest of the number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.lists.columns import fold_name, shown_name

_EXTENSION = re.compile(r"(phone|тел(ефон)?)?(ext(ension)?|доб(авочный)?)(номер|number|no)?")
_FORBIDDEN = re.compile(
    r"donotcall|donotphone|dontcall|nocalls?|dnc|optout|незвонить|незвоните|стоп(лист)?|stoplist"
)
"""Match the name of a column, as `fold_name` returns it."""
_SHORT_NUMBER = re.compile(r"#?\d{1,6}(\.0)?")
_NO = re.compile(r"[-—\s]*|0*(\.0*)?|n|no|not|f|false|н|не|нет|ложь")
"""Matches the values that mean no or nothing, in lower case and without a full stop at the end."""


def find_ban(row: Mapping[str, Any]) -> str | None:
    """Return why no one may call the person of a row: a column such as ``do not call`` has a value.

    :param row: column → value, or None for an empty cell.
    :return: the reason, which contains no value of the row. None: no column forbids the call.
    """
    for name in _matching(tuple(row), _FORBIDDEN):
        if not _NO.fullmatch(_text_of(row[name])):
            return (
                f"column {shown_name(name)}: the row seems to forbid the call. Put such people into "
                "do_not_call, or rename the column"
            )
    return None


def find_extension(row: Mapping[str, Any], used: Collection[str]) -> str | None:
    """Return why a row makes no call: a column such as ``ext`` has the extension of the person.

    :param row: column → value, or None for an empty cell.
    :param used: names of columns, as `fold_name` returns them. The author's call uses these columns, e.g. the
        extension of an employee.
    :return: the reason, which contains no value of the row. None: there is no such column, or no extension.
    """
    for name in _matching(tuple(row), _EXTENSION):
        text = _text_of(row[name])
        if fold_name(name) not in used and _SHORT_NUMBER.fullmatch(text) and not _NO.fullmatch(text):
            return f"column {shown_name(name)}: a campaign cannot dial an extension"
    return None


@lru_cache(maxsize=256)
def _matching(names: tuple[str, ...], pattern: re.Pattern[str]) -> list[str]:
    return [name for name in names if pattern.fullmatch(fold_name(name))]


def _text_of(value: Any) -> str:
    # An empty list or dict of JSON means nothing, too.
    return fold(str(value)).strip().casefold().removesuffix(".") if value or value == 0 else ""
