"""A column about calls with nothing but yes and no permits or forbids them, whatever words are beside it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists.call_flags import CallFlags
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

PERMISSIONS = phrases(
    """
    accepts_calls | phone_allowed | AllowPhone | contact_by_phone | telemarketing_ok | calls
    TCPA | Звонки | Связь по телефону | Контакт по телефону | Хочет получать звонки
    Участвует в обзвоне | К обзвону | Доступен для звонков | Нужен звонок | receive calls
    agree_to_calls | can_contact | phone_contact | Anruf erlaubt | Werbeanrufe
    Telefonische Kontaktaufnahme | Arama onayı | Дозвіл на дзвінки | zvonki | notify by phone
    Принимает звонки | Звонки или SMS
    """
)
BANS = phrases(
    """
    Запрет связи | Не включать в обзвон | exclude from phone list | Не принимает звонки
    skip_call | Anrufe gesperrt | block calls | Заблокировать звонки | Не телефонуйте: дзвінки
    """
)
HARMLESS = phrases(
    """
    Дозвонились | called | not called | Звонил | callback | call back | Перезвонить
    phone_verified | Телефон подтверждён | has_phone | no_phone | нет телефона | mobile phone
    Контакт состоялся | Связь установлена | call_recorded | Запись звонков | last_call_answered
    missed_call | call center | contact_person | is_primary_contact | preferred_contact
    whatsapp_phone | phone_can_receive_sms | Первый звонок | Обратный звонок | emergency contact
    Контактное лицо | Нет связи | Звонок состоялся | call_answered | Есть телефон | Созвон
    Telefon geprüft | Anruf erfolgt | Подключена мобильная связь
    Участвует в экспорте контактов | Контакт доступен для всех | contact enabled | call tracking
    Подписка на контакты | Холодный звонок | call_result | is_mobile | vip | sms allowed
    Согласие на SMS
    """
)
UNCERTAIN = phrases(
    """
    Arama | Дзвінки | Қоңырау | Qo‘ng‘iroq | Զանգեր | შეხვედრა დარეკვა | שיחות | Llamadas
    """
)
YES = st.sampled_from(["да", "yes", "Yes", True, "✓", "true", "evet", "ja", "разрешены"])
NO = st.sampled_from(["нет", "no", "Нет.", False, "off", "❌", "запрещены", "hayır", "nein", b"n"])
NOTHING = st.sampled_from([None, "", "-", "n/a", "не указано"])
OTHER = st.sampled_from([2, "12", "Москва", "10:00", "2026-01-01", "нет связи", "yes, Anna", {"a": "no"}])


def forbidden(name: str, values: list[Any]) -> list[int]:
    """Return the positions of the values that forbid the call."""
    flags = CallFlags()
    doubts = [flags.add({"phone": "79260000001", name: value}, line) for line, value in enumerate(values)]
    flags.refuse()
    return [line for line, names in enumerate(doubts) if any(map(flags.is_flag, names))]


@given(st.sampled_from(PERMISSIONS), st.lists(YES | NOTHING), NO, st.lists(YES | NOTHING))
def test_the_no_of_a_permission_forbids_the_call(name: str, before: list, no: Any, after: list) -> None:
    assert forbidden(name, [*before, no, *after]) == [len(before)]


@given(st.sampled_from(BANS), st.lists(NO | NOTHING), YES | st.just(1), st.lists(NO | NOTHING))
def test_the_yes_of_a_ban_forbids_the_call(name: str, before: list, yes: Any, after: list) -> None:
    assert forbidden(name, [*before, yes, *after]) == [len(before)]


@given(
    st.sampled_from([*PERMISSIONS, *BANS, *UNCERTAIN]), st.permutations(["да", "нет", None]), OTHER, st.data()
)
def test_a_column_with_another_value_is_no_flag(name: str, values: list, other: Any, data: Any) -> None:
    values.insert(data.draw(st.integers(0, 3)), other)
    assert forbidden(name, values) == []


@given(st.sampled_from(HARMLESS), st.lists(YES | NO | NOTHING | st.sampled_from([0, 1])))
def test_a_column_of_single_calls_or_of_phones_forbids_nothing(name: str, values: list) -> None:
    assert forbidden(name, values) == []


@pytest.mark.parametrize("name", UNCERTAIN)
def test_a_flag_that_may_be_a_ban_or_a_permission_refuses_the_list(name: str) -> None:
    assert forbidden(name, [None, "", 0, 1, 3]) == []
    for value in ("да", "нет"):
        with pytest.raises(ListUnreadable, match="see row 1, but it is not certain which"):
            forbidden(name, [None, value])


def test_zero_forbids_the_call_only_if_it_is_no_count() -> None:
    for name in ("phone_allowed", "Хочет получать звонки", "telemarketing_ok"):
        assert forbidden(name, [1, 0, "0", 1.0]) == [1, 2]
    for name in ("calls", "Звонки", "phone calls"):
        assert forbidden(name, [1, 0, "0", 1.0]) == []


@given(st.sampled_from(["Согласие", "consent", "call_allowed"]), st.lists(st.sampled_from(["+", "-", None])))
def test_a_minus_beside_a_plus_denies_a_consent(name: str, values: list[str | None]) -> None:
    minuses = [line for line, value in enumerate(values) if value == "-"]
    assert forbidden(name, values) == (minuses if "+" in values else [])
    assert forbidden("не звонить", values) == []


def test_a_column_that_the_call_uses_is_the_authors() -> None:
    flags = CallFlags(frozenset({"acceptscalls"}))
    assert flags.add({"accepts_calls": "no"}, 1) == []
