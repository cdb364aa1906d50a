"""What a column of a row contradicts, and names of columns that contradict nothing."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from phrases import phrases

from airflow_provider_callapi.calls.lists.contradicting_columns import Contradictions, find_contradictions

OTHERS = phrases(
    """
    stop | Stop 1 | No. calls | calls | не звонили | Не звонил | not called | never called | Звонил
    Einwilligung Foto | Einwilligung Datenschutz | Келісімшарт | VN | доп | text | next call
    дата добавления | May | comment | next | stops | consent date | внутренний код | contact
    номер согласия | канонический адрес | status | Жалоба | object
    Согласие на обработку персональных данных | email consent | email_opt_out | sms_opt_out
    HasOptedOutOfFax | Отписан от рассылки | whatsapp_optin | push_opt_in | newsletter_consent
    telegram_consent | Согласие с офертой | cookie_consent | do_not_email | mail_blacklist
    Проверен по стоп-листу | dnc_checked_at | dnc_check | dnc_removed_at | стоп-лист снят | dnc_count
    Согласие на фото | parental consent | Consent to treatment | DNC Scrub Date | rejected_calls
    opt_out_link | opt_out_text | unsubscribe_url | consent_source | consent_version | dnc source
    Причина отказа | Отказ от покупки | отзыв клиента | payment_declined | Отменён | card_expired
    Разрешённое время звонка | Согласовано | sms_allowed | Запрещённые товары | без звонка | no_phone
    Перезвонить | callback | call_result | call_why | last_call | marketing_source | Контакты
    Страна тура | country of origin | area code | код клиента | promo_code | country_id
    """
)
"""The names of columns that say nothing of a call."""


def contradictions(name: str, value: Any, used: Set[str]) -> Contradictions:
    return find_contradictions({"phone": "79260000001", name: value}, "RU", used)


def ban(name: str, value: Any, used: Set[str] = frozenset()) -> str | None:
    return contradictions(name, value, used).ban


def extension(name: str, value: Any, used: Set[str] = frozenset()) -> str | None:
    return contradictions(name, value, used).extension
