"""A row is not called if a column of it forbids the call, or has an extension."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from contradictions import OTHERS, ban, extension
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists.contradicting_columns import find_contradictions

EXTENSIONS = pytest.mark.parametrize(
    "name",
    phrases(
        """
        доб. | добав. | Добавочный номер | доп. | вн. | внутр. | Внутренний номер | тел. вн. | ext
        extn | Extension | phone ext | dob_nomer | tel_ext | office ext | номер доб | добавочн.
        добавочный (если есть) | № доб. | internal number | Durchwahl | короткий номер | short number
        тоновый набор | донабор | DTMF | вн. тел. | pbx
        """
    ),
)
BANS = pytest.mark.parametrize(
    "name",
    phrases(
        """
        не звонить | Не звонить? | не звонить (да/нет) | Не звонить! | не звонить 1 | Не беспокоить
        Клиент просил не звонить | не набирать | не обзванивать | не зв\u006fнить | ne_zvonit
        Do not call | do_not_call | do_not_call_flag | Don't call | do not contact | no calls
        do-not-call (Y/N) | doNotCall | no_phone_calls | dont dial | dnd | DNC | is_dnc | DNC flag
        DNC status | client_dnc | added to dnc | dnc since | opt-out | opted_out | opt_out_date
        call_opt_out | optOut | unsubscribed | blacklisted | Стоп-лист | стоп | В стоп-листе
        Чёрный список | в черном списке | ЧС | отписан | отписался | Согласие отозвано
        Дата отзыва согласия | Не согласен | нет согласия | Без согласия | consent_withdrawn
        consent_revoked_at | no_consent | not_callable | calls not allowed | звонки не разрешены
        not_opted_in | consent_denied | Отказ от согласия | согласие истекло | consent_opt_out
        разрешение на звонки отозвано | cannot call | can not be called | ne_soglasen | Отказ
        Дата отказа | Отписка | Unsubscribe | незвонить | не надо звонить | звонить не надо | d.n.c.
        опт-аут | Nezvonit | nocalls | StopCall | donotphone | Запрет контактов | objected
        Запрет на коммуникации | suppressed | В ЧС | DNCR | TPS | Robinsonliste | Keine Anrufe
        Nicht anrufen | Nicht mehr anrufen | Anrufverbot | Werbewiderspruch | Қоңырау шалмау
        consent lifted | deny consent | consent revocation | out of consent | согласие аннулировано
        согласие просрочено | согласие недействительно | согласие неактуально | согласие исключено
        срок согласия истек | isn't opted in | consent: non | never consented | запрет | смерти
        Дата смерти | несогласие | скончалась | declined | dead | no marketing | No marketing calls
        objects to calls | object to calling | refused telemarketing | не нужны звонки
        звонки не нужно | ne pas appeler | no llamar | не дзвонити | Умер | deceased | не\u200bзвонить
        dnc_until | не звонить до оплаты | Не звонить с рекламой | не звонить после отказа
        жалоба на звонки | запрет звонков | нельзя звонить | Запрет на обзвон | звонки запрещены
        отказ от звонков | date_of_death | Дата отписки | Дата внесения в ЧС | excluded | blocked
        Заблокирован | Aranmasın | Қоңырау шалуға болмайды | не званіць | Sperrvermerk
        Чорний список | Чорны спіс | Kara liste | Қара тізім | Qora ro‘yxat
        """
    ),
)
PERMISSIONS = pytest.mark.parametrize(
    "name",
    phrases(
        """
        call_allowed | can be called | Consent | call_consent | consent to calls | opt-in | opted_in
        Согласие | согласие на звонки | Согласие на обзвон (да/нет) | можно звонить | soglasie
        разрешено звонить | согласен | marketing_consent | permission_to_call | contactable | Звонить
        Обзвон | call_ok | ok_to_call | marketing_allowed | allow_marketing | can_call | optin
        optedin | с согласием | согласна | согласился | обзванивать | okay to call | permitted to call
        calls permitted | permits marketing | Нет в стоп-листе | not_in_stoplist | не отписан
        not on DNC | consent not withdrawn | согласие не отозвано | звонки не запрещены
        нет запрета на звонки | Einwilligung | Zustimmung zu Anrufen | Einverständnis | Келісім
        Згода | Rozilik | Arama izni | Համաձայնություն | თანხმობა | הסכמה
        """
    ),
)
HOURS = pytest.mark.parametrize(
    "name",
    ["Не звонить до", "do_not_call_until", "не звонить с", "do not call before", "не беспокоить после"],
)
NOTHING = (
    *(None, "", " ", 0, 0.0, Decimal("0.00"), False, [], {}, b"\x00"),
    *phrases(
        """
        Clear | OK | Not on list | отсутствует | не установлен | 0 | 00 | Нет | нет. | no | - | -- | none
        N/A | unknown | нeт | "нет" | (нет) | нет! | можно звонить | https://example.com/opt-out
        """
    ),
)
WORDS = ("доб. 12", "ext 12", "x12", "*12", "№12", "12,13", "12 или 13", "12 (после 10)", "p12", ["12"])
"""Values that name an extension with further signs or words."""


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


DENIALS = [
    *(0, 0.0, False, b"\x00"),
    *phrases(
        """
        нет | Нет. | Нет! | нет, отозвано | no (2020) | no | N | off | отсутствует | отказ | ✗ | ☐ | 0
        0,0 | false | против | запрещено | ❌ | 🚫 | disabled | withdrawn | rejected | отклонено | disagree
        возражаю | blocked | stop | стоп | sms only | ☒ | revoked | никогда | истекло | nein | нeт | "нет"
        (нет) | да, но отозвано | не согласен | hayır | yo‘q | ոչ | არა | לא
        """
    ),
]


@PERMISSIONS
def test_a_row_that_does_not_permit_the_call_is_not_called(name: str) -> None:
    for value in DENIALS:
        assert "forbid" in str(ban(name, value)), value


@PERMISSIONS
def test_a_row_that_permits_the_call_or_says_nothing_may_be_called(name: str) -> None:
    limits = "не раньше 10 | нет ограничений | не указано | no objection | да (нет скана) | не требуется"
    for value in phrases(limits):
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
    dates = phrases(
        """
        31.12.2027 | 2027-12-31 | 1.2. | 12/31/26 | 31-12-26 | 1-3-27 | 31-Dec-26 | 5-мар-26 | 10.05
        5 марта | 5 March | Mar 5 | 1st May | 15 числа | 30 days | 2 недели | да | особого распоряжения
        """
    )
    for value in (*dates, date(2027, 12, 31), datetime(2027, 1, 1), 46022):
        assert ban(name, value), value
    hours = phrases("10:00 | 9.30 | 20.00 | 18 | 10 утра | 9-12 | 9:00 – 18:30 | с 9 до 18 | нет")
    for hour in (*hours, 18, time(10), None, ""):
        assert not ban(name, hour), hour


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


def as_amo(name: str, value: Any) -> Any:
    return [
        {"field_id": 7, "field_name": name, "field_code": None, "values": [{"value": value, "enum_id": 5}]}
    ]


AS_FIELDS = [
    as_amo,
    lambda name, value: [{"name": name, "value": value}],
    lambda name, value: {"vip": 1, "attributes": [{"key": name, "value": value, "id": 5}]},
    lambda name, value: [{"code": "X", "title": name, "values": [value]}],
    lambda name, value: [["id", 5], [name, value]],
    lambda name, value: {name: {"value": value, "updated_at": "2026-01-01"}},
]


@given(
    st.sampled_from(AS_FIELDS),
    st.sampled_from([("consent", False), ("Согласие на звонки", True), ("Не звонить", False), ("dnc", True)]),
    st.sampled_from([(False, True), ("нет", "да"), ("no", "yes"), (0, 1), ("0", "1")]),
)
def test_a_field_that_is_written_as_an_object_counts_like_a_column(as_field, field, answers) -> None:
    name, value = field[0], answers[field[1]]
    cell = as_field(name, value)
    assert bool(ban("fields", cell)) is bool(ban(name, value))
    assert bool(ban("fields", json.dumps(cell))) is bool(ban(name, value))
    assert not ban("email settings", as_field("consent", answers[0]))


def test_an_extension_in_a_field_that_is_written_as_an_object_is_noticed() -> None:
    assert extension("fields", [{"name": "доб", "value": "123"}])


def test_an_extension_is_noticed_inside_an_object() -> None:
    assert extension("work", {"phone": "84951234567", "ext": "12"})
    assert not extension("work", {"phone": "84951234567", "ext": None})


@given(st.text(max_size=70), st.text("нетда yesno/,.-()", max_size=30))
def test_any_name_and_any_value_are_read(name: str, value: str) -> None:
    for column in (name, "согласие", "не звонить", "не звонить до", "country"):
        find_contradictions({column: value, "ext": name}, "RU")
