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
from airflow_provider_callapi.calls.lists.columns import fold_name, in_cyrillic, shown_name, words_of
from airflow_provider_callapi.calls.phone_numbers.digit_groups import FEWEST_DIGITS

_NUMBER = "(?:number|no|phone|tel|telephone|номер|тел|телефон)"
_EXTENSION = re.compile(
    r"\b(?:extn?|extension|доб|добав|добавочн\w*|durchwahl)\b"
    rf"|^(?:{_NUMBER} )?(?:дополнительный|внутр|внутренний|internal)(?: {_NUMBER})?$"
)
_CALLING = r"(?:об)?звон\w*"
_FORBIDDEN = re.compile(
    r"\b(?:dnc|dnd|optout|opt(?:ed)? out|unsubscribed|blacklist(?:ed)?|black list|stop ?list)\b"
    r"|\b(?:do not|dont) (?:call|phone|contact|dial|disturb)\b(?! (?:before|after|until|on|at|from)\b)"
    r"|^no (?:phone )?calls?$"
    r"|\bне (?:звони(?:ть?|те)?|беспокоить|тревожить|набирать|обзванивать)\b"
    r"(?! (?:с|до|после|раньше|ранее|перед)\b)"
    rf"|\b(?:нельзя|запре\w+|отказ\w*) (?:\w+ )?{_CALLING}|\b{_CALLING} (?:нельзя|запре\w+)"
    r"|^стоп$|\bстоп ?лист\w*|\bчерн\w+ спис\w+|^чс$|\bотписа(?:н\w?|лся|лась)\b"
)
_PERMITTED = re.compile(
    r"^(?!.*\b(?:data|personal|cookies?|e?mail|sms|смс|данных|пдн|рассылк\w|обработк\w|number|date|дата|номер)\b)"
    r".*(?:\b(?:consent|optin|opt(?:ed)? in|callable|contactable|согласи[ея]|соглас[ен]н?а?)\b"
    r"|\bcan (?:be )?call(?:ed)?\b|\bcalls? (?:is |are )?(?:allowed|permitted)\b|\ballow(?:ed)? calls?\b"
    r"|\bcall permission\b|\bpermission to call\b|\bможно звонить\b"
    rf"|\bразреш\w+ {_CALLING}|\b{_CALLING} разреш\w+)"
)
"""These are searched in the name of a column, as `words_of` returns it."""
_SHORTEST_RUSSIAN = 5
"""Shorter names in Latin letters, such as ``stop``, are no Russian words."""
_NO = r"0+(?:[.,]0*)?|n|no|not|off|f|false|н|не|нет|ложь"
_FORBIDS_NOTHING = re.compile(
    rf"{_NO}|[-—\s]*|none|null|n/?a|н/д|unknown|undefined|неизвестно|не указан[оа]?"
    r"|allowed|разрешено|opted in"
)
_NOT_PERMITTED = re.compile(rf"[✗✘×☐]|(?:{_NO}|отказ\w*|отсутствует|отозвано?)(?!\w).*")
"""Match values in lower case and without a full stop at the end."""


def find_ban(row: Mapping[str, Any]) -> str | None:
    """Return why no one may call the person of a row.

    A column such as ``do not call`` has a value, or a column such as ``consent`` has the value no.

    :param row: column → value, or None for an empty cell.
    :return: the reason, which contains no value of the row. None: no column forbids the call.
    """
    columns = _contradicting(tuple(row))
    for name in columns.bans + columns.permissions:
        is_ban = name in columns.bans
        if _says_something(row[name]) if is_ban else _NOT_PERMITTED.fullmatch(_text_of(row[name])):
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
        text = _text_of(row[name])
        digits = sum(map(str.isdecimal, text.removesuffix(".0")))
        is_short = 0 < digits < FEWEST_DIGITS  # more digits are a second phone number
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
            [name for name in names if any(map(pattern.search, _spellings_of(name)))]
            for pattern in (_FORBIDDEN, _PERMITTED, _EXTENSION)
        )
    )


def _spellings_of(name: str) -> set[str]:
    """Return the words of a name. Of a long name in Latin letters, such as ``ne_zvonit``, also in Russian."""
    words = words_of(name)
    is_long = words.isascii() and len(words) > _SHORTEST_RUSSIAN
    return {words, in_cyrillic(words)} if is_long else {words}


def _says_something(value: Any) -> bool:
    return _FORBIDS_NOTHING.fullmatch(_text_of(value)) is None


def _text_of(value: Any) -> str:
    # An empty list or dict of JSON means nothing, too.
    return fold(str(value)).strip().casefold().removesuffix(".") if value or value == 0 else ""
