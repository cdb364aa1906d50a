"""A row is not called if a column of it forbids the call, or has an extension."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists import objection_words, objections
from airflow_provider_callapi.calls.lists.columns import fold_name
from airflow_provider_callapi.calls.lists.contradicting_columns import find_contradictions

EXTENSIONS = pytest.mark.parametrize(
    "name",
    [
        *("доб.", "добав.", "Добавочный номер", "доп.", "вн.", "внутр.", "Внутренний номер", "тел. вн."),
        *("ext", "extn", "Extension", "phone ext", "dob_nomer", "tel_ext", "office ext", "номер доб"),
        *("добавочн.", "добавочный (если есть)", "№ доб.", "internal number", "Durchwahl"),
        *("короткий номер", "short number", "тоновый набор", "донабор", "DTMF", "вн. тел.", "pbx"),
    ],
)
BANS = pytest.mark.parametrize(
    "name",
    [
        *("не звонить", "Не звонить?", "не звонить (да/нет)", "Не звонить!", "не звонить 1", "Не беспокоить"),
        *("Клиент просил не звонить", "не набирать", "не обзванивать", "не зв\u006fнить", "ne_zvonit"),
        *("Do not call", "do_not_call", "do_not_call_flag", "Don't call", "do not contact", "no calls"),
        *("do-not-call (Y/N)", "doNotCall", "no_phone_calls", "dont dial", "dnd"),
        *("DNC", "is_dnc", "DNC flag", "DNC status", "client_dnc", "added to dnc", "dnc since"),
        *("opt-out", "opted_out", "opt_out_date", "call_opt_out", "optOut", "unsubscribed", "blacklisted"),
        *(
            "Стоп-лист",
            "стоп",
            "В стоп-листе",
            "Чёрный список",
            "в черном списке",
            "ЧС",
            "отписан",
            "отписался",
        ),
        *("Согласие отозвано", "Дата отзыва согласия", "Не согласен", "нет согласия", "Без согласия"),
        *("consent_withdrawn", "consent_revoked_at", "no_consent", "not_callable", "calls not allowed"),
        *("звонки не разрешены", "not_opted_in", "consent_denied", "Отказ от согласия", "согласие истекло"),
        *(
            "consent_opt_out",
            "разрешение на звонки отозвано",
            "cannot call",
            "can not be called",
            "ne_soglasen",
        ),
        *(
            "Отказ",
            "Дата отказа",
            "Отписка",
            "Unsubscribe",
            "незвонить",
            "не надо звонить",
            "звонить не надо",
        ),
        *(
            "d.n.c.",
            "опт-аут",
            "Nezvonit",
            "nocalls",
            "StopCall",
            "donotphone",
            "Запрет контактов",
            "objected",
        ),
        *("Запрет на коммуникации", "suppressed", "В ЧС", "DNCR", "TPS", "Robinsonliste", "Keine Anrufe"),
        *("Nicht anrufen", "Nicht mehr anrufen", "Anrufverbot", "Werbewiderspruch", "Қоңырау шалмау"),
        *("consent lifted", "deny consent", "consent revocation", "out of consent", "согласие аннулировано"),
        *("согласие просрочено", "согласие недействительно", "согласие неактуально", "согласие исключено"),
        *("срок согласия истек", "isn't opted in", "consent: non", "never consented", "запрет", "смерти"),
        *(
            "Дата смерти",
            "несогласие",
            "скончалась",
            "declined",
            "dead",
            "no marketing",
            "No marketing calls",
        ),
        *(
            "objects to calls",
            "object to calling",
            "refused telemarketing",
            "не нужны звонки",
            "звонки не нужно",
        ),
        *("ne pas appeler", "no llamar", "не дзвонити", "Умер", "deceased", "не\u200bзвонить", "dnc_until"),
        *("не звонить до оплаты", "Не звонить с рекламой", "не звонить после отказа", "жалоба на звонки"),
        *("запрет звонков", "нельзя звонить", "Запрет на обзвон", "звонки запрещены", "отказ от звонков"),
    ],
)
PERMISSIONS = pytest.mark.parametrize(
    "name",
    [
        *(
            "call_allowed",
            "can be called",
            "Consent",
            "call_consent",
            "consent to calls",
            "opt-in",
            "opted_in",
        ),
        *("Согласие", "согласие на звонки", "Согласие на обзвон (да/нет)", "можно звонить", "soglasie"),
        *("разрешено звонить", "согласен", "marketing_consent", "permission_to_call", "contactable"),
        *("Звонить", "Обзвон", "call_ok", "ok_to_call", "marketing_allowed", "allow_marketing", "can_call"),
        *("optin", "optedin", "с согласием", "согласна", "согласился", "обзванивать", "okay to call"),
        *("permitted to call", "calls permitted", "permits marketing"),
        *("Нет в стоп-листе", "not_in_stoplist", "не отписан", "not on DNC", "consent not withdrawn"),
        *("согласие не отозвано", "звонки не запрещены", "нет запрета на звонки"),
        *("Einwilligung", "Zustimmung zu Anrufen", "Einverständnis", "Келісім"),
    ],
)
HOURS = pytest.mark.parametrize(
    "name",
    ["Не звонить до", "do_not_call_until", "не звонить с", "do not call before", "не беспокоить после"],
)
OTHERS = [
    *(
        "stop",
        "Stop 1",
        "No. calls",
        "calls",
        "не звонили",
        "Не звонил",
        "not called",
        "never called",
        "Звонил",
    ),
    *("Einwilligung Foto", "Einwilligung Datenschutz", "Келісімшарт"),
    *("VN", "доп", "text", "next call", "дата добавления", "May", "comment", "next", "stops", "consent date"),
    *("внутренний код", "contact", "номер согласия", "канонический адрес", "status", "Жалоба", "object"),
    *(
        "Согласие на обработку персональных данных",
        "email consent",
        "email_opt_out",
        "sms_opt_out",
    ),
    *("HasOptedOutOfFax", "Отписан от рассылки", "whatsapp_optin", "push_opt_in", "newsletter_consent"),
    *("telegram_consent", "Согласие с офертой", "cookie_consent", "do_not_email", "mail_blacklist"),
    *(
        "Проверен по стоп-листу",
        "dnc_checked_at",
        "dnc_check",
        "dnc_removed_at",
        "стоп-лист снят",
        "dnc_count",
    ),
    *("Согласие на фото", "parental consent", "Consent to treatment", "DNC Scrub Date", "rejected_calls"),
    *("opt_out_link", "opt_out_text", "unsubscribe_url", "consent_source", "consent_version", "dnc source"),
    *("Причина отказа", "Отказ от покупки", "отзыв клиента", "payment_declined", "Отменён", "card_expired"),
    *(
        "Разрешённое время звонка",
        "Согласовано",
        "sms_allowed",
        "Запрещённые товары",
        "без звонка",
        "no_phone",
    ),
    *("Перезвонить", "callback", "call_result", "call_why", "last_call", "marketing_source", "Контакты"),
    *("Страна тура", "country of origin", "area code", "код клиента", "promo_code", "country_id"),
]
"""The names of columns that say nothing of a call."""
NOTHING = (
    *("Clear", "OK", "Not on list", "отсутствует", "не установлен"),
    None,
    "",
    " ",
    0,
    0.0,
    "0",
    "00",
    Decimal("0.00"),
    False,
    "Нет",
    "нет.",
    "no",
    "-",
    "--",
    [],
    {},
    "none",
    "N/A",
    "unknown",
    *("нeт", '"нет"', "(нет)", "нет!", b"\x00", "можно звонить", "https://example.com/opt-out"),
)


WORDS = ("доб. 12", "ext 12", "x12", "*12", "№12", "12,13", "12 или 13", "12 (после 10)", "p12", ["12"])
"""Values that name an extension with further signs or words."""


def row(name: str, value: Any) -> dict[str, Any]:
    return {"phone": "79260000001", name: value}


def ban(name: str, value: Any, used: Set[str] = frozenset()) -> str | None:
    return find_contradictions(row(name, value), "RU", used).ban


def extension(name: str, value: Any, used: Set[str] = frozenset()) -> str | None:
    return find_contradictions(row(name, value), "RU", used).extension


@EXTENSIONS
@pytest.mark.parametrize("value", ["12", 12, 123456.0, " 1234 ", "#7", "012", *WORDS])
def test_a_number_with_an_extension_in_another_column_is_not_called(name: str, value: Any) -> None:
    assert "extension" in str(extension(name, value))


def test_an_extension_that_the_call_uses_is_another_persons() -> None:
    assert extension("Ext.", "12", frozenset({"ext"})) is None


@BANS
def test_a_row_that_forbids_the_call_is_not_called(name: str) -> None:
    for value in ("да", "yes", 1, True, "x", "по просьбе", "2026-01-01", ["mon"], "✓", "+", b"\x01"):
        reason = str(ban(name, value))
        assert "forbid" in reason, value
        assert str(value) not in reason.replace(name, "")


DENIALS = (
    *(
        "нет",
        "Нет.",
        "Нет!",
        "нет, отозвано",
        "no (2020)",
        "no",
        "N",
        "off",
        "отсутствует",
        "отказ",
        "✗",
        "☐",
    ),
    *(
        0,
        0.0,
        "0",
        "0,0",
        False,
        "false",
        b"\x00",
        "против",
        "запрещено",
        "❌",
        "🚫",
        "disabled",
        "withdrawn",
    ),
    *("rejected", "отклонено", "disagree", "возражаю", "blocked", "stop", "стоп", "sms only", "☒"),
    *("revoked", "никогда", "истекло", "nein", "нeт", '"нет"', "(нет)", "да, но отозвано", "не согласен"),
)


@PERMISSIONS
def test_a_row_that_does_not_permit_the_call_is_not_called(name: str) -> None:
    for value in DENIALS:
        assert "forbid" in str(ban(name, value)), value


@PERMISSIONS
def test_a_row_that_permits_the_call_or_says_nothing_may_be_called(name: str) -> None:
    limits = (
        "не раньше 10",
        "нет ограничений",
        "не указано",
        "no objection",
        "да (нет скана)",
        "не требуется",
    )
    for value in limits:
        assert ban(name, value) is None, value
    permits = ("да", "yes", 1, True, "2026-01-01", "норма", "nothing is known", "не отозвано", "устное")
    for value in (*permits, None, "", "-"):
        assert ban(name, value) is None, value


@pytest.mark.parametrize("value", NOTHING)
def test_a_value_that_means_nothing_forbids_nothing(value: Any) -> None:
    assert ban("не звонить", value) is None
    assert extension("доб.", value) is None


@pytest.mark.parametrize(
    "name",
    ["ext_id", "file ext", "image_ext", "ext price", "contract extension", "Extension date", "доб. инфо"],
)
def test_a_column_with_another_word_has_no_extension(name: str) -> None:
    assert extension(name, "15") is None


@pytest.mark.parametrize("name", OTHERS)
def test_other_columns_contradict_nothing(name: str) -> None:
    for value in ("да", "1", "12", "нет", 3, 0, date(2026, 1, 1)):
        assert ban(name, value) is None, value
        assert extension(name, value) is None, value


def test_an_extension_has_few_digits() -> None:
    for name, value in (("ext", "a-long-reference"), ("доп. тел.", "79260000002")):
        assert ban(name, value) is None
        assert extension(name, value) is None


@pytest.mark.parametrize(
    "value", ["не звонить", "не беспокоить", "no calls please", "нет звонков", "off-limits"]
)
def test_a_value_that_begins_with_no_may_forbid_the_call(value: str) -> None:
    assert ban("примечание: не звонить", value) is not None


@HOURS
def test_a_date_from_or_to_which_no_one_may_call_forbids_the_call_but_an_hour_does_not(name: str) -> None:
    dates = ("31.12.2027", "2027-12-31", "1.2.", date(2027, 12, 31), datetime(2027, 1, 1), 46022, "5 марта")
    more = (
        "12/31/26",
        "31-12-26",
        "1-3-27",
        "31-Dec-26",
        "5 March",
        "Mar 5",
        "5-мар-26",
        "15 числа",
        "30 days",
    )
    for value in (*dates, *more, "2 недели", "1st May", "10.05", "да", "особого распоряжения"):
        assert ban(name, value), value
    for hour in (
        "10:00",
        "9.30",
        "20.00",
        18,
        "18",
        "10 утра",
        "9-12",
        "9:00 – 18:30",
        "с 9 до 18",
        time(10),
        None,
        "",
        "нет",
    ):
        assert not ban(name, hour), hour


OBJECTIONS = [
    *("asked not to be called", "must not be called", "does not want to be called", "No phone calls please"),
    *("без звонков, пожалуйста", "звонок не нужен", "прекратите звонить", "не согласна на звонки"),
    "Клиент 12.03 попросил больше никогда ему не звонить, грозил жалобой",
    *("Не звонить", "do not call", "do_not_call", "VIP, стоп-лист", "opted out", "чёрный список", "dnc"),
    *(
        "просил не звонить",
        "НЕ ЗВОНИТЬ!!!",
        "Анна (не звонить)",
        "нe звoнить",
        "ne zvonit",
        "отказ от звонков",
    ),
    *("не звонить до 31.12.2027", "не интересно, не звонить", "больше не звоните", "blacklisted", "отписан"),
    *("не хочет звонков", "звонить не надо", "отменён, в стоп-листе", "нельзя звонить", "запрет на обзвон"),
]
HARMLESS = [
    *(
        "согласие отозвано",
        "нет согласия на рассылку",
        "согласие на звонки не отозвано",
        "согласие на звонки",
    ),
    *(
        "consent to calls given",
        "нет связи",
        "не связались",
        "удалён из базы",
        "отписка от рассылки",
        "no consent",
    ),
    *("стоп", "DND", "ЧС", "Отказ", "отказ от доставки", "не звонили", "телефон не звонит", "не дозвонились"),
    *("не отписан", "нет в стоп-листе", "not on dnc", "снят со стоп-листа", "проверен по стоп-листу"),
    *("не звонить до 10:00", "не звонить с 9 до 18", "do not call before 9 am", "не звонить после 20.00"),
    *("отписан от рассылки", "unsubscribed from emails", "dnc@example.com", "https://example.com/opt-out"),
    *("did not call", "cannot contact", "call me, not the office", "нет звонков", "без звонка", "no answer"),
    *(
        "не против звонка",
        "можно звонить",
        "opted in",
        "Контакт состоялся, отказ",
        "заказ отменён",
        "Robinson",
    ),
    *(
        "просил перезвонить",
        "звонить после 10",
        "refused delivery",
        "Анна",
        "",
        "[1, 2",
        "{{ name }}",
        "Texas",
    ),
    *("Несогласована", "Несогласна с ценой, думает", "Клиент отписался, ждёт звонка", "Незвонова Анна"),
    *(
        "не звонить в домофон",
        "не звонить до обеда",
        "отказ по звонку",
        "отказ после звонка",
        "not called yet",
    ),
    *(
        "стоп-лист: нет",
        "DNC: no",
        "в стоп-листе нет",
        "не состоит в чёрном списке",
        "удалён из чёрного списка",
    ),
    *(
        "a longer text in which do not call may mean anything, because it tells of other people, " * 2,
        "Stop",
    ),
]


@pytest.mark.parametrize("value", OBJECTIONS)
def test_a_short_text_with_an_objection_forbids_the_call_in_any_column(value: str) -> None:
    for name in ("Статус", "tags", "Комментарий", "name", "call_result"):
        assert ban(name, value)
        assert ban(name, ["vip", value])
        assert not ban(name, value, used=frozenset({fold_name(name)})), "the call speaks the text"


@pytest.mark.parametrize(
    "words",
    [
        *(
            "нет согласия на звонки",
            "без согласия на обзвон",
            "отзыв согласия на звонки",
            "no consent to calls",
        ),
        *(
            "не даёт согласия на звонки",
            "согласие на звонки отозвано",
            "call consent withdrawn",
            "no call consent",
        ),
        *(
            "не согласен на рекламные звонки",
            "несогласна на звонки",
            "consent to calls: revoked, dnc",
            "блэклист",
        ),
        *("не связываться", "не контактировать", "don't ever call", "do not ever call", "отписка от звонков"),
        *("исключить из обзвона", "удалена из базы обзвона", "remove from the call list", "в блеклисте"),
        *("не связывайтесь", "не контактируйте", "убрать из списка обзвона", "withdrew his consent to calls"),
        *("optout", "optedout", "donotcall", "donotcontact", "dont phone", "no more calls", "wants no calls"),
        *(
            "not to be contacted",
            "отозвала согласие на обзвон",
            "не желает получать звонки",
            "не хочу звонков",
        ),
        *("хотят, чтобы не звонили, никаких звонков", "не хотят звонков", "не следует звонить", "не звони"),
        *(
            "не беспокойте",
            "не тревожьте",
            "не надо названивать",
            "запрещены контакты",
            "no need of communications",
        ),
        *(
            "dnc",
            "DNCR",
            "d.n.c.",
            "opt-out",
            "OptedOut",
            "опт-аут",
            "Unsubscribed",
            "black list",
            "stoplist",
        ),
        *(
            "DoNotCall",
            "dontcall",
            "do not phone",
            "nocalls",
            "stop calls",
            "uncallable",
            "не согласна, отписана",
        ),
        *(
            "незвонить",
            "оптаут",
            "Стоплист",
            "чёрном списке",
            "Robinsonliste",
            "Werbesperre",
            "Keine Anrufe",
            *(
                "Bitte nicht mehr anrufen!",
                "Möchte nicht angerufen werden",
                "қоңырау шалмаңыз",
                "мазаламаңыз",
            ),
        ),
        *(
            "ne pas appeler",
            "no llamar",
            "не дзвонити",
            "не телефонувати",
            "do not contact",
            "do not disturb",
        ),
        *(
            "не беспокоить",
            "не тревожить",
            "не набирать",
            "не обзванивать",
            "нет, не перезванивать",
            "no wish for calls",
        ),
        *(
            "no need for marketing",
            "отказ от коммуникаций",
            "запрет контактов",
            "отказ от рекламы",
            "ne_zvonit",
        ),
        *(
            "D_N_C",
            "ne telefonuvati",
            "ne bespokoit",
            "ne trevozhit",
            "otkaz ot reklamy",
            "v chernom spiske",
            "не\u200bзвонить",
        ),
    ],
)
@pytest.mark.parametrize("form", [str, str.upper, "VIP, {}.".format, "({})".format, "\u00a0{} ".format])
def test_each_word_of_an_objection_is_found_in_a_text(words: str, form: Any) -> None:
    assert ban("comment", form(words))


_WORDS = {kind: st.from_regex(pattern, fullmatch=True) for kind, pattern in objection_words._PATTERNS}
_OBJECTION = st.sampled_from(
    [
        *("OBJECTED", "DONT CALL", "DONT WANT CALL", "NO WANT CALLS", "REFUSE CALLS", "FORBID CALLS"),
        *("CALLS FORBID", "NO ALLOW CALLS", "DONT CALL WHEN"),
    ]
).flatmap(lambda kinds: st.tuples(*map(_WORDS.__getitem__, kinds.split())))
_SEVERAL = ("ts", "ch", "sh", "shch", "y", "zh", "")
_LATIN = dict(
    zip(map(ord, "абвгдезийклмнопрстуфхцчшщыжь"), [*"abvgdeziyklmnoprstufx", *_SEVERAL], strict=True)
)


@settings(max_examples=400)
@given(
    _OBJECTION.map(" ".join),
    st.sampled_from([" ", "_", "-", ". ", "  ", "/"]),
    st.sampled_from([str, str.upper, str.title, lambda text: text.translate(_LATIN)]),
)
def test_the_quick_answer_for_a_text_is_that_of_the_whole_search(words: str, gap: str, form: Any) -> None:
    text = form(words).replace(" ", gap)
    quick = objections._objects.__wrapped__(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objections, "_PART_OF_OBJECTIONS", re.compile(""))
        assert objections._objects.__wrapped__(text) is quick


UNTOLD = (
    *("number", "date", "time", "hours", "id", "version", "номер", "дата", "время"),
    *("часы", "версия", "data", "personal", "данных", "пдн", "опд", "обработку", "photo"),
    *("video", "parent", "treatment", "form", "insurance", "paperless", "terms", "фото", "видео"),
    *(
        "родителей",
        "лечение",
        "медицинский",
        "операцию",
        "экскурсию",
        "вакцинацию",
        "списание",
        "доставку",
        "бки",
    ),
    *("страхование", "условия", "count", "source", "link", "url", "href", "text", "check"),
    *("counter", "template", "сверен", "ссылка", "текст", "источник", "количество", "кол", "шаблон"),
)
OTHER_CHANNELS = (
    *("mms", "push", "viber", "telegram", "messenger", "letter", "почта", "смс", "факс"),
    *("пуш", "вотсап", "вайбер", "телеграм", "мессенджер", "письма", "чат", "email", "sms"),
    *("fax", "whatsapp", "newsletter", "рассылка", "оферта"),
)
HOURS_OF_THE_DAY = (
    *(
        "after 18",
        "till 10",
        "from 9 till 18",
        "at 9 am",
        "after 6 pm",
        "between 9 and 12",
        "time 9-12",
        "on 9",
    ),
    *(
        "hours 9-12",
        "раньше 10",
        "ранее 10",
        "перед 10",
        "позже 20",
        "в час",
        "до 10 часов",
        "после 2 часа",
    ),
    *("утром до 9 утра", "до 7 вечера", "с 2 дня", "после 11 ночи", "вечером", "днем", "ночью", "до 10 мск"),
    *("до обеда", "по выходным", "часы 9-12", "время 9-12"),
)
BESIDE = (
    *("is", "has", "was", "flag", "date", "признак", "status", "статус", "клиента"),
    *("client", "customer", "at", "в", "дата"),
)
DOORS = ("в домофон", "в дверь", "the doorbell", "the bell", "the intercom")


@pytest.mark.parametrize("word", UNTOLD)
def test_a_consent_to_another_thing_says_nothing_of_a_call(word: str) -> None:
    for name in (f"consent {word}", f"согласие {word}", f"{word} согласия"):
        assert not ban(name, "нет"), name


@pytest.mark.parametrize("word", OTHER_CHANNELS)
def test_a_consent_to_another_channel_says_nothing_of_a_call(word: str) -> None:
    assert not ban(f"{word} consent", "нет")
    assert not ban(f"dnc {word}", "да")
    assert not ban("comment", f"unsubscribed from {word}")
    assert ban("согласие", f"только {word}")
    assert ban("consent", f"{word} only")


@pytest.mark.parametrize("hours", HOURS_OF_THE_DAY)
def test_a_text_about_hours_without_calls_forbids_no_call(hours: str) -> None:
    assert not ban("comment", f"не звонить {hours}")
    assert not ban("comment", f"do not call {hours}")


@pytest.mark.parametrize("word", BESIDE)
def test_a_small_word_beside_an_objection_does_not_hide_it(word: str) -> None:
    assert ban(f"{word} чс", "да")
    assert ban(f"dnd_{word}", 1)


@pytest.mark.parametrize("door", DOORS)
def test_a_text_about_a_door_forbids_no_call(door: str) -> None:
    assert not ban("comment", f"не звонить {door}")
    assert not ban("comment", f"do not call {door}")


@pytest.mark.parametrize("yes", ["да", "yes", "true", "есть", "given", "дано", "1", "y"])
def test_a_consent_with_a_denial_in_brackets_is_a_consent(yes: str) -> None:
    assert not ban("consent", f"{yes} (нет скана)")


@pytest.mark.parametrize(
    "limit",
    [
        *(
            "не раньше 10",
            "не позже 20",
            "не позднее 20",
            "не важно",
            "не требуется",
            "не указано",
            "нет данных",
        ),
        *("not required", "no limit", "no restrictions", "no objections", "нет ограничений"),
    ],
)
def test_a_limit_that_begins_with_no_denies_no_consent(limit: str) -> None:
    assert not ban("согласие", limit)


@pytest.mark.parametrize(
    "nothing", ["н", "ложь", "non", "неизвестно", "разрешено", "можно", "clean", "no restrictions"]
)
def test_a_word_that_affirms_nothing_forbids_nothing(nothing: str) -> None:
    assert not ban("не звонить", nothing)


@pytest.mark.parametrize("both", ["да/нет", "нет/да", "yes/no", "no/yes", "y/n"])
def test_the_possible_values_in_a_name_are_no_denial(both: str) -> None:
    assert not ban(f"согласие ({both})", "да")
    assert ban(f"согласие ({both})", "нет")
    assert ban(f"dnc ({both})", "да")


@pytest.mark.parametrize("value", HARMLESS)
def test_a_text_without_an_objection_forbids_nothing(value: str) -> None:
    assert not ban("comment", value)
    assert not ban("comment", [value])


def test_an_objection_to_another_channel_forbids_no_call() -> None:
    assert not ban("email_status", "unsubscribed")
    assert not ban("call comment", "отписан от рассылки")
    assert ban("comment", "dnc, prefers email")
    assert ban("dnc_data", "yes")
    assert ban("Нет согласия на обработку данных", "да")
    assert ban("email_status", "do not call")
    assert not ban("call_why", "column 'dnc': the row seems to forbid the call")


@pytest.mark.parametrize("form", [lambda value: value, json.dumps, lambda value: [{"id": 5}, value]])
@pytest.mark.parametrize(
    ("inner", "forbids"),
    [
        ({"do_not_call": True}, True),
        ({"do_not_call": False}, False),
        ({"consent": {"calls": False}}, True),
        ({"consent": {"calls": True, "email": False}}, False),
        ({"consents": [{"channel": "call", "do_not_call": True}]}, True),
        ({"consents": [{"channel": "sms", "consent": False}]}, False),
        ({"tags": ["vip", "do_not_call"]}, True),
        ({"props": '{"dnc": 1}'}, True),
        ({"city": "Omsk", "numbers": [7, None]}, False),
    ],
)
def test_a_ban_is_noticed_at_any_depth_and_in_json(form: Any, inner: Any, forbids: bool) -> None:
    assert bool(ban("props", form(inner))) is forbids
    assert not ban("props", "[" * 100_000)


def test_an_extension_is_noticed_inside_an_object() -> None:
    assert extension("work", {"phone": "84951234567", "ext": "12"})
    assert not extension("work", {"phone": "84951234567", "ext": None})


CONSENTS = ["consent", "opt-in", "opted in", "callable", "calls allowed", "согласие", "согласен"]
NEGATIONS = [
    "no {}",
    "not {}",
    "нет {}",
    "не {}",
    "{} withdrawn",
    "{} отозвано",
    "{}_revoked_at",
    "{} expired",
]
LISTS = ["dnc", "opted out", "stop list", "стоп-листе", "чёрном списке", "отписан", "do_not_call_list"]
NEGATED = ["not {}", "не {}", "нет в {}", "not in {}", "не был {}"]


@given(st.sampled_from(CONSENTS), st.sampled_from(NEGATIONS), st.sampled_from([str, str.upper, str.title]))
def test_the_name_of_a_negated_permission_is_the_name_of_a_ban(consent, negation, case) -> None:
    name = case(negation.format(consent))
    for value in ("да", 1, "2026-01-01", True):
        assert ban(name, value), name
    for value in ("нет", 0, None, False):
        assert not ban(name, value), name


@given(st.sampled_from(LISTS[:-1]), st.sampled_from(NEGATED), st.sampled_from([str, str.upper, str.title]))
def test_the_name_of_a_negated_ban_is_the_name_of_a_permission(objection, negation, case) -> None:
    name = case(negation.format(objection))
    for value in ("да", 1, "2026-01-01", True, None):
        assert not ban(name, value), name
    for value in ("нет", 0, False):
        assert ban(name, value), name


@given(
    st.sampled_from([*CONSENTS, *LISTS, "не звонить", "отказ от звонков"]),
    st.sampled_from(["sms {}", "{} email", "{} рассылки", "push_{}", "WhatsApp {}"]),
    st.sampled_from(["да", "нет", 0, 1, "2026-01-01", None]),
)
def test_a_column_of_another_channel_says_nothing_unless_it_also_names_calls(words, channel, value) -> None:
    if not any(call in words for call in ("call", "звон")):
        assert not ban(channel.format(words), value)


@given(st.lists(st.sampled_from([*HARMLESS[-8:-3], *OTHERS[:40]]), max_size=4).map(" ".join))
def test_harmless_words_beside_a_ban_do_not_hide_it(words: str) -> None:
    assert ban("comment", f"{words[:30]}, не звонить")


@given(st.text(max_size=70), st.text("нетда yesno/,.-()", max_size=30))
def test_any_name_and_any_value_are_read(name: str, value: str) -> None:
    for column in (name, "согласие", "не звонить", "не звонить до", "country"):
        find_contradictions({column: value, "ext": name}, "RU")
