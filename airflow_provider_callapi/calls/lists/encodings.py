"""Finds the encoding of a list: UTF-8, Windows-1251, or with a byte order mark also UTF-16 and UTF-32."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

HEAD = 65536
"""The number of bytes at the beginning of a file that `detect_encoding` needs."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order mark → encoding. The mark of UTF-32 begins like the mark of UTF-16, so UTF-32 comes first."""
_CAPITALS, _SMALL = "А-ЯЁІЇЄҐЎ", "а-яёіїєґў"
"""The letters of Russian, Ukrainian and Belarusian."""
_WORD = re.compile(f"[{_CAPITALS}]?[{_SMALL}]+|[{_CAPITALS}]+")
_HEBREW_WORD = re.compile("[абвгдежзийлморстфцчшщъ]*[абвгдежзийкмнпстуфхчшщъ]")
"""Matches a Hebrew word in cp1255 or ISO 8859-8 whose bytes are read as cp1251.

Hebrew has no capital letters. Five letters, read as ``кнпух``, stand only at the end of a word. Four others,
read as ``лорц``, do not stand there.
"""
_WORDS = re.compile(r"[^\W\d_]+")
_COMMON = frozenset("оеаинтсрвл")
"""The ten most frequent letters of Russian: more than half of all letters."""
_OTHERS = ("koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
_SIGNS = frozenset("№«»—–…“”„‘’\xa0")
_SAVE_AS = 'save the file as "CSV UTF-8"'


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a list are encoded.

    :ivar name: Python's name of the encoding, such as ``utf-8-sig`` or ``cp1251``.
    :ivar is_guess: True: the encoding is likely, but not certain.
    :ivar needs_mark: True: the campaign's file of results, which is UTF-8, should begin with a byte order
        mark. The program that wrote the list, such as Excel, probably recognises UTF-8 only by this mark.
    """

    name: str
    is_guess: bool = False
    needs_mark: bool = False


def detect_encoding(head: bytes) -> Encoding:
    """Return the encoding of a text file.

    :param head: the first bytes of the file, at most `HEAD`.
    :return: the encoding. If the encoding is only likely, ``is_guess`` is True.
    :raises ListUnreadable: the file is empty, or no encoding that this package can read is likely.
    """
    if not head:
        raise ListUnreadable(
            "the file is empty (0 bytes), so its export has probably failed. A do-not-call list with nobody "
            "on it still has the names of its columns"
        )
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, needs_mark=True)
    if b"\0" in head:
        raise ListUnreadable(f"the file is no text, or UTF-16 without a byte order mark; {_SAVE_AS}")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD)
    except UnicodeDecodeError:
        if _looks_like_cp1251(head):
            return Encoding("cp1251", is_guess=True, needs_mark=True)
        raise ListUnreadable(f"the file is neither UTF-8 nor Windows-1251 (cp1251); {_SAVE_AS}") from None
    return Encoding("utf-8")


def _looks_like_cp1251(head: bytes) -> bool:
    """Return whether bytes are probably Cyrillic text in Windows-1251, rather than in another encoding."""
    likelihood = _likelihood(head, "cp1251")
    return likelihood > 0 and all(likelihood >= _likelihood(head, other) for other in _OTHERS)


def _likelihood(head: bytes, encoding: str) -> float:
    """Return the likelihood, from 0.0 to 1.0, that bytes are Russian text in an encoding."""
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    # A word does not mix alphabets, nor cases as in аНна. Russian text has only a few other signs.
    words = [word for word in _WORDS.findall(text) if not word.isascii()]
    others = {character for character in text if not character.isascii() and not character.isalpha()}
    if not all(map(_WORD.fullmatch, words)) or not others <= _SIGNS:
        return 0.0
    if encoding == "cp1251" and all(map(_HEBREW_WORD.fullmatch, words)):
        return 0.0
    letters = "".join(words).lower()
    # Signs count as rare letters: З, К, Т, У and other capitals of cp1251 are signs in mac-cyrillic.
    signs = sum(map(text.count, others))
    return sum(letter in _COMMON for letter in letters) / max(len(letters) + signs, 1)
