"""Finds the columns of a list by their names. A name that is nearly right is refused.

If the column with the time zones had a misspelt name and were ignored, people could be called at night. A
misspelt name is therefore an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.lists.problems import ListUnreadable

PHONE, TIMEZONE, EXTERNAL_ID = "phone", "timezone", "external_id"
_NEAR = {PHONE: 0.8, TIMEZONE: 0.85, EXTERNAL_ID: 0.85}
"""Name of a used column → similarity (0 to 1) from which another name counts as misspelt.
"""
_PARTS = {
    PHONE: re.compile("phone|телефон|mobile|мобильн|^тел|^tel|^номер$|^number$|^contact$"),
    TIMEZONE: re.compile("time.?zone|час\\w*пояс|таймзон|^tz|tz$|^utc|^gmt|utcoffset|^zone$"),
    EXTERNAL_ID: re.compile("external|внешнийid"),
}
"""Name of a used column → regular expression.

A folded name in which the expression is found probably has the same meaning.
"""
_MORE_PHONES = re.compile("phone|телефон|mobile|мобильн|^тел|^tel")


@dataclass(frozen=True)
class Columns:
    """The columns of a list that this package uses.

    :ivar phone: the column with the number to call. None: there is no such column.
    :ivar timezone: the column with the person's time zone. None: there is no such column.
    """

    phone: str | None
    timezone: str | None


def fold_name(name: object) -> str:
    """Return a column's name in lower case, without spaces, hyphens, underscores and invisible characters."""
    return re.sub(r"[\s_.-]", "", fold(str(name))).casefold()


@lru_cache(maxsize=256)
def find_columns(names: tuple[str, ...], *, needs_phone: bool = True) -> Columns:
    """Return the columns that this package uses.

    :param names: the names of all columns.
    :param needs_phone: True: the number to call must be in the column ``phone``.
    :raises ListUnreadable: two columns have the same meaning, or a name seems to be misspelt.
    """
    folded = {name: fold_name(name) for name in names}
    found: dict[str, str | None] = {}
    for meaning in _NEAR:
        same = [name for name in names if folded[name] == fold_name(meaning)]
        if len(same) > 1:
            raise ListUnreadable(f"two columns are named {meaning}: {_quoted(same)}. Remove or rename one")
        found[meaning] = same[0] if same else None
        if not same and (needs_phone or meaning != PHONE):
            _refuse_near_misses(names, folded, meaning)
    return Columns(found[PHONE], found[TIMEZONE])


def _refuse_near_misses(names: Sequence[str], folded: Mapping[str, str], meaning: str) -> None:
    for name in names:
        if _PARTS[meaning].search(folded[name]) or _is_similar(folded[name], meaning):
            raise ListUnreadable(
                f"the column {_shown(name)}: did you mean {meaning}? Name the column {meaning}. If the "
                f"column is something else, add an empty column {meaning}"
            )


def _is_similar(folded_name: str, meaning: str) -> bool:
    return SequenceMatcher(None, fold_name(meaning), folded_name).ratio() >= _NEAR[meaning]


@lru_cache(maxsize=256)
def phone_columns(names: tuple[str, ...]) -> list[str]:
    """Return the columns of a do-not-call list in which numbers may be: ``phone``, or the only column.

    If there is a column ``phone``, columns such as ``mobile``, ``phone 2`` or ``phon`` are returned, too.

    :raises ListUnreadable: the list has several columns, and none is named ``phone``.
    """
    if len(names) <= 1:
        return list(names)
    folded = {name: fold_name(name) for name in names}
    if PHONE not in folded.values():
        raise ListUnreadable("name the column with the number `phone`")
    return [name for name in names if _MORE_PHONES.search(folded[name]) or _is_similar(folded[name], PHONE)]


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column. The column's name in the row may differ in case and spaces.

    :raises KeyError: the row has no such column.
    """
    if name in row:
        return row[name]
    wanted = fold_name(name)
    for own in row:
        if fold_name(own) == wanted:
            return row[own]
    raise KeyError(name)


def refuse_duplicates(names: Iterable[str]) -> None:
    """Raise an error if two columns have the same name.

    :raises ListUnreadable: a name occurs twice.
    """
    met: set[str] = set()
    for name in names:
        if name in met:
            raise ListUnreadable(f"two columns are named {_shown(name)}. Remove or rename one")
        met.add(name)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(_shown, names))


def _shown(name: str) -> str:
    """Return the name of a column for an error text. Escape sequences replace invisible characters."""
    return ascii(name) if fold(name) != name and not fold(name).isascii() else repr(name)
