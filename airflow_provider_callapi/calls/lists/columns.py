"""Finds the columns of a list that this package uses: ``phone``, ``timezone`` and ``external_id``.

A misspelt name, such as ``timezon``, is an error. If the package ignored a misspelt column, people could be
called at night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import (
    fold_name,
    in_cyrillic,
    in_latin,
    quoted,
    shown_name,
)
from airflow_provider_callapi.calls.lists.result_columns import RESULT_COLUMNS
from airflow_provider_callapi.calls.texts.damaged_text import is_damaged
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

PHONE, TIMEZONE, EXTERNAL_ID = "phone", "timezone", "external_id"
_NEAR = {PHONE: 0.8, TIMEZONE: 0.85, EXTERNAL_ID: 0.85}
"""Column → similarity from which another name counts as a misspelt name of the column, from 0.0 to 1.0."""
_SHIFT = (
    "diff(?:erence)?|delta|дельта|δ|shift|offset|сдвиг|смещ|отклонени|относительно|поправ|прибав(?:ить)?"
    "|разн(?:иц|(?=[сквом]|utc|gmt))"
)
_CLOCK = "utc|gmt|мск|msk|москв(?:ы|е|ой)|московск(?:ого|им|ое)|moscow|гринвич"
_TIME = "time|врем|поясн"
_HOURS = "hours?|час(?:ов(?:ой|ая))?"
_OWN = "local|местн|локальн"
_LINKS = "plus|minus|плюс|минус|from|to(?=utc|gmt)|vs|от|ко?|со?|во?|по|h|ч"
_ZONE_WORDS = (
    # only such words, with the endings of Russian words behind them
    rf"(?=.{{1,40}}$)"  # the search in a longer name could take long
    rf"(?=(?:(?:{_SHIFT}|{_CLOCK}|{_TIME}|{_HOURS}|{_OWN})(?:ен[а-я]{{1,3}}|[а-я]{{0,2}})|{_LINKS}|[\W\d])+$)"
    rf"(?:(?=.*(?:{_SHIFT}))(?=.*(?:{_CLOCK}|{_TIME}|{_HOURS}))|(?=.*(?:{_CLOCK}))(?!в|по|.*(?:{_TIME}))"
    rf"|(?=.*(?:{_OWN}|поясн))(?=.*(?:time|врем)))"
)
"""Matches a name that only has words of time zones, such as ``delta UTC`` or ``разница во времени``.

A name with another word, such as ``филиал МСК`` or ``created_at_utc``, may mean anything.
"""
_ZONE_NAMES = {
    "abbreviations": r"^tz tz$ ^tmz ^utc ^gmt ^iana ^olson (?:мск|msk|utc|gmt)\W*[+±]\W*$",
    "English": "time.?zone ^timez offset ^zone$ ^zone(?:name|info|iana)$",
    "Russian: zone": r"""
        пояс(?!н) тайм.?зон ^зона$ ^(?:имя|название)зоны$ ^регионвремени$ ^вр(?:ем\w{0,6})?зон
        ^зон\w?\W?(?:вр|utc|gmt|мск) ^час(?:ов\w{1,2})?(?:зон|рн$) ^часовой$ ^часп$ ^час\W+$ ^местноевр
    """,
    "Russian: difference": r"""
        ^сдвиг$ ^смещ$ ^смещени ^гмт ^(?:от|к|с)?(?:мск|msk)(?:\W|$)
        ^(?:разниц|сдвиг|отклонен|опережени|отставани)\w*(?:мск|москв|utc|gmt|гринв)
    """,
    "Arabic": "المنطقةالزمنية",
    "Armenian": "ժամայինգոտ",
    "Azerbaijani": "^saatqurşağı",
    "Chinese": "^时区 ^時區",
    "Czech": "^(?:časové)?pásmo$",
    "Dutch and Scandinavian": "^ti[jd][ds]?s?[zs]one?$",
    "Estonian": "^ajavöönd",
    "Finnish": "^aikavyöhyke",
    "French": "^fuseau ^d[ée]calage(?:horaire|utc|gmt)?$",
    "Georgian": "^სასაათო",
    "German": "^zeitzone ^zeitunterschied ^zeitverschiebung",
    "Greek": "^ζώνηώρασ",
    "Hebrew": "אזורזמן",
    "Hindi": "^समयक्षेत्र",
    "Hungarian": "^időzóna",
    "Japanese": "^タイムゾン",
    "Kazakh": "белдеу",
    "Korean": "^시간대",
    "Kyrgyz": "^сааталкагы",
    "Lithuanian and Latvian": "^laik[oa](?:juosta|josla)",
    "Polish": "^strefa(?:czasowa)?$",
    "Portuguese and Italian": "^fuso ^diferençahorária$",
    "Spanish": "^zona$ ^zonahoraria ^husohorario ^diferenciahoraria$",
    "Turkish": "^saatdilim ^zamandilim",
    "Ukrainian": "^часовий$",
    "Uzbek": "^vaqtmintaqasi",
}
"""Language → regular expressions for the names of a column of time zones, as `fold_name` returns them.

`fold_name` removes the Japanese ``ー``, and replaces the Greek ``ς``.
"""
PHONE_NAMES = r"phone|телефон|mobile|мобильн|^тел(?!егр)|^tel(?!egr)|^моб|^сот(?:ов\w*)?\d*$|^cell"
"""Matches the names of columns with phone numbers, such as ``моб. тел.``."""
_PARTS = {
    PHONE: re.compile(rf"{PHONE_NAMES}|^номер$|^number$|^contact$"),
    TIMEZONE: re.compile("|".join([*" ".join(_ZONE_NAMES.values()).split(), rf"^{_ZONE_WORDS}"])),
    EXTERNAL_ID: re.compile("external|внешнийid"),
}
"""Column → regular expression for names that probably mean this column, such as ``mobile`` for ``phone``.

The expression is searched in the name as `fold_name` returns it.
"""


@dataclass(frozen=True)
class Columns:
    """The columns of a list that this package uses.

    :ivar phone: the name of the column with the number to call. None: the list has no such column.
    :ivar timezone: the name of the column with the person's time zone. None: the list has no such column.
    """

    phone: str | None
    timezone: str | None


_RESULT_NAMES = frozenset(map(fold_name, RESULT_COLUMNS))
"""The folded names of the columns in a results file. None of them is a misspelt name, e.g. of external_id."""


def is_result_column(name: object) -> bool:
    """Return whether a column has the name of one that the results add to a list, see `RESULT_COLUMNS`."""
    return fold_name(name) in _RESULT_NAMES


@lru_cache(maxsize=256)
def find_columns(names: tuple[str, ...], *, needs_phone: bool = True) -> Columns:
    """Return which column contains the number to call, and which the time zone, judged by the names.

    :param names: the names of all columns of a list.
    :param needs_phone: whether the campaign takes the number to call from the column ``phone``. False: a
        misspelt ``phone`` is no error.
    :raises ListUnreadable: a column seems to be the missing column ``phone``, ``timezone`` or
        ``external_id``, because its name is a misspelling of that name, or another word for it, such as
        ``mobile``. Or it may be the missing column ``timezone``, because a wrong encoding has destroyed the
        letters of its name. The names of a results file, see `RESULT_COLUMNS`, never seem so.
    :raises ListUnreadable: two names mean the same column, such as ``Time Zone`` and ``timezone``.
    """
    folded = {name: fold_name(name) for name in names}
    found: dict[str, str | None] = {}
    for meaning in _NEAR:
        same = [name for name in names if folded[name] == fold_name(meaning)]
        if same:
            same += [name for name in names if name not in same and _is_copy(name, meaning)]
        if len(same) > 1:
            raise ListUnreadable(f"two columns are named {meaning}: {quoted(same)}. Remove or rename one")
        found[meaning] = same[0] if same else None
        if not same and (needs_phone or meaning != PHONE):
            _refuse_near_misses(names, folded, meaning)
    return Columns(found[PHONE], found[TIMEZONE])


def _is_copy(name: object, meaning: str) -> bool:
    """Return whether a name is a copy of ``phone``: ``phone.1`` from pandas, or with a Cyrillic ``о``."""
    return in_latin(fold_name(re.sub(r"\.\d+$", "", str(name)))) == fold_name(meaning)


def seems_time_zone(name: object) -> bool:
    """Return whether a column's name seems to mean ``timezone``, e.g. ``timezon`` or ``Часовой пояс``."""
    folded = fold_name(name)
    return _has_part(folded, TIMEZONE) or is_similar(folded, TIMEZONE)


def is_other_heading(row: Mapping[str, Any]) -> bool:
    """Return whether a row is a line of column names, because a second list was pasted below the first one.

    The columns of the second list may have another order or other meanings.

    :param row: a row without a phone number: column → value.
    """
    values = [fold_name(value) for value in row.values() if isinstance(value, str)]
    is_heading = any(map(_PARTS[PHONE].match, values)) and (
        PHONE in values or any(map(seems_time_zone, values))
    )
    return is_heading and values != list(map(fold_name, row))


def _refuse_near_misses(names: Sequence[str], folded: Mapping[str, str], meaning: str) -> None:
    for name in names:
        if folded[name] in _RESULT_NAMES:
            continue
        if meaning == TIMEZONE and is_damaged(str(name)):
            raise ListUnreadable(
                f"the letters of the column {shown_name(name)} are lost, so it may be {meaning}: a program "
                f"has read the list in a wrong encoding. Export it again, or add an empty column {meaning}"
            )
        if _has_part(folded[name], meaning) or is_similar(folded[name], meaning):
            if len(names) == 1 and re.search(r"\w\W+\w", name):
                raise ListUnreadable(
                    f"the only column is {shown_name(name)}: if these are several columns, separate them "
                    f"with semicolons, commas, tabs or |. Otherwise, name the column {meaning}"
                )
            # An empty column of phone numbers would make each row invalid.
            otherwise = (
                "also add the column phone, with the numbers to call"
                if meaning == PHONE
                else f"add an empty column {meaning}"
            )
            raise ListUnreadable(
                f"the column {shown_name(name)}: did you mean {meaning}? Name the column {meaning}. If the "
                f"column is something else, {otherwise}"
            )


def _has_part(folded_name: str, meaning: str) -> bool:
    """Return whether a name, or its Russian spelling, has a part of another name for a column."""
    pattern = _PARTS[meaning]
    if pattern.search(folded_name):
        return True
    return folded_name.isascii() and pattern.search(in_cyrillic(folded_name)) is not None


def is_similar(folded_name: str, meaning: str) -> bool:
    return SequenceMatcher(None, fold_name(meaning), folded_name).ratio() >= _NEAR[meaning]
