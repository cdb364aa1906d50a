"""Recognises the values that mean an empty cell, such as ``NaN``, and the errors of failed formulas.

A failed formula does not count as an empty cell, because the cell should have a value. The readers of lists
therefore keep the text of a failed formula, such as ``#REF!``. Otherwise, a failed formula would count as a
missing time zone, or as a blank line of a do-not-call list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from operator import is_
from string import ascii_letters, digits
from types import NoneType
from typing import Any

from airflow_provider_callapi.api.values.control_characters import has_control_character
from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.api.values.value_kinds import TextWithGap
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_ZERO_DATES = (
    *("0000-00-00", "0000/00/00", "00.00.0000", "00/00/0000"),  # MySQL
    *("0001-01-01", "01.01.0001", "1.1.0001", "01/01/0001", "1/1/0001"),  # 1C and .NET
    *("00.01.1900", "1/0/1900", "1/0/00"),  # Excel shows the number 0 as such a date
)
"""The dates that programs write for a missing date, also with a time of day."""
_DATE_AND_TIME = r"(?:{dates})(?:[T ]+[\d:.]+(?: ?[AP]M)?(?:Z|[+-][\d:]+)?)?"
_EMPTY_TEXT = re.compile(
    r"nan|NaN|NAN|[+-](?:nan|NaN|NAN)|-?sNaN|-?(?:nan|NaN)\((?:ind|snan)\)|-?1\.#(?:IND|QNAN|SNAN|INF|J)"
    r"|NaT|None|none|NONE|null|NULL|nil|undefined|\\N|[Nn]/[Aa]|N\.A\.|n\.a\.|[Нн]/[Дд]|\[object Object\]"
    r"|[<\[(](?i:null|none|nil|undefined|n/?a|nan|nat|no value|missing|blank|empty|unset|пусто)[>\])]"
    r"|<?Неопределено>?|<(?:Пустая ссылка|Не (?:указан|заполнен|задан)[ао]?)>"  # 1C
    r"|<Объект не найден>(?: \(\w+:\w+\))?"
    r"|\(\)|\[\]|\{\}|<>|''|\"\"|«»|“”|``"
    r"|[+-]?(?:inf|Inf|INF)|[+-]Infinity"
    r"|/Date\(-62135596800000\)/|" + _DATE_AND_TIME.format(dates="|".join(map(re.escape, _ZERO_DATES)))
)
"""The texts that data frames, databases and people write for a missing value.

``Null``, ``Nan`` and ``NA`` may be names, so they count as values.
"""
_PLACEHOLDER = re.compile(
    r"[\s\-\u2010-\u2015\u2212_.?\u2026]+"
    r"|(?:имя |фио )?не (?:указан|установлен|заполнен|задан|определ[её]н|выбран|известн)[аоы]?"
    r"|неизвест(?:но|ен|на|ны)|(?:без|нет) (?:имени|названия|фио|данных)|пусто"
    r"|unknown|no ?name|no data|not (?:specified|set|available|provided|given|known)",
    re.IGNORECASE,
)
"""The texts that people write into a cell for which they have no value, such as ``-`` or ``не указано``."""
_BEGIN_PLACEHOLDER = frozenset(" \t\xa0-\u2010\u2011\u2012\u2013\u2014\u2015\u2212_.?\u2026нНбБпПиИфФuUnN")
"""The first characters of these texts. This is quick."""
_LONGEST_PLACEHOLDER = 20
SIGNS_AROUND = "\"'«»“”„()[]!;, "
"""Signs around a value, such as the brackets of ``(нет)``."""
_NA = re.compile("[nN][ ./]*[aA]|[нН][ ./]*[дД]")
_CYRILLIC = "".join(map(chr, range(ord("А"), ord("я") + 1)))
_BEGIN_NO_EMPTY_TEXT = frozenset(digits + ascii_letters + _CYRILLIC) - frozenset("01INinsuНн")
"""The first characters of most values: no text for a missing value begins with one. This is quick."""
_LONGEST_INT = 14_000
"""The largest number of bits of a whole number. Python refuses to write a larger number as text."""
_LONGEST = 80
"""The largest number of characters of a text for missing values, such as ``None None``."""
_FIRST_YEAR = 1
"""The year of the dates that 1C and .NET store for a missing date."""
_FAILED_FORMULA = re.compile(
    r"#[¡¿]?[^\W\d_][\w/]{1,20}[!?]|#[^\W\d_]/[^\W\d_](?: N/A)?|#N[AV]|#GETTING_DATA|#{2,}"
    r"|(?:Err|Ошибка):\d{3}"
)
"""The errors of spreadsheets in any language. ``####``: Excel saves it for a column that is too narrow."""
_EMPTY_TYPES = frozenset({"NAType", "NaTType", TextWithGap.__name__})
"""The names of the types that stand for a missing value, also those of pandas, which is not imported."""
_SEQUENCES = (list, tuple)
_NESTED = (dict, *_SEQUENCES, Mapping)
"""The types of values that contain values. ``dict`` is first, because a check for ``Mapping`` is slow."""
_NAMES = (str, int, float, NoneType)
"""The types of names that the results can contain, because JSON can express them."""
_INVISIBLE = "".join(map(chr, [*range(33), 127]))
_CONTROL_CODE = re.compile("_x00([01][0-9A-Fa-f])_")
"""Matches how a workbook stores a control character, such as ``_x000D_`` in a line end of Windows."""
_PROTECTED = re.compile(r'\s*="([^"]*)"\s*')
"""Matches a text that an export has protected from Excel, as ``="0042"``: Excel would show ``42``."""


def without_codes(text: str) -> str:
    """Return a text without the codes of spreadsheets: ``0042`` for ``="0042"``.

    Each code such as ``_x000D_`` becomes the control character that the code stands for. Workbooks contain
    such codes, and openpyxl and pandas leave them in the texts.
    """
    if "_x00" in text:
        text = _CONTROL_CODE.sub(lambda code: chr(int(code[1], 16)), text)
    protected = _PROTECTED.fullmatch(text) if '="' in text else None
    return protected[1] if protected else text


def text_or_none(text: str) -> str | None:
    """Return a cell's text without the codes of spreadsheets. None: a missing value, such as ``NaN``."""
    text = without_codes(text)
    return None if is_empty_text(text) else text


def is_empty_text(text: str) -> bool:
    """Return whether a text means a missing value, such as ``NaN`` or ``0000-00-00``, or is not visible."""
    if text[:1] in _BEGIN_NO_EMPTY_TEXT:
        return False
    plain = _plain(text)
    if len(plain) > _LONGEST:
        return False
    if not plain or _EMPTY_TEXT.fullmatch(plain):
        return True
    # A program has joined several missing values to one text: nan nan.
    return all(map(_EMPTY_TEXT.fullmatch, re.split(r"[\s,;]+", plain)))


def is_placeholder(text: str) -> bool:
    """Return whether a person has written a text because she had no value, such as ``-`` or ``не указано``.

    The readers of lists keep such a text, because in a column such as ``consent``, a ``-`` may mean "no".
    """
    if text[:1] not in _BEGIN_PLACEHOLDER or len(text) > _LONGEST_PLACEHOLDER:
        return False
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def says_nothing(text: str) -> bool:
    """Return whether a text answers no question: it means a missing value, or a person had no answer.

    ``NA`` counts, too. In a column with names, it may be a name. Brackets and quotation marks do not matter.
    """
    inner = text.strip(SIGNS_AROUND)
    is_missing = any(map(is_empty_text, (text, inner, inner.casefold())))
    return is_missing or is_placeholder(inner) or _NA.fullmatch(inner) is not None


def is_failed_formula(value: Any) -> bool:
    """Return whether a value is the error of a spreadsheet's formula, such as ``#REF!`` or ``#ДЕЛ/0!``."""
    return isinstance(value, str) and _is_error_text(value)


def _is_error_text(text: str) -> bool:
    if "#" not in text and ":" not in text:
        return False
    plain = _plain(text)
    is_hashtag = plain[:1] == "#" and plain != plain.upper()
    return not is_hashtag and _FAILED_FORMULA.fullmatch(plain) is not None


def has_no_value(value: Any) -> bool:
    """Return whether a cell is empty, or contains a failed formula."""
    return is_empty(value) or is_failed_formula(value)


def is_empty(value: Any) -> bool:
    """Return whether a value of any type means that its cell is empty. The number 0 is not empty."""
    if isinstance(value, str):
        return is_empty_text(value)
    if value is None or type(value).__name__ in _EMPTY_TYPES:
        return True
    if isinstance(value, date) and value.year == _FIRST_YEAR:
        return True
    try:  # a missing number or date is not equal to itself
        return bool(value != value) or value in (float("inf"), -float("inf"))  # noqa: PLR0124
    except ArithmeticError:  # Decimal("sNaN") refuses to be compared
        return True
    except (TypeError, ValueError):  # a value with its own idea of comparing, such as an array
        return False


def clean(value: Any) -> Any:
    """Return a cell's value: None for an empty value, a text for UTF-8 bytes, or else the same value.

    The function also replaces the values inside of dicts, e.g. of a whole row, and of lists. Bytes that are
    no text stay bytes.

    :raises ListUnreadable: a key of a dict, such as the name of a column, is neither a text nor a number.
    """
    if isinstance(value, str):
        return text_or_none(value)
    if isinstance(value, _NESTED):
        if not isinstance(value, _SEQUENCES) and not all(isinstance(name, _NAMES) for name in value):
            raise ListUnreadable(
                "the name of a column is neither a text nor a number, such as a tuple of pandas"
            )
        return _replace_inside(value, clean)
    if isinstance(value, bytes | bytearray | memoryview):
        value = _decode(bytes(value))
    elif isinstance(value, int) and value.bit_length() > _LONGEST_INT:
        raise ListUnreadable("a whole number has thousands of digits")
    return None if is_empty(value) else value


def without_failed_formulas(value: Any) -> Any:
    """Return a row, or a value of a row, with None in place of each failed formula, such as ``#REF!``."""
    if isinstance(value, str):
        return None if _is_error_text(value) else value
    if isinstance(value, _NESTED):
        return _replace_inside(value, without_failed_formulas)
    return value


def is_blank(row: Mapping[str, Any]) -> bool:
    """Return whether every value of a row is None. Spreadsheets write such rows after the last person.

    :param row: column → value, as `clean` returns it.
    """
    return all(value is None for value in row.values())


def _plain(text: str) -> str:
    return text.strip(_INVISIBLE) if text.isascii() else fold(text)


def _replace_inside(values: Any, replace: Callable[[Any], Any]) -> Any:
    """Return a copy of a dict or list in which ``replace`` has converted each value.

    If no value changes, return the same object.
    """
    is_mapping = not isinstance(values, _SEQUENCES)
    old = list(values.values()) if is_mapping else values
    new = list(map(replace, old))
    if all(map(is_, old, new)):
        return values
    return dict(zip(values, new, strict=True)) if is_mapping else new


def _decode(data: bytes) -> str | bytes:
    """Return the text of UTF-8 bytes. Return other bytes unchanged.

    Bytes with a control character are no text: a database may send the byte 1 for a bit.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return data if has_control_character(text) else text
