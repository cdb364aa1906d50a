"""Which columns of a do-not-call list contain phone numbers, and which lists are none."""

from __future__ import annotations

import pytest
from phrases import phrases

from airflow_provider_callapi.calls.lists.phone_columns import check_empty_do_not_call, phone_columns
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


def test_a_do_not_call_list_uses_all_columns_with_numbers() -> None:
    assert phone_columns(("number",)) == ["number"]
    assert phone_columns(("date", "Phone", "mobile", "phon", "comment")) == ["Phone", "mobile", "phon"]
    with pytest.raises(ListUnreadable, match="name the column with the number"):
        phone_columns(("id", "number"))


@pytest.mark.parametrize("name", ["sip25", "sip25@example.com", "123456", "7926XXXXXXX", "+7 926 OOO-OO-O1"])
def test_the_only_column_of_a_do_not_call_list_is_not_named_by_its_first_entry(name: str) -> None:
    with pytest.raises(ListUnreadable, match="Name it `phone`"):
        phone_columns((name,))


@pytest.mark.parametrize("name", ["Phone 1", "тел2", "стоп-лист", "msisdn", "phone@"])
def test_the_only_column_of_a_do_not_call_list_may_have_another_name(name: str) -> None:
    assert phone_columns((name,)) == [name]


@pytest.mark.parametrize(
    "name",
    ["client_id", "ИНН", "Паспорт", "Номер договора", "Лицевой счёт", "e-mail", "hash"],
)
def test_the_only_column_of_a_do_not_call_list_does_not_mean_something_else(name: str) -> None:
    with pytest.raises(ListUnreadable, match="seems to contain no phone numbers"):
        phone_columns((name,))
    assert phone_columns((f"{name} phone",)) == [f"{name} phone"]


@pytest.mark.parametrize("thing", ["UID", "uuid", "guid", "INN", "snils", "passport", "ид", "СНИЛС", "КПП"])
@pytest.mark.parametrize("form", ["{}", "{} клиента", "user {}"])
def test_the_only_column_of_a_do_not_call_list_is_no_other_id(thing: str, form: str) -> None:
    with pytest.raises(ListUnreadable, match="seems to contain no phone numbers"):
        phone_columns((form.format(thing),))


@pytest.mark.parametrize(
    "thing",
    phrases("ОГРН | почта | логин | хеш | хэш | ФИО | login | token | account | дата"),
)
def test_the_only_column_of_a_do_not_call_list_is_no_other_data(thing: str) -> None:
    with pytest.raises(ListUnreadable, match="seems to contain no phone numbers"):
        phone_columns((thing,))


PHONE_WORDS = (
    "telephone",
    "telephones",
    "mobiles",
    "мобильный",
    "сотовый",
    "сот.",
    "cell",
    "cellphone",
    "msisdn",
)
BESIDE = phrases(
    """
    num | list | digits | ext | work | home | main | business | office | personal | private | primary
    secondary | preferred | other | second | first | contacts | client's | customers | user | users
    person | people | student | parents | debtor | employee | members | subscriber | guests | owner
    buyers | company | existing | blocked | excluded | forbidden | do not call | of the | our | номер
    список | доб. | вн. | доп. | пациентов | должников | ученика | родителей | сотрудника | покупателя
    заказчика | владельца | гостей | клиентов | абонента | контакта | личный | рабочий | служебный
    домашний | основной | городской | другой | второй | дополнительный | запрещенный | отказавшихся
    для связи | не звонить
    """
)


@pytest.mark.parametrize(
    "name", [*PHONE_WORDS, *map("{} phone".format, BESIDE), *map("Телефон {}".format, BESIDE)]
)
def test_a_list_without_rows_may_have_a_usual_name_of_phone_numbers(name: str) -> None:
    check_empty_do_not_call(["comment", name])


@pytest.mark.parametrize(
    "name", ["comment", "phone was not found", "phone: error 500", "1 phone", "", "<phone>"]
)
def test_a_list_without_rows_and_without_such_a_name_is_refused(name: str) -> None:
    with pytest.raises(ListUnreadable, match="may be no do-not-call list"):
        check_empty_do_not_call([name])
