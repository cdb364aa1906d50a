"""Reads the country of a phone number from a column of a list, such as ``UA``, ``+380`` or ``Украина``."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from airflow_provider_callapi.calls.lists.columns import words_of
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import code_of_region, is_country_code


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
    7 russia rus russian_federation россия рф российская_федерация kazakhstan kaz казахстан
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
    43 austria aut австрия
    44 united_kingdom uk gbr great_britain england великобритания англия
    45 denmark dnk дания
    46 sweden swe швеция
    47 norway nor норвегия
    48 poland pol польша
    49 germany deu deutschland германия
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
    90 turkey turkiye tur турция
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
    374 armenia arm армения
    375 belarus blr беларусь белоруссия
    380 ukraine ukr украина
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
    995 georgia geo грузия
    996 kyrgyzstan kgz киргизия кыргызстан
    998 uzbekistan uzb узбекистан
"""
_CODES = {
    name.replace("_", " "): code
    for code, *names in map(str.split, _NAMES.strip().splitlines())
    for name in names
}
"""Name of a country → country code of its phone numbers. The library of numbering plans has no names."""


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
    return _CODES.get(words_of(text)) or code_of_region(text.upper())
