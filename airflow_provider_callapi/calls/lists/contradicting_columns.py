"""Finds the rows of a contact list with a column that contradicts a call to the number in the row.

A campaign reads only some columns. Without these checks, it would ignore a column that forbids the call, a
column with the rest of the number, and a column with the country of the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, NamedTuple

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits
from airflow_provider_callapi.calls.lists.column_names import (
    fold_name,
    is_name_of_person,
    shown_name,
    spellings_of,
)
from airflow_provider_callapi.calls.lists.countries import CountryColumn, country_column, read_country
from airflow_provider_callapi.calls.lists.nested_values import MAY_BEGIN_JSON, plain_values
from airflow_provider_callapi.calls.lists.objections import (
    Meaning,
    forbids,
    has_ban_tag,
    has_tags,
    is_objection,
    meaning_of,
    plain_text,
)
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import code_of_region

_NUMBER = "number|no|num|phone|tel|telephone|номер|тел|телефон|набор"
_BESIDE = (
    f"(?:{_NUMBER}|office|work|business|home|main|contact|client|customer|employee|dial|раб|рабочий|если|есть"
    "|сотрудника|клиента|контакта|офис)"
)
_EXTENSION = re.compile(
    rf"(?:{_BESIDE} )*(?:extn?|extension|доб|добав|добавочн\w*|durchwahl|dtmf|донабор\w*)(?: {_BESIDE})*"
    rf"|(?:(?:{_NUMBER}) )*(?:дополнительный|внутр|внутренний|internal|короткий|short|тоновый|pbx)"
    rf"(?: (?:{_NUMBER}))*"
)
"""Matches the name of a column of extensions, as `words_of` returns it."""
_NO_TEXTS = frozenset({"timezone", "callwhy"})
"""Columns whose texts are no objections. The reason in a results file may name a column such as ``dnc``."""
_PLAIN = frozenset({int, float, bool, type(None)})
_ZERO = re.compile(r"[0., -]*")
_NONE: Set[str] = frozenset()


class Contradictions(NamedTuple):
    """Why a row makes no call. The reasons contain no value of the row. None: there is no such reason.

    :ivar ban: a column forbids each call to the person.
    :ivar extension: a column has the extension of the person.
    :ivar country: a column names another country than the region, so a number without ``+`` is not certain.
    """

    ban: str | None
    extension: str | None
    country: str | None


_NO_CONTRADICTIONS = Contradictions(None, None, None)


def find_contradictions(row: Mapping[str, Any], region: str, used: Set[str] = _NONE) -> Contradictions:
    """Return why a row makes no call.

    A row forbids the call if a column such as ``do not call`` has a value, if a column such as ``consent``
    has the value no, or if another column has a short text such as ``do not call``. A column can also be the
    field of an object.

    :param row: column → value, or None for an empty cell.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :param used: names of columns, as `fold_name` returns them. The author's call uses these columns, e.g. the
        extension of an employee. Their texts are no objections, no extensions and no countries. Only a
        person's name may contain an objection.
    """
    columns = _columns_of(tuple(row), used)
    nested = [
        name
        for name, value in row.items()
        if (value[:1] in MAY_BEGIN_JSON if value.__class__ is str else value.__class__ not in _PLAIN)
    ]
    if not (nested or columns.may_contradict):  # a quick answer for most lists
        return _NO_CONTRADICTIONS
    return Contradictions(
        _find_ban(row, columns, nested),
        _find_extension(row, columns, nested),
        _find_country(row, columns, region),
    )


class _Columns(NamedTuple):
    """The columns that may contradict a call.

    :ivar meanings: column → what its values mean for a call.
    :ivar unused: the columns that the call does not use.
    :ivar texts: the columns whose texts may be an objection.
    :ivar tags: the unused columns whose texts may be a tag such as ``чс``.
    :ivar extensions: the unused columns that have an extension.
    :ivar countries: the unused columns that have a country, and what their values can be.
    """

    may_contradict: bool
    meanings: list[tuple[str, Meaning]]
    unused: Set[str]
    texts: list[str]
    tags: list[str]
    extensions: list[str]
    countries: list[tuple[str, CountryColumn]]


@lru_cache(maxsize=256)
def _columns_of(names: tuple[str, ...], used: Set[str]) -> _Columns:
    unused = [name for name in names if fold_name(name) not in used]
    meanings = {name: meaning for name in names if (meaning := meaning_of(str(name)))}
    texts = [name for name in names if name not in meanings and _may_object(fold_name(name), used)]
    tags = [name for name in texts if name in unused and has_tags(str(name))]
    extensions = list(filter(_is_extension_column, unused))
    countries = [(name, column) for name in unused if (column := country_column(str(name)))]
    found = list(meanings.items()), frozenset(unused), texts, tags, extensions, countries
    return _Columns(bool(meanings or texts or extensions or countries), *found)


def _may_object(folded: str, used: Set[str]) -> bool:
    # In an address book, the name itself may say: Anna (do not call).
    return folded not in _NO_TEXTS and (folded not in used or is_name_of_person(folded))


def _find_ban(row: Mapping[str, Any], columns: _Columns, nested: Sequence[str]) -> str | None:
    for name, meaning in columns.meanings:
        if name not in nested and forbids(meaning, plain_text(row[name])):
            return describe_ban(name)
    for name in columns.texts:
        value = row[name]
        if isinstance(value, str) and name not in nested and is_objection(name, value):
            return describe_ban(name)
    for name in columns.tags:
        if name not in nested and isinstance(row[name], str) and has_ban_tag(row[name]):
            return describe_ban(name)
    for name in nested:
        for field, value in plain_values(name, row[name]):
            inner = meaning_of(field)
            if inner is not None and forbids(inner, plain_text(value)):
                return describe_ban(name)
            if not isinstance(value, str) or name not in columns.unused:
                continue
            if is_objection(field, value) or (has_tags(field) and has_ban_tag(value)):
                return describe_ban(name)
    return None


def describe_ban(name: str) -> str:
    """Return why a row makes no call if one of its columns forbids the call."""
    return (
        f"column {shown_name(name)}: the row seems to forbid the call. Put such people into do_not_call, or "
        "rename the column"
    )


def _find_extension(row: Mapping[str, Any], columns: _Columns, nested: Sequence[str]) -> str | None:
    for name in (*columns.extensions, *filter(columns.unused.__contains__, nested)):
        for field, value in plain_values(name, row[name]):
            if _is_extension_column(field) and _is_extension(plain_text(value)):
                return f"column {shown_name(name)}: a campaign cannot dial an extension"
    return None


@lru_cache(maxsize=1024)
def _is_extension_column(name: str) -> bool:
    return any(map(_EXTENSION.fullmatch, spellings_of(name)))


def _is_extension(text: str) -> bool:
    digits = count_digits(text.removesuffix(".0"))
    return 0 < digits < FEWEST_DIGITS and not _ZERO.fullmatch(text)  # more digits are a second phone number


def _find_country(row: Mapping[str, Any], columns: _Columns, region: str) -> str | None:
    for name, column in columns.countries:
        code = read_country(plain_text(row[name]), column)
        if code and code != code_of_region(region):
            return describe_country(name, region)
    return None


def describe_country(name: str, region: str) -> str:
    """Return why a row makes no call if a column names another country than the region."""
    return (
        f"column {shown_name(name)}: not the country of the region {region}. Write the number with + and the "
        "country code"
    )
