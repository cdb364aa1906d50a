"""Recognises texts that a program has damaged, such as ``РђРЅРЅР°``, ``Àííà`` and ``????`` for ``Анна``.

A program damages a text if it reads the text in another encoding than the one in which the text was written.
Or it exports what only programs read: the codes of a web page, such as ``&quot;``, the text of a list, such
as ``['Anna']``, its word for a missing value, as in ``Anna NaN``, or a field that it has not filled in:
``%NAME%``.
"""

from __future__ import annotations

import re
from html.entities import html5

_SECOND = bytes(range(0x80, 0xC0))
"""The second byte of each Russian letter in UTF-8. The first byte is 0xD0 or 0xD1."""
_CP1251 = re.escape(_SECOND.decode("cp1251", "ignore").lower()) + r"\x80-\x9f"
_CP1252 = re.escape(_SECOND.decode("cp1252", "ignore").lower()) + r"\x80-\xbf"
_ACCENT = "[ß-ÿ×¸¨]"
_DAMAGES = tuple(
    re.compile(damage, re.DOTALL)
    # A lookbehind stands behind the first character, because the search is then fast.
    for damage in (
        "\ufffd",
        r"\?(?<!\S.)\?{2,}(?![\w?])",
        rf"[рс](?<![^\x00-\x7f].)[{_CP1251}](?:[рс][{_CP1251}]){{2,}}(?![^\x00-\x7f])",  # UTF-8 as cp1251
        rf"\A(?=.*[^\w])[рс][{_CP1251}][рс][{_CP1251}]\Z",  # the same, a whole text of two letters
        rf"[ðñ][{_CP1252}](?:[ðñ][{_CP1252}]){{2,}}",  # UTF-8 as cp1252
        rf"{_ACCENT}(?<![^\W\d_].){_ACCENT}{{2,}}(?![^\W\d_])",  # cp1251 as cp1252: only letters with accents
        r"[ãâ][¡-ª¬¯-¶¸-º¼-¿œšžÿƒˆ†‡‰€]|[╨╤].[╨╤]",  # letters with accents: UTF-8 as cp1252; UTF-8 as cp866
    )
)
"""Match damaged texts in lower case, because a filter of a template may change the case."""

_LOST_LETTER = re.compile(r"(?<![^\sА-яЁё])\?[а-яё]|(?<!\S)(?:[A-ZÀ-Þ][^\W\d_]{0,15})?\?[a-zß-öø-ÿ]{2}")
"""Matches a ``?`` for a letter that an encoding lacks: ``Айг?л``, ``M?ller``. Before a capital, it ends a
sentence.
"""
_OTHER_ALPHABET = re.compile(
    r"[A-Za-z][бгджзийлпфцчшщъыьэюяБГДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ][a-z]|[a-z]{2}[БГДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ](?!\w)"
)
"""Matches a Russian letter in a Latin word, which looks like no Latin letter: ``Mьller`` for Müller."""
_UNUSUAL = re.compile(r"[^\x00-\x7fА-я]|[А-я](?:(?<=[A-Za-z].)|(?=[A-Za-z]))", re.DOTALL)
"""Matches a letter that is neither English nor Russian, and a Russian one beside an English one."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_SINGLE_BYTES = ("cp1251", "cp1252", "cp1254")
_LEADS, _FOLLOWERS = (
    re.escape("".join({bytes([byte]).decode(name, "ignore") for byte in values for name in _SINGLE_BYTES}))
    for values in (range(0xC2, 0xF0), range(0x80, 0xC0))
)
_MAY_BE_UTF8 = re.compile(rf"[{_FOLLOWERS}\x80-\x9f](?<=[{_LEADS}].)", re.DOTALL)
_LATIN_LETTERS = re.compile("[À-ÖØ-öø-ſȘ-ț]+")
_OTHER_LETTERS = re.compile(
    "[А-яЁёЄІЇєіїҐґЎўӘәҒғҚқҢңӨөҰұҮүҺһ]{3,}|[א-ת]{2,}|[ა-ჰ]{2,}|[Ա-Ֆա-և]{2,}|[Ά-ώ]{2,}"
)
"""Match what people write in one word. Two letters of UTF-8 as Russian letters may be meant: ``РЎ``."""
_CODES = re.compile(
    r"&#[0-9]{2,6};|&#x[0-9a-f]{2,5};|\\u0[0-9a-f]{3}|%u0[0-9a-f]{3}"
    r"|</[abipsu]>|</?(?:big|body|br|div|em|font|h[1-6]|html|img|li|nobr|ol|small|span|strong|su[bp]|t[dhr]"
    r"|table|ul)(?:\s[^<>]*)?/?>"
    r'|(?<!\w)="[^"]*"'
    r"|/Date\(-?\d|<!\[CDATA\[|=\?[\w-]+\?[bq]\?"
    r"|(?<!\w)=[a-zа-яё]{2}[\w.]*\([^()]*[;,:!]|(?<!\w)b'[^']*'(?!\w)|(?:=[0-9a-f]{2}){3}"
    r"|\b(?:Decimal|Timestamp|UUID|datetime\.(?:date|time|datetime))\(['\"\d]|<[\w.]+ object at 0x",
    re.IGNORECASE,
)
"""Matches codes of HTML, JSON, .NET, Excel, e-mail and Python. A filter may make those of a web address."""
_BEGIN_OF_CODE = re.compile(r"[&\\<%\"(]|=[?0-9A-Fa-f]|b'")
_ENTITY = re.compile(r"&([A-Za-z]{2,8}[0-9]{0,2};)")
_NUMBER = r"\s*-?\d+(?:\.\d+)?\s*"
_NESTED = re.compile(
    r"""\[\s*['"][^\[\]]*['"]\s*\]|\{\s*['"][^{}]*['"]\s*:[^{}]*\}|\('[^()]*',[^()]*\)"""
    r"|\[object \w+\]"
    rf"|\[{_NUMBER}(?:,{_NUMBER})+\]|\[\]|\{{\}}"
)
"""Matches the text of a list, a tuple or a dict. A single number in brackets may be meant."""
_GAP = re.compile(r"(?<![\w<])(?:NaN|NaT|<NA>|N/A)(?![\w/])")
_GAP_IN_RUSSIAN = re.compile(
    r"(?<!\w)(?:nan|None|NaN|NaT|<NA>|N/A|null|Null|NULL|undefined)(?![\w/])|(?<![\w/])Н/Д(?![\w/])"
)
_FAILED_FORMULA = re.compile(
    r"#(?:N/A|Н/Д|N/D|(?:REF|ССЫЛКА|VALUE|ЗНАЧ|DIV/0|ДЕЛ/0|NUM|ЧИСЛО|NULL|ПУСТО|WERT|BEZUG)!|(?:NAME|ИМЯ)\?)"
)
_FIELD_NAME = "имя|фамилия|отчество|фио|f?name|lname|first ?name|last ?name|surname"
_UNFILLED_FIELD = re.compile(
    r"\{\{\s*[^{}\s][^{}]*\}\}|\$\{\s*\w[^{}]*\}|\*\|\w+\|\*|\[\[\s*\w[^\[\]]*\]\]"
    r"|(?<![\w%])%[^\W\d_]\w*%(?!\w)"
    rf"|[\[<]\s*(?:\w+[ _])?(?:{_FIELD_NAME})(?:[ _]\w+)?\s*[\]>]",
    re.IGNORECASE,
)
"""Matches the field of a letter: ``{{name}}``, ``${name}``, ``%NAME%`` ``*|NAME|*`` or ``<Имя>``."""
_BEGIN_OF_FIELD = re.compile(r"[{\[<%$*]")
_ROUNDED_NUMBER = re.compile(r"(?<![\w.,])\d(?:[.,]\d+)?E\+\d\d(?!\w)", re.IGNORECASE)
_MACHINE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}"
    r"| [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}))"
    r"|[0-9]{2}:[0-9]{2}:[0-9]{2} (?:GMT|UTC)[+-][0-9]|\b[0-9]+ days?, [0-9]{1,2}:[0-9]{2}:[0-9]{2}",
    re.IGNORECASE,
)
"""Matches a date with a time behind a ``T``, or with a time and a time zone; and a duration of Python."""
_RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)


def has_codes(text: str) -> bool:
    """Return whether a text contains codes instead of letters: ``&quot;``, ``<b>``, ``\\u0410``."""
    if _BEGIN_OF_CODE.search(text) is None:  # a quick answer
        return False
    return _CODES.search(text) is not None or any(name in html5 for name in _ENTITY.findall(text))


def has_nested_text(text: str) -> bool:
    """Return whether a text contains the text of a list or dict, such as ``['Anna']``."""
    return ("[" in text or "{" in text or "('" in text) and _NESTED.search(text) is not None


def has_gap(text: str) -> bool:
    """Return whether a text contains the word that a program has written for a missing value: ``Анна nan``.

    In a Russian text, also ``nan``, ``None``, ``null``, ``undefined`` and ``Н/Д`` are no words of people.
    """
    if "n" not in text and "N" not in text and "/" not in text:  # a quick answer for most Russian texts
        return False
    may_be_gap = "nan" in text or "Na" in text or "None" in text or "NA" in text or "/" in text
    if not (may_be_gap or "ull" in text or "NULL" in text or "undefined" in text):  # another one
        return False
    return (_GAP_IN_RUSSIAN if _RUSSIAN.search(text) else _GAP).search(text) is not None


def has_failed_formula(text: str) -> bool:
    """Return whether a text contains the error of a spreadsheet's formula, such as ``Анна #N/A``."""
    return "#" in text and _FAILED_FORMULA.search(text) is not None


def has_unfilled_field(text: str) -> bool:
    """Return whether a text contains a field that another program should have filled in: ``%NAME%``.

    In single brackets, only the name of a person is certainly a field: ``<Имя>``, but not ``<Ромашка>``.
    """
    return _BEGIN_OF_FIELD.search(text) is not None and _UNFILLED_FIELD.search(text) is not None


def has_rounded_number(text: str) -> bool:
    """Return whether a text contains a number that a spreadsheet has rounded: ``4,08178E+19``."""
    return ("E+" in text or "e+" in text) and _ROUNDED_NUMBER.search(text) is not None


def has_machine_time(text: str) -> bool:
    """Return whether a text contains a time in a form for programs: ``2026-12-01T10:05:00``.

    A time with a time zone, such as ``2026-12-01 07:05:00+00``, is one, too: the hour may be another one.
    """
    return ":" in text and _MACHINE_TIME.search(text) is not None


def is_damaged(text: str) -> bool:
    """Return whether a text seems to be one whose letters were lost or replaced."""
    if "?" not in text and (text.isascii() or not _UNUSUAL.search(text)):  # a quick answer for most texts
        return False
    if "?" in text and _LOST_LETTER.search(text):
        return True
    if _OTHER_ALPHABET.search(text) or (_MAY_BE_UTF8.search(text) and _has_utf8(text)):
        return True
    lower = text.lower()
    return any(damage.search(lower) for damage in _DAMAGES)


def _has_utf8(text: str) -> bool:
    """Return whether a part of a text is UTF-8 that was read in another encoding: ``AyÅŸe`` for Ayşe."""
    parts = [part.lstrip("«“„—–") for part in _NOT_ASCII.findall(text)]
    return any(_is_utf8(part, encoding) for part in parts for encoding in _SINGLE_BYTES)


def _is_utf8(part: str, encoding: str) -> bool:
    try:
        # Some encodings lack bytes such as 0x98, which programs then read as control characters.
        data = b"".join(bytes([ord(sign)]) if sign < "\xa0" else sign.encode(encoding) for sign in part)
        letters = data.decode()
    except UnicodeError:
        return False
    is_latin = encoding != "cp1251" and _LATIN_LETTERS.fullmatch(letters)
    return bool(is_latin or _OTHER_LETTERS.fullmatch(letters))
