"""Finds flags such as ``accepts_calls``: columns of a list that permit or forbid calls with yes and no.

The words of such a name are no closed list. So the values of all rows show that the column is a flag: it
contains only yes and no. A ``-`` in a permission is a no if another row has a ``+``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from enum import Enum
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import fold_name, shown_name, words_of
from airflow_provider_callapi.calls.lists.columns import is_result_column
from airflow_provider_callapi.calls.lists.objection_words import any_of, is_other_channel, kinds_of
from airflow_provider_callapi.calls.lists.objections import (
    NO_WORDS,
    SIGNS_OF_NO,
    Meaning,
    meaning_of,
    plain_text,
    spell,
)
from airflow_provider_callapi.calls.texts.empty_values import says_nothing
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


class Flag(Enum):
    """What a column says of calls, if it contains only yes and no."""

    PERMISSION = "the word no forbids the call"
    BAN = "yes and 1 forbid the call"
    CLEAR_PERMISSION = "the word no and 0 forbid the call: 0 is no count of calls"
    UNCERTAIN = "in a language of which only the word for calls is known"
    SIGNS = "certainly a permission, in which only + and - are new"


_CALLS = re.compile(any_of("calls? calling *telemarketing tcpa dial* telefonische* звон* обзвон* *anruf*"))
_TALK = re.compile(any_of("phone* telephon* tel связ* телефон*"))
"""Matches words that may also be about the phone number."""
_MAY = any_of(
    "allow* permi[ts]* want* wish* agree* ok okay may can хоч* хот* жела* разреш* можно erlaubt gestattet"
)
_MAY_CONTACT = re.compile(
    "{may}.* {contact}|{contact}.* {may}".format(may=_MAY, contact=any_of("contact* kontakt* контакт*"))
)
"""A contact often is an entry of a list, as in ``Участвует в экспорте контактов``."""
_BY_PHONE = re.compile(any_of("(?:by|via|over_the)_(?:tele)?phone phone_contact по_телефону"))
_OTHER_LANGUAGE = re.compile(
    any_of(
        "arama* aran* қоңырау* дзвін* дзвон* тэлефан* званк* званок q[oў]_?ng_?iroq* қўнғироқ* զանգ*",
        "დარეკ* ზარ* שיחה שיחות להתקשר appels? llamadas? chiamat[ae] telefonat[ae] połączeni* ligaç*",
    )
)
_WISH = re.compile(
    any_of(
        "allow* accept* permi[ts]* agree* authori* receiv* want* wish* ok okay may can enabled?",
        "eligible subscri* consent* хоч* хот* жела* получа* приним* участв* включ* подпис* доступ*",
        "разреш* можно ",
        "соглас* готов* erlaub* gestatt* gewünscht zulässig zustimm* einwillig* izin izni onay* згод*",
        "дозв[оі]л*",
        "можна рұқсат* келіс* rozi* ruxsat* mumkin համաձայն* თანხმ* הסכמה אישור",
    )
)
"""Matches words of a wish or a permission. A number in such a column is no count of calls."""
_DENIAL = re.compile(
    any_of(
        "exclud* except ban banned block* skip* avoid* suppress* disable* исключ* кроме *блок* отключ*",
        "выключ* пропуст* sperr* gesperrt *verbot* untersagt забарон* заборон* болмайды тыйым* emas",
    )
)
"""Matches the words of a ban that belong to no kind of `objection_words`."""
_NO_PAST = "дозв[оі]л|включ|подпис|соглас|разреш|доступ|нуж|исключ|отключ|выключ|блок|заблок|запре|если"
_NO_PAST_EN = "allow|accept|permit|agre|authori|want|wish|subscri|need|enabl|disabl|exclu|block|bann|skip"
_PAST = re.compile(
    any_of(
        rf"(?!{_NO_PAST_EN}|suppress)\w+ed made done back last first next second missed inbound",
        "incoming outbound outgoing record* test cent(?:er|re) log result outcome reason agent language",
        "script answer*",
        "conference video demo follow tracking warm холодн* тепл* менеджер*",
        rf"(?!{_NO_PAST})\w\w+(?:л|ла|ло|ли|лся|лась|лось|лись) (?!{_NO_PAST})\w+[еая]н[аоы]?",
        "созвон* перв* втор* послед* следующ* повтор* обратн* пропущ* входящ* исходящ* запис* тест*",
        "центр* колл результат* итог* причин* erfolgt getätigt letzter?",
    )
)
"""Matches words about single calls, such as ``дозвонились``, ``verified`` and ``first call``."""
_NO = re.compile(f"{NO_WORDS}|net|nie|never|ret|red")
_YES = re.compile(
    any_of("y yes on ok t true da x v да д х истина ja oui tak si sim иә так evet ha ҳа այո კი დიახ כן")
)
_ENDED = frozenset({"FORBID", "REFUSE", "GONE", "STOP", "OBJECTED"})
_GRANTED = frozenset({"ALLOW", "CONSENT", "CLEAR"})
_MARKS = {"✓": "yes", "✔": "yes", "☑": "yes", "✅": "yes", "+": "yes"} | dict.fromkeys(SIGNS_OF_NO, "no")


class CallFlags:
    """Finds the flags of a list, and their rows that forbid the call.

    :param used: names of columns, as `fold_name` returns them. The author's call uses these columns.
    """

    def __init__(self, used: Set[str] = frozenset()) -> None:
        self._used = used
        self._line: dict[str, int] = {}
        """Column → the first row in which it says yes or no."""
        self._others: set[str] = set()
        """The columns with another value than yes or no."""
        self._has_plus: set[str] = set()

    def add(self, row: Mapping[str, Any], line: int) -> list[str]:
        """Record the values of a row. Return the columns that forbid the call, if `is_flag` says so later.

        :param row: the row: column → value.
        :param line: the number of the row in the list.
        """
        doubts: list[str] = []
        for name, flag in _flags_of(tuple(row), self._used):
            text = plain_text(row[name])
            if flag is Flag.SIGNS:
                self._has_plus |= {name} if text == "+" else set()
                doubts += [name] if text in ("-", "–", "—") else []
                continue
            answer = _answer(text, flag)
            if answer is None:
                self._others.add(name)
            elif answer:
                self._line.setdefault(name, line)
                doubts += [name] if answer == ("yes" if flag is Flag.BAN else "no") else []
        return doubts

    def is_flag(self, name: str) -> bool:
        """Return whether a column is a flag. Before this, the caller must `add` all rows."""
        return name in self._has_plus or (name in self._line and name not in self._others)

    def refuse(self) -> None:
        """Raise an error if it is not certain whether the word no in a flag forbids calls.

        :raises ListUnreadable: the name is in a language of which only the word for calls is known. The
            error message names the column and a row.
        """
        for name, line in self._line.items():
            if name not in self._others and flag_of(str(name)) is Flag.UNCERTAIN:
                raise ListUnreadable(
                    f"the column {shown_name(name)} seems to permit or forbid calls, see row {line}, but it "
                    "is not certain which. Name it call_allowed or do_not_call. If it is something else, "
                    "give it a name without a word for calls"
                )


@lru_cache(maxsize=256)
def _flags_of(names: tuple[str, ...], used: Set[str]) -> list[tuple[str, Flag]]:
    return [(name, flag) for name in names if fold_name(name) not in used and (flag := flag_of(str(name)))]


@lru_cache(maxsize=1024)
def flag_of(name: str) -> Flag | None:
    """Return what a column says of calls if it contains only yes and no. None: its name says nothing."""
    if meaning := meaning_of(name):
        return Flag.SIGNS if meaning is Meaning.PERMISSION else None
    spellings = spell(name)
    if is_other_channel(" ".join(spellings)) or is_result_column(name):
        return None
    return next(filter(None, map(_flag_of_words, spellings)), None)


def _flag_of_words(words: str) -> Flag | None:
    is_known = _CALLS.search(words) is not None
    is_other = _OTHER_LANGUAGE.search(words) is not None
    is_talk = bool(_TALK.search(words) or _MAY_CONTACT.search(words))
    is_talk = is_talk and not is_other_channel(_TALK.sub("", words))
    kinds = kinds_of(words).split()
    if not (is_known or is_other or is_talk) or _PAST.search(words) or "ABOUT" in kinds:
        return None
    has_wish = _WISH.search(words) is not None or _BY_PHONE.search(words) is not None
    bans = len(_DENIAL.findall(words)) + sum(map(_ENDED.__contains__, kinds))
    denials = bans + sum(map({"DONT", "NO"}.__contains__, kinds))
    if not (is_known or has_wish or (denials if is_other else bans)):
        return Flag.UNCERTAIN if is_other else None  # no phone: yes
    if denials % 2:
        return Flag.BAN
    return Flag.CLEAR_PERMISSION if has_wish else Flag.PERMISSION


@lru_cache(maxsize=1024)
def _answer(text: str, flag: Flag) -> str | None:
    """Return ``yes``, ``no``, or an empty text if a value says nothing. None: it is another value."""
    words = words_of(text)
    if says_nothing(text):
        return ""
    if not words:
        return _MARKS.get(text.strip())
    if words in ("0", "1", "0 0", "1 0"):
        is_number_fine = flag in (Flag.BAN, Flag.CLEAR_PERMISSION)
        return ("no", "yes")[words[0] == "1"] if is_number_fine else None
    kinds = frozenset(kinds_of(words).split())
    if _NO.fullmatch(words) or (kinds and kinds <= _ENDED):
        return "no"
    if _YES.fullmatch(words) or (kinds and kinds <= _GRANTED):
        return "yes"
    return None
