"""Columns: found by folded names, and refused if a name nearly has a meaning."""

from __future__ import annotations

import pytest
from phrases import phrases

from airflow_provider_callapi.calls.lists.column_names import value_of
from airflow_provider_callapi.calls.lists.columns import Columns, find_columns
from airflow_provider_callapi.calls.lists.result_columns import RESULT_COLUMNS
from airflow_provider_callapi.calls.lists.unnamed_zones import refuse_unnamed_zone
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


@pytest.mark.parametrize(
    "name",
    [
        "timezone",
        "Timezone",
        "TIMEZONE",
        "time_zone",
        "Time Zone",
        "time\u200bzone",
        "\ufefftimezone",
        "ｔｉｍｅｚｏｎｅ",
        "time-zone",
    ],
)
def test_the_spelling_of_a_column_name_does_not_matter(name: str) -> None:
    assert find_columns(("phone", name)).timezone == name
    assert value_of({name: "x"}, "timezone") == "x"


OFFSETS = phrases(
    """
    Сдвиг | zone_name | разница во времени | time diff | msk_diff | hours_from_utc | delta_utc
    chasovoy_poyas | chasovoi poyas | CHASOVOJ_POJAS | raznica_msk | raznitsa_s_moskvoy | poyas
    vremennaya_zona | raznica vremeni | mestnoe_vremya | smeshchenie_msk | sdvig | tajmzona | час. п.
    plus_msk | +МСК | к Москве | время относительно МСК | поясное время | Местное время | Пояс клиента
    Пояс (МСК+) | вр. зона | Зона UTC | Зона (время) | Часовой р-н | час+ | Δ UTC | Смещ.
    Смещ. от МСК | Разн. с МСК | разн. во времени | Местное вр. | iana_zone | tmz | часова зона
    уақыт белдеуі | ժամային գոտի | אזור זמן | المنطقة الزمنية | saat dilimi | ｔｚ | zoneinfo | гмт
    опережение Москвы | отставание от Мск | Регион времени | Décalage UTC | Zeitunterschied | tijdzone
    tidssone | strefa czasowa | časové pásmo | időzóna | часовий | diferença horária | ζώνη ώρας
    タイムゾーン | 时区 | 시간대 | de\u0301calage horaire | Zeitzone | aikavyöhyke | fuso orario
    huso horario | laiko juosta | laika josla | ajavöönd | vaqt mintaqasi | саат алкагы | saat qurşağı
    zaman dilimi | სასაათო სარტყელი | समय क्षेत्र | olson | timez | tz_client | client tz | utc | gmt | имя зоны
    смещение | Регион (МСК ±) | Разница времени города с Москвой | 時區 | local_time_offset_h | часовой
    zona_horaria | fuseau | разница в часах | временной сдвиг
    """
)
"""Names of columns that say how far a person's clock is ahead, or in which zone the person lives."""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("timezon", "timezone"),
        ("tmezone", "timezone"),
        ("timezones", "timezone"),
        ("Часовой пояс", "timezone"),
        ("час. пояс", "timezone"),
        ("tz", "timezone"),
        ("utc offset", "timezone"),
        ("client_timezone", "timezone"),
        ("Временная зона", "timezone"),
        ("времен. зона", "timezone"),
        ("Временной пояс", "timezone"),
        ("Часовая\u00a0зона", "timezone"),
        ("ЗОНА", "timezone"),
        ("зо\u200bна", "timezone"),
        ("zona", "timezone"),
        ("Пояс", "timezone"),
        ("МСК", "timezone"),
        ("мск +/-", "timezone"),
        ("Смещение от МСК", "timezone"),
        ("Разница с Москвой", "timezone"),
        ("mskoffset", "timezone"),
        ("offset", "timezone"),
        *((name, "timezone") for name in OFFSETS),
        ("externalids", "external_id"),
        ("extrenal_id", "external_id"),
    ],
)
def test_a_misspelt_column_name_is_refused_unless_the_right_name_is_there(name: str, meant: str) -> None:
    with pytest.raises(ListUnreadable, match=f"did you mean {meant}"):
        find_columns(("phone", name))
    find_columns(("phone", name, meant))


@pytest.mark.parametrize("written", ["cp1251", "cp1252", "ascii"])
def test_a_name_whose_letters_are_lost_may_be_a_column_of_time_zones(written: str) -> None:
    name = "Часовой пояс".encode().decode(written, "replace")
    with pytest.raises(ListUnreadable, match="are lost, so it may be timezone"):
        find_columns(("phone", name))
    find_columns(("phone", name, "timezone"))


@pytest.mark.parametrize(
    "name",
    phrases(
        """
        familiya | imya | gorod | data_rozhdeniya | nomer_dogovora | zona_dostavki | vremya_vizita
        local_name | time_of_visit | plan | poster | home | region | company | price | created_at
        """
    ),
)
def test_other_names_in_latin_letters_are_no_time_zones(name: str) -> None:
    assert find_columns(("phone", name)).timezone is None


@pytest.mark.parametrize(
    "name", ["phon", "phones", "Телефон", "phone_number", "mobile", "номер", "моб.", "cell", "сотовый"]
)
def test_a_list_without_a_column_named_phone_is_refused(name: str) -> None:
    with pytest.raises(ListUnreadable, match="did you mean phone") as caught:
        find_columns((name, "name"))
    assert "empty column" not in str(caught.value)
    find_columns((name, "name"), needs_phone=False)


@pytest.mark.parametrize("name", ["phone:name", "phone name", "Телефон/Имя", "phone :: name"])
def test_the_error_of_a_list_with_an_unknown_separator_names_the_known_ones(name: str) -> None:
    with pytest.raises(ListUnreadable, match="separate them with semicolons, commas, tabs or"):
        find_columns((name,))


@pytest.mark.parametrize(
    "names",
    [
        ("phone", "Phone"),
        ("timezone", "phone", "time zone"),
        ("phone", "name", "phone.1"),  # pandas numbers equal names
        ("phone", "timezone.2", "timezone"),
        ("phone", "рhоne"),  # two Cyrillic letters
        ("phone", "PНONE"),
    ],
)
def test_two_columns_with_one_meaning_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ListUnreadable, match="two columns are named"):
        find_columns(names)


@pytest.mark.parametrize(
    "name",
    phrases(
        """
        name | debt | order | city | created_at | amount | имя | долг | comment | зона доставки | time
        call_time | время | created_at_utc | call_time_msk | время по Москве | zone_id | в Москве
        tomsk | Томск | shift | hours | timestamp | пояснение | lifetime | разница цен
        поясн. записка | Tatiana | разные часы | час | рн | разн. | рваная зона | часовая ставка
        lifetime | сезон | время звонка | часы работы | филиал МСК | разница | участие в сезоне
        Дата (UTC+3) | поправка | прибавка | часовая мастерская
        """
    ),
)
def test_any_other_name_is_accepted_as_a_column(name: str) -> None:
    find_columns(("phone", name))


@pytest.mark.parametrize("name", [*RESULT_COLUMNS, "Call External ID"])
def test_no_column_of_a_results_file_is_a_misspelt_name(name: str) -> None:
    assert find_columns(("phone", name)) == Columns("phone", None)


def test_an_error_about_a_name_shows_no_phone_number() -> None:
    with pytest.raises(ListUnreadable, match="7926…0001"):
        find_columns(("Тел. +7 926 000-00-01",))
    with pytest.raises(ListUnreadable, match="7926…0001"):
        refuse_unnamed_zone({"79260000001": "Asia/Omsk"}, 1)
