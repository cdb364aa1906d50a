"""Finds the columns of a list that this package uses: ``phone``, ``timezone`` and ``external_id``.

A misspelt name, such as ``timezon``, is an error. If the package ignored a misspelt column, people could be
called at night.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.api.values.number_text import fold
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
_PHONE_NAMES = r"phone|телефон|mobile|мобильн|^тел(?!егр)|^tel(?!egr)|^моб|^сот(?:ов\w*)?\d*$|^cell"
"""Matches the names of columns with phone numbers, such as ``моб. тел.``."""
_PARTS = {
    PHONE: re.compile(rf"{_PHONE_NAMES}|^номер$|^number$|^contact$"),
    TIMEZONE: re.compile("|".join([*" ".join(_ZONE_NAMES.values()).split(), rf"^{_ZONE_WORDS}"])),
    EXTERNAL_ID: re.compile("external|внешнийid"),
}
"""Column → regular expression for names that probably mean this column, such as ``mobile`` for ``phone``.

The expression is searched in the name as `fold_name` returns it.
"""
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
_MORE_PHONES = re.compile(rf"{_PHONE_NAMES}|тел\d*$")
"""Matches the names of further columns with phone numbers in a do-not-call list, such as ``раб. тел.``."""
_PHONE_WORD = re.compile(
    r"phones?\d?|telephones?|telefon|msisdn|e164|mobiles?|cell(?:phone)?s?|tel|тел\d?|телефон(?:ы|а|ов)?|моб|мобильн\w{2,3}|сот"
    r"|сотов\w{2,3}"
)
_WORD_BESIDE = re.compile(
    r"number|numbers|num|list|digits|ext|work|home|main|business|office|personal|private|primary|secondary"
    r"|preferred|other|second|first|contact|contacts|client|clients|customer|customers|user|users|person"
    r"|people|patients?|students?|parents?|debtors?|employees?|members?|subscribers?|guests?|owners?|buyers?"
    r"|company|existing|blocked|excluded|forbidden|do|not|to|call|of|the|our|[1-9]"
    r"|номера?|список|доб|вн(?:утр)?|пациент\w{0,2}|должник\w{0,2}|ученик\w{0,2}|родител\w{1,2}|сотрудник\w{0,2}"
    r"|покупател\w{1,2}|заказчик\w{0,2}|владельц\w{1,2}|гост\w{1,2}|клиент\w{0,3}|абонент\w{0,3}|контакт\w{0,4}|личн\w{2}|рабоч\w{2}|служебн\w{2}"
    r"|домашн\w{2}|основн\w{2}|городск\w{2}|друг\w{2}|второй|дополнительн\w{2}|запрещенн\w{2}|отказавшихся"
    r"|для|связи|не|звонить"
)
"""Match the words of a name of a column of phone numbers. An error message has other words, too."""
_SIGN_OF_CODE = re.compile(r"[{}<>%$@=\\]")
_OTHER_THING = re.compile(
    r"\b(?:id|uid|uuid|guid|inn|snils|email|e mail|login|hash|token|passport|account|order|contract|name|date"
    r"|ид|инн|снилс|кпп|огрн|паспорт\w*|договор\w*|заказ(?!чик)\w*|счет\w?|почта|логин|хеш|хэш|имя|фио|дата)\b"
)
"""Matches the names of columns that contain no phone numbers, in the form that `words_of` returns."""
_NAMES_SHOWN = 12
"""How many names of columns an error shows."""
_MAY_BE_AN_ENTRY = re.compile(r"[\d@]")
"""Matches names that may be the first entry of a list, such as ``sip25@example.com`` or ``7926O000001``."""


@dataclass(frozen=True)
class Columns:
    """The columns of a list that this package uses.

    :ivar phone: the name of the column with the number to call. None: the list has no such column.
    :ivar timezone: the name of the column with the person's time zone. None: the list has no such column.
    """

    phone: str | None
    timezone: str | None


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
            raise ListUnreadable(f"two columns are named {meaning}: {_quoted(same)}. Remove or rename one")
        found[meaning] = same[0] if same else None
        if not same and (needs_phone or meaning != PHONE):
            _refuse_near_misses(names, folded, meaning)
    return Columns(found[PHONE], found[TIMEZONE])


def _is_copy(name: object, meaning: str) -> bool:
    """Return whether a name is a copy of ``phone``: ``phone.1`` from pandas, or with a Cyrillic ``о``."""
    return in_latin(fold_name(re.sub(r"\.\d+$", "", str(name)))) == fold_name(meaning)


def in_latin(text: str) -> str:
    """Return a text in lower case with Latin letters in place of Cyrillic letters that look alike."""
    return text.translate(_LATIN_LOOK_ALIKE)


def seems_time_zone(name: object) -> bool:
    """Return whether a column's name seems to mean ``timezone``, e.g. ``timezon`` or ``Часовой пояс``."""
    folded = fold_name(name)
    return _has_part(folded, TIMEZONE) or _is_similar(folded, TIMEZONE)


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
        if _has_part(folded[name], meaning) or _is_similar(folded[name], meaning):
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


def in_cyrillic(name: str) -> str:
    """Return a Russian name in Latin letters as Russian letters: ``chasovoypoyas`` → ``часовойпояс``."""
    return _LATIN.sub(lambda match: _CYRILLIC[match[0]], re.sub(r"(?<=[aeiouy])y(?![aou])", "j", name))


def _is_similar(folded_name: str, meaning: str) -> bool:
    return SequenceMatcher(None, fold_name(meaning), folded_name).ratio() >= _NEAR[meaning]


def check_empty_do_not_call(names: Sequence[str]) -> None:
    """Check the column names of a do-not-call list without rows.

    :raises ListUnreadable: no name means a phone number. So the list may be another list, or the page of an
        error, and it is not certain that nobody is on the do-not-call list.
    """
    if not any(map(_is_phone_heading, names)):
        raise ListUnreadable(
            "the list has no rows, and no column is named `phone`, so it may be no do-not-call list. If "
            "nobody is on the list, name the column `phone`"
        )


def _is_phone_heading(name: str) -> bool:
    """Return whether a name means phone numbers, and is no sentence: ``Unknown column: phone`` is one.

    The words that may stand in such a name are a closed list. If an honest name is refused, the author names
    the column ``phone``. If an error message counted as a name, people who objected would be called.
    """
    if _SIGN_OF_CODE.search(name):
        return False
    words = words_of(name).split()
    others = [word for word in words if not _PHONE_WORD.fullmatch(word)]
    return len(others) < len(words) and all(map(_WORD_BESIDE.fullmatch, others)) and not words[0].isdigit()


@lru_cache(maxsize=256)
def phone_columns(names: tuple[str, ...]) -> list[str]:
    """Return the names of those columns of a do-not-call list that should contain phone numbers.

    - If the list has one column: this column, unless its name means something else, such as ``ИНН``.
    - If the list has several columns: ``phone``, and also all columns with similar names, such as ``mobile``.

    :param names: the names of all columns.
    :raises ListUnreadable: the list has several columns, and none is named ``phone`` (also if one is named
        ``mobile``).
    :raises ListUnreadable: the list has one column, and no column name: instead of the name, it has what
        seems to be an entry, such as ``79260000001``. Or the name of the only column means something else.
    """
    folded = {name: fold_name(name) for name in names}
    found = [name for name in names if _MORE_PHONES.search(folded[name]) or _is_similar(folded[name], PHONE)]
    if len(names) <= 1:
        if not found and any(map(_MAY_BE_AN_ENTRY.search, folded.values())):
            raise ListUnreadable("the only column has no name, but an entry instead. Name it `phone`")
        if not found and any(_OTHER_THING.search(words_of(name)) for name in names):
            raise ListUnreadable(
                f"the only column is {shown_name(names[0])}, and seems to contain no phone numbers. Give the "
                "phone numbers of these people. If the column contains them, name it `phone`"
            )
        return list(names)
    if PHONE not in folded.values():
        raise ListUnreadable("name the column with the number `phone`")
    return found


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
            f"two columns are named {shown_name(name)}, apart from case, blanks and signs: {_quoted(found)}. "
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


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(shown_name, names))


def shown_name(name: object) -> str:
    """Return the name of a column for an error message.

    Phone numbers are shortened, because the name of a column can be a phone number, as in
    ``{"79260000001": "Anna"}``. Escape sequences replace invisible characters.
    """
    text = mask_number(str(name))
    return ascii(text) if fold(text) != text and not fold(text).isascii() else repr(text)
