"""Finds the rows of a contact list with a column that contradicts a call to the number in the row.

A campaign reads only some columns. Without these checks, it would ignore a column that forbids the call, and
a column with the rest of the number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.lists.columns import fold_name, in_cyrillic, shown_name

_EXTENSION = re.compile(
    r"(phone|тел(ефон)?)?(ext(n|ension)?|доб(ав(очный)?)?|доп(олнительный)?|вн(утр(енний)?)?)"
    r"(номер|number|no|тел(ефон)?)?"
)
_FORBIDDEN = re.compile(
    r"(is|has|flag|флаг|признак|статус|в)*"
    r"(donot(call|phone|contact|disturb)|dont(call|phone|contact)|nocalls?|dnc|opt(ed)?out|unsubscribed?"
    r"|не(звон|беспоко|тревож)\w{1,4}|(запрет(на)?|нельзя)(об)?звон\w{0,4}|отпис(ан\w?|к\w)"
    r"|стоп(лист\w?)?|stoplist|blacklist(ed)?|ч[её]рн\w{2}спис\w{2,3})"
    r"(flag|флаг|list|date|дата|at|reason|причина|yesno|данет|\d)*"
)
_ALLOWED = re.compile(
    r"(is|has|есть)?"
    r"((may|can)(be)?call(ed)?|calls?(is|are)?(allowed|permitted|consent|ok)|allow(ed)?calls?"
    r"|consent((to|for)?calls?)?|optin|можнозвонить|(согласи|разрешени)[ея](на)?((об)?звон\w{0,4}|связь)?)"
    r"(flag|флаг|yesno|данет)*"
)
"""Match the name of a column, as `_letters_of` returns it."""
_SHORT_NUMBER = re.compile(r"#?\d{1,6}(\.0)?")
_NO = re.compile(r"0+(\.0*)?|n|no|not|f|false|н|не|нет|ложь")
"""Matches the values that mean no, in lower case and without a full stop at the end."""
_NOTHING = re.compile(r"[-—\s]*")


def find_ban(row: Mapping[str, Any]) -> str | None:
    """Return why no one may call the person of a row.

    A column such as ``do not call`` has a value, or a column such as ``consent`` has the value no.

    :param row: column → value, or None for an empty cell.
    :return: the reason, which contains no value of the row. None: no column forbids the call.
    """
    columns = _contradicting(tuple(row))
    for name in columns.bans + columns.permissions:
        is_ban = name in columns.bans
        if _says_something(row[name]) if is_ban else _NO.fullmatch(_text_of(row[name])):
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
    for name in _contradicting(tuple(row)).extensions:
        is_short = _SHORT_NUMBER.fullmatch(_text_of(row[name]))
        if fold_name(name) not in used and is_short and _says_something(row[name]):
            return f"column {shown_name(name)}: a campaign cannot dial an extension"
    return None


class _Columns(NamedTuple):
    """The names of the columns that may contradict a call."""

    bans: list[str]
    permissions: list[str]
    extensions: list[str]


@lru_cache(maxsize=256)
def _contradicting(names: tuple[str, ...]) -> _Columns:
    return _Columns(
        *(
            [name for name in names if any(map(pattern.fullmatch, _letters_of(name)))]
            for pattern in (_FORBIDDEN, _ALLOWED, _EXTENSION)
        )
    )


def _letters_of(name: str) -> set[str]:
    """Return the letters and digits of a name in lower case. Of ``ne_zvonit``, also the Russian spelling."""
    letters = re.sub(r"[\W_]", "", fold_name(name))
    return {letters, in_cyrillic(letters)} if letters.isascii() else {letters}


def _says_something(value: Any) -> bool:
    text = _text_of(value)
    return not _NO.fullmatch(text) and not _NOTHING.fullmatch(text)


def _text_of(value: Any) -> str:
    # An empty list or dict of JSON means nothing, too.
    return fold(str(value)).strip().casefold().removesuffix(".") if value or value == 0 else ""
