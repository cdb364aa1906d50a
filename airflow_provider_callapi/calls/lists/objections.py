"""Judges whether the name of a column, or a text in a row, is about an objection to calls."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.calls.lists.column_names import spellings_of, words_of
from airflow_provider_callapi.calls.lists.objection_words import BY_PHONE, any_of, is_other_channel, kinds_of
from airflow_provider_callapi.calls.texts.empty_values import SIGNS_AROUND, says_nothing


class Meaning(Enum):
    """What the values of a column mean for a call, judged by the name of the column."""

    BAN = "each value other than no forbids the call"
    HOURS = "a date forbids the call, but an hour of the day does not"
    PERMISSION = "the value no forbids the call"


_CLEAR = frozenset({"CONSENT", "CLEAR"})
"""The kinds of names such as ``consent`` and ``not on the stop list``."""
_ENDED = frozenset({"REFUSE", "FORBID", "GONE", "STOP", "OBJECTED"})
_DENIALS = _ENDED | {"DONT", "NO"}
"""What makes a consent a ban, wherever it stands in a name."""

_OTHER_CONSENT = (
    "photo* video* parent* treatment form insurance paperless terms fotos? datenschutz* agb фото* видео*"
    " родител* лечен* медиц* операц* экскурс* вакцин* списани* доставк* бки страхов* услови*"
)
_OTHER = re.compile(any_of(_OTHER_CONSENT))
_WITHDRAWN = re.compile(any_of("withdr* revok* revoc* отзыв* отозв* аннулир* widerruf*"))
_CONSENT_GONE = re.compile(r"GONE (?:[^\W_A-Z]+ )?CONSENT\b|\bCONSENT (?:[^\W_A-Z]+ )?GONE")
"""Matches the kinds of a text such as ``отозвал согласие``."""
_NO_CALLS = re.compile(any_of("no_(?:more_)?(?:phone_)?calls?"))
"""Matches a whole clause. In a longer one, as in ``no calls yet``, it may mean anything."""
_UNTOLD = re.compile(
    any_of(
        "number* dates? time hours? ids? version* номер* дат[аы] время часы верси*",
        "data personal данных пдн опд обработк*",
        _OTHER_CONSENT,
    )
)
"""Matches words of a column that does not tell whether calls are allowed, such as ``consent date``."""

_BESIDE = re.compile(
    any_of(
        "is has was flag дата date признак status статус клиент* client customer в at of on since",
        "(?:внесения|добавления|занесения|включения|попадания)",
    )
)
_PERSON_BANNED = (
    "стоп чс отписк[аи] отписал(?:ся|ась) несоглас(?:ен|на|ие) умер(?:ла|ший)? скончал* смерти death died"
    " deceased dead dnd tps robinson suppress(?:ed|ion)? object(?:ed|ion) excluded? blocked banned"
    " заблокирован[ао]? no_(?:phone_)?calls? no_marketing(?:_calls?)? (?:can_?not|cant)_(?:be_)?call(?:ed)?"
)
_DIED = re.compile(any_of("умер(?:ла)? скончал(?:ся|ась) died deceased") + r"(?: \d+)*")
"""Matches a whole clause. In a longer one, somebody else may have died."""
_BAN_TAG = re.compile(any_of(_PERSON_BANNED))
"""Matches a whole tag that says of a person that no one may call. ``отказ`` may be the status of an order."""
_BAN_ALONE = re.compile(any_of(_PERSON_BANNED, "запрет отказ(?:а|ался|алась|ались)? refused declined"))
_TAGS = re.compile(
    any_of(
        "status* статус* type тип tags? тег[аи]? метк[аи] labels? segment* сегмент* groups? групп[аы]",
        "lists? список category категория disposition lifecycle",
    )
)
"""Matches a word in the name of a column that sorts people."""
_BETWEEN_TAGS = re.compile(r"[,;|]")
_PERMISSION_ALONE = re.compile(any_of("звонить обзванивать обзвон (?:can|to)_(?:be_)?call(?:ed)? call_ok"))
"""Like `_BAN_ALONE`, this matches a whole name without the words beside it.

In a longer name, the words may mean anything.
"""

NO_WORDS = "n|no|not|off|f|false|н|не|нет|ложь|nein|non|жоқ|ні|hayır|yo ?q|ոչ|არა|לא"
"""A regular expression: the words that mean no, whatever the column means."""
_LINK = re.compile(r"\S+(?:://|@)\S+")
_NO_OR_NOT_ON_LIST = re.compile(
    rf"0+(?:[.,]0*)?|{NO_WORDS}|[-–—\s☐]*|allowed|разрешено|звонить|можно|clear|clean|ok"
    r"|отсутствует|not (?:on|in|listed|registered)(?: .*)?|no restrictions?|нет ограничений"
    rf"|{_LINK.pattern}"
)
"""Matches values that do not affirm the name of their column, such as no, and links."""
_NO_ANSWER = re.compile(rf"(?:0+(?: 0+)?|(?:{NO_WORDS}|kein|keine|nicht|never|никогда)(?! \d))(?: .*|$)")
"""Matches the words of a value that begins with no."""
_YES_ANSWER = re.compile(any_of("да yes y true есть given дано ja иә 1"))
_NO_LIMIT = re.compile(
    any_of(
        "не_ран* не_поз* не_важно не_требуется не_указан* нет_данных not_required",
        "(?:no|нет)_(?:limit|restriction|objection|огранич)*",
    )
)
"""Matches the words of a value that begins with no, and does not deny a consent."""
_REJECTS = re.compile(any_of("reject* disagree* block* stop отклон* возража* стоп"))
_ONLY = re.compile(any_of("only только"))
_SOFT_SIGN_LOST = re.compile(r"\b(звонит|беспокоит|тревожит)\b")
"""In Latin letters, ``звонить`` often becomes ``zvonit``."""
_KIND = re.compile("[A-Z]")  # words are in lower case
SIGNS_OF_NO = "✗✘✖×☐☒❌❎🚫"
_SIGN_OF_NO = re.compile(f"[{SIGNS_OF_NO}]")
_SIGNS_AROUND = f"{SIGNS_AROUND}."
_NAMED_VALUE = re.compile(r"([^,;:=?()]+)(?:\s*[:=?]+\s*|\s+[-–—]\s+)([^,;:=?()]+)")
"""Matches a name and a value in a text, such as ``Согласие на звонки: нет``."""
_IS_NO = re.compile(
    f"{NO_WORDS}|0|"
    + any_of("не_(?:дан[оа]?|дал[аи]?|получен[оа]?|подписан[оа]?) not_(?:given|granted|received)")
)
_CLAUSE = re.compile(r"[,;:()]|\. | [-–—] ")
_HOUR = r"(?:[01]?\d|2[0-4])(?::[0-5]\d|\.(?:00|1[3-9]|[2-5]\d))?"  # 10.05 may be a date
_HOURS = re.compile(rf"(?<![\d./-]){_HOUR}(?: ?[-–—] ?{_HOUR})?(?![\d/]|[.-]\d)")
"""Matches hours of the day, such as ``9.30`` and ``22:00-08:00``."""
_LONGER = re.compile(
    r"\b(?:янв|фев|мар|апр|ма[йя]\b|июн|июл|авг|сен|окт|ноя|дек|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    r"|дней|дни\b|days?|недел|weeks?|месяц|мес\b|months?|год|лет\b|years?|числ)|\d\W?(?:st|nd|rd|th|е|го)\b"
)
"""Matches the words of dates and of times longer than a day: ``5 March``, ``2 weeks``."""
_HOURS_ONLY = re.compile(rf"(?:с |from )?{_HOUR}(?: ?[-–—] ?| до | to | till | until ){_HOUR}(?: мск)?")
_BITS = {0: "0", 1: "1"}
_HAS_DIGIT = re.compile(r"\d")
_PART_OF_OBJECTIONS = re.compile(
    r"call|contact|consent|dial|disturb|d[\W_]*n[\W_]*c|opt|unsubscri|black|stop|phone|robinson|sperr|angerufen|anrufe|қоңырау|хабарлас|мазала|widerspr|verbot|appeler|llamar|einwill|zustimm|згод|rozil|izni|розил|сконч|died|deceased|kara|qora|қара|чс\W|умер|aramay|aran|iro[qқ]|ироқ"
    r"|marketing|communic|зв|связыва|клист|беспок|тревож|набир|стоп|сп[иі]с|опт|отпис|соглас|телефонув|тэлефан|общ|контакт|коммуник|реклам"
    r"|zv|svyazyva|klist|bespok|trevo|nabir|sp[iі]s|otpis|soglas|telefonuv|telefan|obs|kontakt|kommunik|reklam|abarlas|mazala"
)
_UNUSUAL = re.compile("[^ -~Ѐ-ӿ№«»…–—]|[a-z][а-я]|[а-я][a-z]")
"""Each text with an objection matches one of these two. Most other texts match none: a quick answer."""
_LONGEST_OBJECTION = 120
"""How many characters a text with an objection may have. A longer text may tell anything."""


@lru_cache(maxsize=1024)
def meaning_of(name: str) -> Meaning | None:
    """Return what the values of a column mean for a call. None: the column says nothing of calls.

    :param name: the name of the column. Inside of an object, also the names of the fields.
    """
    spellings = spell(name)
    if is_other_channel(" ".join(spellings)):
        return None
    return next(filter(None, map(_meaning_of_words, spellings)), None)


def _meaning_of_words(words: str) -> Meaning | None:
    alone = " ".join(_BESIDE.sub("", words).split())
    kinds = kinds_of(words)
    met = set(kinds.split())
    if _BAN_ALONE.fullmatch(alone) or ("STOP" in met and "ABOUT" not in met) or "OBJECTED" in met:
        return Meaning.BAN
    if "HOURS" in met:
        return Meaning.HOURS
    if "CONSENT" in met and met & _DENIALS:
        return Meaning.BAN
    if _PERMISSION_ALONE.fullmatch(alone):
        return Meaning.PERMISSION
    is_permission = not met.isdisjoint(_CLEAR) and "ABOUT" not in met and not _UNTOLD.search(words)
    return Meaning.PERMISSION if is_permission else None


@lru_cache(maxsize=1024)
def forbids(meaning: Meaning, text: str) -> bool:
    """Return whether a value of a column with a meaning forbids the call.

    :param text: the value in plain characters and lower case.
    """
    if meaning is Meaning.PERMISSION:
        return _denies(text)
    plain = text.strip(_SIGNS_AROUND)
    if _says_no(plain) or kinds_of(words_of(plain)) in _CLEAR:
        return False
    is_range = _HOURS_ONLY.fullmatch(plain) is not None  # dnd = 22:00-08:00
    return not is_range if meaning is Meaning.BAN else _is_date(plain)


def _says_no(text: str) -> bool:
    """Return whether a value does not affirm the name of its column, such as ``нет`` or ``не указано``."""
    words = words_of(text)
    # A sign such as ? is no word: it may affirm the name.
    is_no = _NO_OR_NOT_ON_LIST.fullmatch(text) or (
        words and (_NO_OR_NOT_ON_LIST.fullmatch(words) or says_nothing(text))
    )
    return bool(is_no)


def _denies(text: str) -> bool:
    """Return whether a value says no, or that a consent ended: ``нет``, ``отозвано 01.02``, ``❌``."""
    if _SIGN_OF_NO.search(text):
        return True
    clauses = [words_of(clause) for clause in _CLAUSE.split(text)]
    affirms = _YES_ANSWER.match(clauses[0]) is not None
    for words in clauses:
        kinds = kinds_of(words).split()
        is_no = _NO_ANSWER.fullmatch(words) and kinds[:1] != ["ALLOW"] and not _NO_LIMIT.match(words)
        is_other = _ONLY.search(words) and is_other_channel(words)  # sms only
        if (is_no and not affirms) or is_other or _REJECTS.search(words) or not _ENDED.isdisjoint(kinds):
            return True
    return False


def is_objection(name: str, text: str) -> bool:
    """Return whether a value is a short text with an objection to calls, such as ``VIP, do not call``.

    Single words that may mean something else, such as ``стоп``, are no objection.

    :param name: the name of the column. In the column ``email status``, a text may be about e-mails.
    """
    if len(text) > _LONGEST_OBJECTION:
        return False
    folded = text.casefold()
    if not (_PART_OF_OBJECTIONS.search(folded) or _UNUSUAL.search(folded)):  # a quick answer
        return False
    if not _objects(text):
        return False
    return not is_other_channel(words_of(name)) or any(map(BY_PHONE.search, spell(text)))


@lru_cache(maxsize=4096)
def _objects(text: str) -> bool:
    text = _LINK.sub("", text)
    for named in _NAMED_VALUE.finditer(text):
        is_forbidden = _forbids_named(named[1], named[2])
        if is_forbidden:
            return True
        if is_forbidden is False:
            text = text.replace(named[0], "")
    clauses = _CLAUSE.split(text)
    for clause, following in zip(clauses, [*clauses[1:], ""], strict=True):
        spellings = spell(clause)
        if is_other_channel(" ".join(spellings)):
            continue  # unsubscribed from emails
        kinds = next(filter(_KIND.search, map(kinds_of, spellings)), "").split()
        is_denied = following and _says_no(following.strip(_SIGNS_AROUND))  # stop list: no
        if "STOP" in kinds or ("OBJECTED" in kinds and not is_denied):
            return True
        if any(map(_wants_no_calls, spellings)) and not is_denied:
            return True
        if "HOURS" in kinds and _HAS_DIGIT.search(text) and _is_date(text):
            return True
    return False


def _forbids_named(name: str, value: str) -> bool | None:
    """Return whether a name and a value in a text forbid calls. None: perhaps they are no name and value."""
    meaning, words = meaning_of(name.strip()), words_of(value)
    kinds = kinds_of(words).split()
    is_no = _IS_NO.fullmatch(words) is not None
    is_ended = bool(kinds) and all(kind in _ENDED or kind.isdigit() for kind in kinds)
    if meaning is Meaning.PERMISSION and (is_no or is_ended):
        return True
    if meaning is Meaning.BAN and (is_no or _YES_ANSWER.fullmatch(words)):
        return not is_no
    return None


def _wants_no_calls(words: str) -> bool:
    if _NO_CALLS.fullmatch(words) or _DIED.fullmatch(words):
        return True
    is_gone = _WITHDRAWN.search(words) and _CONSENT_GONE.search(kinds_of(words))
    return bool(is_gone) and not _OTHER.search(words)


@lru_cache(maxsize=1024)
def has_tags(name: str) -> bool:
    """Return whether the name of a column tells that its values sort people, such as ``Теги``."""
    words = words_of(name)
    return _TAGS.search(words) is not None and not is_other_channel(words)


@lru_cache(maxsize=1024)
def has_ban_tag(text: str) -> bool:
    """Return whether one of the tags in a text means that no one may call the person: ``vip, чс``."""
    return any(_BAN_TAG.fullmatch(words_of(tag)) for tag in _BETWEEN_TAGS.split(text))


def plain_text(value: Any) -> str:
    """Return the text of a plain value in lower case, without a full stop. A bit of a database is 0 or 1."""
    if value is None:
        return ""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return fold(text.translate(_BITS)).strip().casefold().removesuffix(".")


def spell(text: str) -> list[str]:
    """Return the words of a text. If they may be Russian words in Latin letters, also in Russian letters."""
    words, *russian = spellings_of(text)
    return [words, *(_SOFT_SIGN_LOST.sub(r"\1ь", each) for each in russian)]


def _is_date(text: str) -> bool:
    """Return whether a text is a date, or contains no number. Only digits in the form of hours are hours."""
    beside = _HOURS.sub("", text)
    return beside == text or _HAS_DIGIT.search(beside) is not None or _LONGER.search(text) is not None
