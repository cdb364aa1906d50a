"""Finds the columns of a do-not-call list that contain phone numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from airflow_provider_callapi.calls.lists.column_names import fold_name, shown_name, words_of
from airflow_provider_callapi.calls.lists.columns import PHONE, PHONE_NAMES, is_similar
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_MORE_PHONES = re.compile(rf"{PHONE_NAMES}|тел\d*$")
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
_MAY_BE_AN_ENTRY = re.compile(r"[\d@]")
"""Matches names that may be the first entry of a list, such as ``sip25@example.com`` or ``7926O000001``."""


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
    found = [name for name in names if _MORE_PHONES.search(folded[name]) or is_similar(folded[name], PHONE)]
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
