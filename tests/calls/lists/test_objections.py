"""The name of a column, or a short text, may be an objection to calls."""

from __future__ import annotations

import re
from typing import Any

import pytest
from contradictions import OTHERS, ban
from hypothesis import given, settings
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists import objection_words, objections
from airflow_provider_callapi.calls.lists.column_names import fold_name

OBJECTIONS = phrases(
    """
    asked not to be called | must not be called | does not want to be called | No phone calls please
    без звонков, пожалуйста | звонок не нужен | прекратите звонить | не согласна на звонки
    Клиент 12.03 попросил больше никогда ему не звонить, грозил жалобой | Не звонить | do not call
    do_not_call | VIP, стоп-лист | opted out | чёрный список | dnc | просил не звонить | НЕ ЗВОНИТЬ!!!
    Анна (не звонить) | нe звoнить | ne zvonit | отказ от звонков | не звонить до 31.12.2027
    не интересно, не звонить | больше не звоните | blacklisted | отписан | не хочет звонков
    звонить не надо | отменён, в стоп-листе | нельзя звонить | запрет на обзвон
    NO CALLS | vip, no phone calls | отозвал согласие | Согласие отозвано | revoked his consent
    отказ от общения | отозвал согласие на обработку данных | не хочет общаться | lütfen aramayın
    לא להתקשר | qo‘ng‘iroq qilmang | չզանգել | არ დარეკოთ | не тэлефанаваць
    умер | VIP, умерла | Скончался 01.02.2026 | deceased
    қоңырау шалуға болмайды | Қоңырау шалмауды сұрады | Aranmak istemiyor
    """
)
HARMLESS = [
    *phrases(
        """
        no calls yet | согласие не отозвано | отозвал согласие на фото | consent form missing
        подписал согласие удалённо | отозвано согласие на рассылку | no calls: no
        нет согласия на рассылку | согласие на звонки не отозвано | согласие на звонки
        consent to calls given | нет связи | не связались | удалён из базы | отписка от рассылки
        no consent | стоп | DND | ЧС | Отказ | отказ от доставки | не звонили | телефон не звонит
        не дозвонились | не отписан | нет в стоп-листе | not on dnc | снят со стоп-листа
        проверен по стоп-листу | не звонить до 10:00 | не звонить с 9 до 18 | do not call before 9 am
        не звонить после 20.00 | отписан от рассылки | unsubscribed from emails | dnc@example.com
        https://example.com/opt-out | did not call | cannot contact | call me, not the office
        нет звонков | без звонка | no answer | не против звонка | можно звонить | opted in
        Контакт состоялся, отказ | заказ отменён | Robinson | просил перезвонить | звонить после 10
        refused delivery | Анна | умер муж | Died Müller GmbH
        """
    ),
    "",
    *phrases(
        """
        [1, 2 | {{ name }} | Texas | Несогласована | Несогласна с ценой, думает
        Клиент отписался, ждёт звонка | Незвонова Анна | не звонить в домофон | не звонить до обеда
        отказ по звонку | отказ после звонка | not called yet | стоп-лист: нет | DNC: no
        в стоп-листе нет | не состоит в чёрном списке | удалён из чёрного списка
        """
    ),
    "a longer text in which do not call may mean anything, because it tells of other people, " * 2,
    "Stop",
]


@pytest.mark.parametrize("value", OBJECTIONS)
def test_a_short_text_with_an_objection_forbids_the_call_in_any_column(value: str) -> None:
    for name in ("Статус", "tags", "Комментарий", "call_result"):
        assert ban(name, value)
        assert ban(name, ["vip", value])
        assert not ban(name, value, used=frozenset({fold_name(name)})), "the call speaks the text"


@pytest.mark.parametrize("value", OBJECTIONS)
@pytest.mark.parametrize("name", ["name", "First name", "ФИО", "Имя клиента"])
def test_a_name_with_an_objection_forbids_the_call_that_speaks_the_name(name: str, value: str) -> None:
    assert ban(name, value, used=frozenset({fold_name(name)}))
    assert not ban(name, "Анна Стоп", used=frozenset({fold_name(name)}))


@pytest.mark.parametrize(
    "words",
    phrases(
        """
        нет согласия на звонки | без согласия на обзвон | отзыв согласия на звонки
        no consent to calls | не даёт согласия на звонки | согласие на звонки отозвано
        call consent withdrawn | no call consent | не согласен на рекламные звонки
        несогласна на звонки | consent to calls: revoked, dnc | блэклист | не связываться
        не контактировать | don't ever call | do not ever call | отписка от звонков
        исключить из обзвона | удалена из базы обзвона | remove from the call list | в блеклисте
        не связывайтесь | не контактируйте | убрать из списка обзвона | withdrew his consent to calls
        optout | optedout | donotcall | donotcontact | dont phone | no more calls | wants no calls
        not to be contacted | отозвала согласие на обзвон | не желает получать звонки
        не хочу звонков | хотят, чтобы не звонили, никаких звонков | не хотят звонков
        не следует звонить | не звони | не беспокойте | не тревожьте | не надо названивать
        запрещены контакты | no need of communications | dnc | DNCR | d.n.c. | opt-out | OptedOut
        опт-аут | Unsubscribed | black list | stoplist | DoNotCall | dontcall | do not phone | nocalls
        stop calls | uncallable | не согласна, отписана | незвонить | оптаут | Стоплист
        чёрном списке | Robinsonliste | Werbesperre | Keine Anrufe | Bitte nicht mehr anrufen!
        Möchte nicht angerufen werden | қоңырау шалмаңыз | мазаламаңыз | ne pas appeler | no llamar
        не дзвонити | не телефонувати | do not contact | do not disturb | не беспокоить | не тревожить
        не набирать | не обзванивать | нет, не перезванивать | no wish for calls
        no need for marketing | отказ от коммуникаций | запрет контактов | отказ от рекламы
        ne_zvonit | D_N_C | ne telefonuvati | ne bespokoit | ne trevozhit | otkaz ot reklamy
        v chernom spiske | не\u200bзвонить
        """
    ),
)
@pytest.mark.parametrize("form", [str, str.upper, "VIP, {}.".format, "({})".format, "\u00a0{} ".format])
def test_each_word_of_an_objection_is_found_in_a_text(words: str, form: Any) -> None:
    assert ban("comment", form(words))


BANNED = phrases(
    """
    стоп | чс | отписка | отписался | отписалась | несогласен | умер | умерла | скончался | dead
    deceased | died | dnd | tps | robinson | suppressed | objected | excluded | blocked | banned
    заблокирован | no_call | no calls | no_phone_calls | no marketing | cannot call | dnc | opt-out
    """
)
TAGGED = phrases("Статус | Тип | Теги | Метка | Сегмент | group | list | tags | call_status")


@settings(max_examples=400)
@given(
    st.sampled_from(BANNED),
    st.sampled_from(TAGGED),
    st.sampled_from(["{}", "vip, {}", "{};новый", " {} ", "vip|{}"]),
    st.sampled_from([str, str.upper, str.title]),
)
def test_a_word_that_bans_as_a_name_bans_as_a_tag(word: str, column: str, form: str, case: Any) -> None:
    assert ban(case(word), "да")
    assert ban(column, form.format(case(word)))
    assert ban("props", {column: ["x", form.format(case(word))]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Статус заказа", "отказ"), ("status", "declined"), ("email_status", "blocked"), ("Тип", "ЧСБ")),
        *(("Статус", "новый, чс-2"), ("Комментарий", "ЧС"), ("Город", "Стоп"), ("Список", "стопы")),
    ],
)
def test_a_tag_that_may_mean_something_else_bans_no_one(name: str, value: str) -> None:
    assert not ban(name, value)


_WORDS = {kind: st.from_regex(pattern, fullmatch=True) for kind, pattern in objection_words._PATTERNS}
_OBJECTION = st.sampled_from(
    phrases(
        """
        OBJECTED | DONT CALL | DONT WANT CALL | NO WANT CALLS | REFUSE CALLS | FORBID CALLS
        CALLS FORBID | NO ALLOW CALLS | DONT CALL WHEN
        """
    )
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
    quick = objections.is_objection("", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objections, "_PART_OF_OBJECTIONS", re.compile(""))
        assert objections.is_objection("", text) is quick


UNTOLD = phrases(
    """
    number | date | time | hours | id | version | номер | дата | время | часы | версия | data
    personal | данных | пдн | опд | обработку | photo | video | parent | treatment | form | insurance
    paperless | terms | фото | видео | родителей | лечение | медицинский | операцию | экскурсию
    вакцинацию | списание | доставку | бки | страхование | условия | count | source | link | url
    href | text | check | counter | template | сверен | ссылка | текст | источник | количество | кол
    шаблон
    """
)
OTHER_CHANNELS = phrases(
    """
    mms | push | viber | telegram | messenger | letter | почта | смс | факс | пуш | вотсап | вайбер
    телеграм | мессенджер | письма | чат | email | sms | fax | whatsapp | newsletter | рассылка
    оферта
    """
)
HOURS_OF_THE_DAY = phrases(
    """
    after 18 | till 10 | from 9 till 18 | at 9 am | after 6 pm | between 9 and 12 | time 9-12 | on 9
    hours 9-12 | раньше 10 | ранее 10 | перед 10 | позже 20 | в час | до 10 часов | после 2 часа
    утром до 9 утра | до 7 вечера | с 2 дня | после 11 ночи | вечером | днем | ночью | до 10 мск
    до обеда | по выходным | часы 9-12 | время 9-12
    """
)
BESIDE = phrases(
    """
    is | has | was | flag | date | признак | status | статус | клиента | client | customer | at | в
    дата
    """
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
    phrases(
        """
        не раньше 10 | не позже 20 | не позднее 20 | не важно | не требуется | не указано | нет данных
        not required | no limit | no restrictions | no objections | нет ограничений
        """
    ),
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


NAMED = ["{}: {}", "{}={}", "VIP; {}: {}", "{} - {}", "{}? {}", "vip, {} : {}, Омск"]


@given(
    st.sampled_from(NAMED),
    st.sampled_from(["Согласие на звонки", "consent", "call allowed", "Можно звонить", "Согласие"]),
    st.sampled_from(["нет", "no", "Нет", "отозвано", "withdrawn 01.02.2026", "0", "не дано"]),
)
def test_a_denied_permission_in_a_text_forbids_the_call(form: str, name: str, no: str) -> None:
    assert ban("comment", form.format(name, no))
    assert not ban("comment", form.format(name, "да"))
    assert not ban("comment", form.format("SMS consent", no))


@given(
    st.sampled_from(NAMED),
    st.sampled_from(["Не звонить", "DNC", "do not call", "ЧС", "Стоп-лист"]),
    st.sampled_from(["нет", "no", "Нет", "0", "false"]),
)
def test_a_denied_ban_in_a_text_forbids_nothing(form: str, name: str, no: str) -> None:
    assert not ban("comment", form.format(name, no))
    assert ban("comment", form.format(name, "да"))
    assert ban("comment", form.format(name, no) + ", просил не звонить")


@pytest.mark.parametrize(
    "text",
    ["Звонить: не отвечает", "Звонок - нет ответа", "Согласие: на почте", "Отказ: нет", "звонили: нет"],
)
def test_a_name_and_a_longer_value_in_a_text_may_mean_anything(text: str) -> None:
    assert not ban("comment", text)


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


CONSENTS = ["consent", "opt-in", "opted in", "callable", "calls allowed", "согласие", "согласен"]
NEGATIONS = phrases(
    "no {} | not {} | нет {} | не {} | {} withdrawn | {} отозвано | {}_revoked_at | {} expired"
)
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
    names_calls = any(call in words for call in ("call", "звон"))
    assert bool(ban(channel.format(words), value)) is (names_calls and bool(ban(words, value)))


DENIED = phrases("not called yet | стоп-лист: нет | DNC: no | в стоп-листе нет | не состоит в чёрном списке")


@given(st.lists(st.sampled_from([*DENIED, *OTHERS[:40]]), max_size=4).map(" ".join))
def test_harmless_words_beside_a_ban_do_not_hide_it(words: str) -> None:
    assert ban("comment", f"{words[:30]}, не звонить")
