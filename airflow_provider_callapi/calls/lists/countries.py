"""Reads the country of a phone number from a column of a list, such as ``UA``, ``+380`` or ``Украина``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import fold_name, words_of
from airflow_provider_callapi.calls.lists.nested_values import MAY_BEGIN_JSON, plain_values
from airflow_provider_callapi.calls.lists.objection_words import any_of
from airflow_provider_callapi.calls.lists.objections import plain_text
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import code_of_region, is_country_code
from airflow_provider_callapi.calls.texts.empty_values import says_nothing


class CountryColumn(Enum):
    """What the values of a column can be."""

    COUNTRY = "the name or a code of a country; a single digit may be any id"
    CODE = "the name or a code of a country"
    PREFIX = "the first digits of a number, which are a country code if they begin with + or 00"


_COUNTRY = re.compile("country|countrycode|страна|страны")
_OF_A_NUMBER = re.compile("phone|tel|telephone|mobile|number|dial|dial+ing|calling|тел|телефона?|номера")
_BESIDE = re.compile(
    "code|prefix|name|of|the|client|customer|contact|user|iso[23]?|код|префикс|название|клиента|абонента|контакта"
    "|проживания"
)
"""Match the words of a name. ``Страна тура`` is another country than that of the phone number."""
_CODE = frozenset({"code", "prefix", "код", "префикс", "countrycode"})
_WITH_PLUS = re.compile(r"(?:\+|\b00)(\d{1,3})\b")
_DIGITS = re.compile(r"(\d{1,3})(?:\.0)?")
_NAMES = """
    1 usa us сша соединенные_штаты united_states united_states_of_america canada can канада
    7 russia rus russian_federation россия рф российская_федерация росія rusya rossiya
    7 kazakhstan kaz казахстан қазақстан
    20 egypt egy египет
    27 south_africa zaf юар
    30 greece grc греция
    31 netherlands nld нидерланды голландия
    32 belgium bel бельгия
    33 france fra франция
    34 spain esp испания
    36 hungary hun венгрия
    39 italy ita италия
    40 romania rou румыния
    41 switzerland che швейцария
    43 austria aut австрия австрія avusturya
    44 united_kingdom uk gbr great_britain england великобритания англия
    45 denmark dnk дания
    46 sweden swe швеция
    47 norway nor норвегия
    48 poland pol польша польща polonya
    49 germany deu deutschland германия almanya німеччина німеччына
    52 mexico mex мексика
    55 brazil bra бразилия
    60 malaysia mys малайзия
    61 australia aus австралия
    62 indonesia idn индонезия
    66 thailand tha таиланд тайланд
    81 japan jpn япония
    82 south_korea kor южная_корея корея
    84 vietnam vnm вьетнам
    86 china chn китай
    90 turkey turkiye tur турция туреччина түркия
    91 india ind индия
    98 iran irn иран
    351 portugal prt португалия
    353 ireland irl ирландия
    357 cyprus cyp кипр
    358 finland fin финляндия
    359 bulgaria bgr болгария
    370 lithuania ltu литва
    371 latvia lva латвия
    372 estonia est эстония
    373 moldova mda молдова молдавия
    374 armenia arm армения հայաստան
    375 belarus blr беларусь белоруссия білорусь
    380 ukraine ukr украина україна ukrayna
    381 serbia srb сербия
    382 montenegro mne черногория
    385 croatia hrv хорватия
    386 slovenia svn словения
    420 czechia czech_republic cze чехия
    421 slovakia svk словакия
    971 uae united_arab_emirates are оаэ эмираты
    972 israel isr израиль
    976 mongolia mng монголия
    992 tajikistan tjk таджикистан
    993 turkmenistan tkm туркмения туркменистан
    994 azerbaijan aze азербайджан
    995 georgia geo грузия საქართველო
    996 kyrgyzstan kgz киргизия кыргызстан
    998 uzbekistan uzb узбекистан ozbekiston
"""
_CODES = {
    name.replace("_", " "): code
    for code, *names in map(str.split, _NAMES.strip().splitlines())
    for name in names
}
"""Name of a country → country code of its phone numbers. See also `_codes_by_long_name`."""
_LAND = re.compile(
    any_of(
        "countr* стран[аы] land länder* staat* ülke* ulke* країн[аи] краін[аы] mamlakat* davlat* pays",
        "país paese",
        "երկիր ქვეყანა מדינה ארץ (?:phone|mobile|tel|number)_region region_of_(?:the_)?(?:phone|number)",
    )
)
_ELSEWHERE = re.compile(
    any_of(
        "tours? trips? travel* destination* origin* birth* citizen* national* manufactur* produc* made visa",
        "passport* import* export* currency id тур* поезд* путешеств* назначен* происхожд* рожден* граждан*",
        "производ* виз[аы] паспорт* импорт* экспорт* валют[аы] прибыти* вылет* отдых* отел* доставки_из",
    )
)
"""Matches words of a country in which the person has no phone. With other words, it may be theirs."""
_ALPHA_3 = 3
"""The number of letters in a code of ISO 3166 such as ``AUT``."""
_HAS_LETTER_OR_PLUS = re.compile(r"[^\W\d_]|\+")


class CountryColumns:
    """Finds further columns with the country of a number, such as ``Mailing Country``, by all their values.

    The name contains a word for a country, and most values are names or codes of countries. `country_column`
    knows the names that need no such proof.

    :param region: ISO 3166 code of the country of numbers without a country code.
    :param used: names of columns, as `fold_name` returns them. The author's call uses these columns.
    """

    def __init__(self, region: str, used: Set[str] = frozenset()) -> None:
        self._code = code_of_region(region)
        self._used = used
        self._countries: Counter[str] = Counter()
        """Column → how many more values are countries than are something else, or unknown names."""

    def add(self, row: Mapping[str, Any]) -> list[str]:
        """Record the values of a row. Return the columns with another country, if `is_country` says so later.

        :param row: the row: column → value. A field of an object counts as a column.
        """
        abroad: list[str] = []
        for column, value in row.items():
            is_plain = value.__class__ is str and value[:1] not in MAY_BEGIN_JSON
            if value is None or (is_plain and not _may_be_country(column)) or fold_name(column) in self._used:
                continue
            for name, part in plain_values(str(column), value):
                if _may_be_country(name):
                    code = self._read(name, plain_text(part))
                    abroad += [name] if code not in (None, self._code) else []
        return abroad

    def _read(self, name: str, text: str) -> str | None:
        code = read_country(text, CountryColumn.COUNTRY) if _HAS_LETTER_OR_PLUS.search(text) else None
        if code is not None:
            self._countries[name] += 1
        elif not says_nothing(text) and words_of(text) != "other":
            self._countries[name] -= 1
        return code

    def is_country(self, name: str) -> bool:
        """Return whether most values of a column are countries. The caller has added all rows."""
        return self._countries[name] > 0


@lru_cache(maxsize=1024)
def _may_be_country(name: str) -> bool:
    words = words_of(name)
    return _LAND.search(words) is not None and not _ELSEWHERE.search(words)


@lru_cache(maxsize=256)
def country_column(name: str) -> CountryColumn | None:
    """Return what the values of a column can be, judged by its name. None: no country of a phone number."""
    words = words_of(name).split()
    others = [word for word in words if not _BESIDE.fullmatch(word)]
    if all(_COUNTRY.fullmatch(word) or _OF_A_NUMBER.fullmatch(word) for word in others):
        has_code = not _CODE.isdisjoint(words)
        if any(map(_COUNTRY.fullmatch, others)):
            return CountryColumn.CODE if has_code else CountryColumn.COUNTRY
        if others and has_code:
            return CountryColumn.PREFIX
    return None


@lru_cache(maxsize=1024)
def read_country(text: str, column: CountryColumn) -> str | None:
    """Return the country code of phone numbers, such as ``380``. None: the text names no known country.

    :param text: the value of the column, in lower case.
    """
    if written := _WITH_PLUS.search(text):
        return written[1] if is_country_code(written[1]) else None
    if column is CountryColumn.PREFIX:
        return None
    digits = _DIGITS.fullmatch(text)
    if digits and (column is CountryColumn.CODE or len(digits[1]) > 1):
        return digits[1] if is_country_code(digits[1]) else None
    words = words_of(text)
    code = _CODES.get(words) or code_of_region(text.upper())
    return code or (_codes_by_long_name().get(words) if words else None)


@cache
def _codes_by_long_name() -> Mapping[str, str]:
    """Return the names of countries in many languages: words of the name → country code.

    They are a large module of the library, which is loaded only for a name that `_NAMES` does not contain.
    """
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415

    codes: dict[str, set[str]] = {}
    for region, names in LOCALE_DATA.items():
        if code := code_of_region(region):
            for name in set(names.values()):
                codes.setdefault(words_of(name), set()).add(code)
    long = {name: found for name, found in codes.items() if len(name) > _ALPHA_3 or not name.isascii()}
    return {name: code for name, (code, *others) in long.items() if name and not others}
