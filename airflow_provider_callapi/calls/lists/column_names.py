"""Compares the names of columns, and shows them in error messages.

The same name may be written in many ways: ``Time Zone``, ``time_zone``, ``TIMEZONE``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_CYRILLIC = {
    **{"shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ch": "ч", "sh": "ш", "ts": "ц", "ya": "я", "yu": "ю"},
    **{"ja": "я", "ju": "ю", "ye": "е", "iy": "ий", "ij": "ий", "ia": "ия", "j": "й", "y": "ы", "x": "х"},
    **dict(zip("abvgdezijklmnoprstufhc", "абвгдезийклмнопрстуфхц", strict=True)),
}
"""Latin letters → the Russian letters for which databases and other programs write them."""
_SHORTEST_RUSSIAN = 5
"""Up to this length, words in Latin letters, such as ``stop``, are no Russian words."""
_LOOK_ALIKE = str.maketrans("aceopxykmtbh", "асеорхукмтвн")
_LATIN_LOOK_ALIKE = {own: latin for latin, own in _LOOK_ALIKE.items()} | str.maketrans("іјѕ", "ijs")
_RUSSIAN = re.compile("[а-я]")
_LATIN = re.compile("|".join(sorted(_CYRILLIC, key=len, reverse=True)))
_NAME_OF_PERSON = re.compile(
    r"(?:client|customer|contact|person|user|patient|guest|full|first|last|given|sur|f|l)*name|client|customer"
    r"|(?:полное)?имя(?:клиента|контакта|фамилия|отчество|иотчество)?|фамилия(?:имя(?:отчество)?|иимя)?"
    r"|отчество|фио(?:клиента|контакта)?|клиент"
)
_NAMES_SHOWN = 12
"""How many names of columns an error shows."""


def fold_name(name: object) -> str:
    """Return a column's name for comparisons: ``Time Zone`` and ``time_zone`` both become ``timezone``.

    The function removes spaces, hyphens, underscores, dots, invisible characters, and the quotation marks
    around the name.
    """
    return _fold_text(str(name))


@lru_cache(maxsize=1024)
def _fold_text(name: str) -> str:
    wide = unicodedata.normalize("NFKC", name)  # full-width letters, and an é of two characters
    unquoted = re.sub(r'^"([^"]*)"$', r"\1", fold(wide))
    return re.sub(r"[\s_.-]", "", unquoted).casefold()


def is_name_of_person(folded: str) -> bool:
    """Return whether a column contains people's names, such as ``client name`` and ``ФИО``.

    :param folded: the name of the column, as `fold_name` returns it.
    """
    return _NAME_OF_PERSON.fullmatch(folded) is not None


def words_of(name: object) -> str:
    """Return the words of a name in lower case, with a blank between them: ``DNC_flag`` becomes ``dnc flag``.

    An abbreviation with a full stop becomes a whole word: ``No.`` becomes ``number``, and ``вн.`` ``внутр``.
    Latin letters inside a Russian word become the Russian letters that look alike.
    """
    text = fold(unicodedata.normalize("NFKC", str(name)))
    text = re.sub(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])", " ", text)  # optOut
    text = re.sub(r"['’]", "", text.casefold()).replace("ё", "е")
    text = re.sub(r"\bno\.", "number ", text)
    text = re.sub(r"\b(?:вн|доп)\.", "внутр ", text)
    words = re.findall(r"[^\W_]+", text)
    return " ".join(word.translate(_LOOK_ALIKE) if _RUSSIAN.search(word) else word for word in words)


def spellings_of(text: str) -> list[str]:
    """Return the words of a text. Of a long text in Latin letters, such as ``ne_zvonit``, also in Russian."""
    words = words_of(text)
    is_long = words.isascii() and len(words) > _SHORTEST_RUSSIAN
    return [words, in_cyrillic(words)] if is_long else [words]


def in_latin(text: str) -> str:
    """Return a text in lower case with Latin letters in place of Cyrillic letters that look alike."""
    return text.translate(_LATIN_LOOK_ALIKE)


def in_cyrillic(name: str) -> str:
    """Return a Russian name in Latin letters as Russian letters: ``chasovoypoyas`` → ``часовойпояс``."""
    return _LATIN.sub(lambda match: _CYRILLIC[match[0]], re.sub(r"(?<=[aeiouy])y(?![aou])", "j", name))


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column in a row, for example of ``time zone`` in ``{"Time_Zone": "UTC"}``.

    :param row: column → value.
    :param name: the name of the column. Case, spaces, hyphens, underscores and dots do not matter.
    :raises KeyError: the row has no such column.
    :raises ListUnreadable: two columns of the row have such a name, for example ``Name`` and ``NAME``.
    """
    if name in row:
        return row[name]
    wanted = fold_name(name)
    found = [own for own in row if fold_name(own) == wanted]
    if len(found) > 1:
        raise ListUnreadable(
            f"two columns are named {shown_name(name)}, apart from case, blanks and signs: {quoted(found)}. "
            "Remove or rename one"
        )
    if not found:
        raise KeyError(name)
    return row[found[0]]


def refuse_duplicates(names: Iterable[str]) -> None:
    """Raise an error if two columns have exactly the same name. ``phone`` and ``Phone`` are different names.

    :param names: the names of all columns.
    :raises ListUnreadable: a name occurs twice.
    """
    met: set[str] = set()
    for name in names:
        if name in met:
            raise ListUnreadable(f"two columns are named {shown_name(name)}. Remove or rename one")
        met.add(name)


def describe_columns(names: Iterable[object]) -> str:
    """Describe the names of a list's columns for an error message: ``its columns are 'phone', 'name'``.

    Of many names, only the first are shown. Without a heading, the names are the first row, and may be
    personal data: then the text only says so.
    """
    texts = list(map(str, names))
    if any(mask_number(text) != text for text in texts):
        return "the list seems to have no heading"
    shown = list(map(shown_name, texts))
    return "its columns are " + ", ".join(shown[:_NAMES_SHOWN]) + (" …" if len(shown) > _NAMES_SHOWN else "")


def quoted(names: Iterable[str]) -> str:
    return ", ".join(map(shown_name, names))


def shown_name(name: object) -> str:
    """Return the name of a column for an error message.

    Phone numbers are shortened, because the name of a column can be a phone number, as in
    ``{"79260000001": "Anna"}``. Escape sequences replace invisible characters.
    """
    text = mask_number(str(name))
    return ascii(text) if fold(text) != text and not fold(text).isascii() else repr(text)
