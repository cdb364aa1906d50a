"""Texts whose letters a program has lost are recognised, and texts of any language are not taken for them."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.texts import damaged_text
from airflow_provider_callapi.calls.texts.damaged_text import (
    has_codes,
    has_failed_formula,
    has_gap,
    has_machine_time,
    has_nested_text,
    has_rounded_number,
    has_unfilled_field,
    is_damaged,
)

RUSSIAN = st.from_regex(r"[А-ЯЁ][а-яё]{2,8}( [А-ЯЁ][а-яё]{1,8})?", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *(("utf-8", "cp1251"), ("utf-8", "cp1252"), ("utf-8", "latin-1")),
        *(("cp1251", "utf-8"), ("cp1251", "latin-1"), ("cp1251", "ascii")),
    ],
)
@given(name=RUSSIAN, around=st.sampled_from(["{}", "Hello {}!", '"{}", 7']))
def test_a_name_that_was_read_in_another_encoding_is_damaged(
    written: str, read: str, name: str, around: str
) -> None:
    assert is_damaged(around.format(name.encode(written).decode(read, "replace")))
    assert not is_damaged(around.format(name))


@pytest.mark.parametrize("name", ["Нұрсұлтан", "Айгүл", "Әсел", "Қайрат", "Ґалаґан"])
def test_a_name_whose_letters_an_encoding_lacks_is_damaged(name: str) -> None:
    lost = name.encode("cp1251", "replace").decode("cp1251")
    assert is_damaged(lost) == ("?" in lost)
    assert is_damaged(f"Здравствуйте, {lost}!") == ("?" in lost)


@pytest.mark.parametrize("text", ["«Что?Где?Когда?»", "Готовы?Да", "Как дела? хорошо", "???"[:1], "что?"])
def test_a_question_mark_that_ends_a_sentence_is_no_lost_letter(text: str) -> None:
    assert not is_damaged(text)


@pytest.mark.parametrize("name", ["Га", "Ро", "Ия"])
def test_a_name_of_two_letters_that_was_read_in_another_encoding_is_damaged(name: str) -> None:
    assert is_damaged(name.encode("utf-8").decode("cp1251", "replace"))


@pytest.mark.parametrize("name", ["José", "Müller", "Łukasz Öl", "D’Artagnan", "Über"])
def test_a_name_with_accents_that_was_read_in_another_encoding_is_damaged(name: str) -> None:
    damaged = name.encode("utf-8").decode("cp1252", "replace")
    assert is_damaged(damaged), damaged


@given(name=RUSSIAN)
def test_a_name_that_was_read_as_dos_text_is_damaged(name: str) -> None:
    assert is_damaged(name.encode("utf-8").decode("cp866"))


def _misread(text: str, encoding: str) -> str:
    """Return UTF-8 as a program reads it that takes bytes without a letter for control characters."""
    signs = (bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in text.encode())
    return "".join(signs)


ALPHABETS = {
    "Turkish": ("çğışöüÇĞİŞÖÜ", 1, ("cp1252", "cp1254")),
    "Polish": ("ąćęłńóśźżŁŚŻ", 1, ("cp1252",)),
    "Hebrew": ("".join(map(chr, range(0x5D0, 0x5EB))), 2, ("cp1251", "cp1252")),
    "Georgian": ("".join(map(chr, range(0x10D0, 0x10F1))), 2, ("cp1251", "cp1252")),
    "Armenian": ("".join(map(chr, range(0x561, 0x587))), 2, ("cp1251", "cp1252")),
    "Kazakh": ("әғқңөұүһіӘҒҚҢӨҰҮҺІабвгдлмн", 3, ("cp1251", "cp1252")),
}


@given(st.text(st.sampled_from("aZñéßÐРЯяёьл»—“?. \ufffd╨")) | RUSSIAN)
def test_the_quick_answer_is_that_of_the_whole_search(text: str) -> None:
    quick = is_damaged(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(damaged_text, "_UNUSUAL", re.compile(""))
        assert is_damaged(text) is quick


@given(st.data(), st.sampled_from(sorted(ALPHABETS)), st.sampled_from(["", "Hello ", "Здравствуйте, «"]))
def test_a_name_of_another_alphabet_that_was_read_in_another_encoding_is_damaged(
    data: st.DataObject, alphabet: str, before: str
) -> None:
    letters, fewest, encodings = ALPHABETS[alphabet]
    name = data.draw(st.text(letters, min_size=fewest, max_size=6))
    assert not is_damaged(f"{before}A {'-'.join(name)}!")
    assert is_damaged(before + _misread(name, data.draw(st.sampled_from(encodings))) + "!")


@pytest.mark.parametrize(
    "name", ["AyÅŸe", "Ä°brahim", "Mьller", "GroЯ", "M?ller", "?ukasz", "Bj?rn", "JosÃ©"]
)
def test_a_name_with_one_wrong_letter_is_damaged(name: str) -> None:
    assert is_damaged(name)
    assert is_damaged(f"Здравствуйте, {name}! Ваш заказ")


@pytest.mark.parametrize(
    "text",
    [
        *("ok?yes", "vip?y/n", "a?b", "Why?Because", "http://x.ru/a?be=1", "Hello, Anna? yes", "Vip?"),
        *("NESTLÉ®", "CAFÉ»", "„Spaß“", "PERCHÈ…", "ADIÓS…", "СІРІ", "ТІНІ", "ДІДІ", "всё", "Тё", "«Ёлка»"),
        *("BMWшный", "SMSку", "Cафe", "IT-отдел", "3D-печать", "Ünal", "Şəhla", "Ţara", "Ș", "Ґанок"),
    ],
)
def test_signs_and_letters_that_people_write_together_are_not_damaged(text: str) -> None:
    assert not is_damaged(text)


@given(name=RUSSIAN)
def test_a_name_of_question_marks_is_damaged(name: str) -> None:
    assert is_damaged("Здравствуйте, " + name.encode("ascii", "replace").decode())


@pytest.mark.parametrize(
    "text",
    [
        *phrases(
            """
            Élodie Ça | Ýmir Þórður | Ñandú | Größe Öl | Ærøskøbing | Łódź | Çağrı | États-Unis | СІРІУС
            Сєр Рівне | РЎ | СССР | Ёлка № 5 | 日本 | Nguyễn | Что?? | amanhã”, “São”, manhã–noite | Алло???
            ? | a ?? b
            """
        ),
        "",
        "расисты",
        "сёрсёр",
        "Ådne",
    ],
)
def test_a_text_of_any_language_is_not_damaged(text: str) -> None:
    assert not is_damaged(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        ООО &quot;Ромашка&quot; | Tom &amp; Jerry | Анна<br>Ивановна | Анна<BR/> | \\u0410\\u043d
        %u0410%u043D | &#1040; | &#x410; | O&rsquo;Brien | &ldquo;Ромашка&rdquo; | Анна &hellip;
        Jos&eacute; | &NBSP;Анна&nbsp; | <b>Анна</b> | <p>Анна</p> | <span class="name">Анна</span>
        <FONT color=red>Анна | <br/> | ="Анна" | Hello ="Anna" | /Date(1764547200000)/
        /Date(-86400000+0300)/ | =VLOOKUP(A1;B:C;2) | =ВПР(A1;B:C;2;0)
        b'Anna' | =D0=90=D0=BD=D0=BD=D0=B0 | =?UTF-8?B?0JDQvdC90LA=?= | =?koi8-r?q?=E1?= Ivanov
        <![CDATA[Анна]]>
        Decimal('12.50') | datetime.date(2026, 1, 1) | to Timestamp('2026-01-01')
        <a.B object at 0x7f>
        """
    ),
)
def test_codes_instead_of_letters_are_noticed(text: str) -> None:
    assert has_codes(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        AT&T | R&D; 5 | 100 % & 5 % | a < b | C:\\users | <Без имени> | %D0%90%D0%BD | Tom & Jerry;
        x <y> z | размер <S> | Группа <A> | size="5" | a&bcde; | Timestamp (UTC) | a=? | x = sum(5)
        c'est b'en | 2+2=4 | datetime.date
        """
    ),
)
def test_signs_in_a_text_are_no_codes(text: str) -> None:
    assert not has_codes(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        Анна [object Object] | ['Анна'] | Hello ["Anna", "Boris"]! | {"first": "Анна"} | {'a': 1}
        [1, 2] | [ -1.5,2 ] | []
        Order {}! | ('Анна',) | ('Anna', 'Boris')
        """
    ),
)
def test_the_text_of_a_list_or_dict_is_noticed(text: str) -> None:
    assert has_nested_text(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        [7] | order [A-1] | {Anna} | it's [ok] | {{ contact.x }} | (Анна) | [ ] | [1-2] | (1, 2)
        ('Анна') | [1, A] | дом 5 (корп. 1, 2)
        """
    ),
)
def test_brackets_in_a_text_are_no_list(text: str) -> None:
    assert not has_nested_text(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        Анна nan | nan Анна | Иванов None | Здравствуйте, None! | Anna NaN | NaT | Anna <NA> B
        Анна N/A | Anna N/A | Анна Null | Анна Н/Д | Анна null | null Анна | Анна undefined
        Анна (null) | NULL Ивановна
        """
    ),
)
def test_a_programs_word_for_a_missing_value_is_noticed(text: str) -> None:
    assert has_gap(text)


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        None of your orders | my nan | Nan Goldin | Нан | NONE | NaNa | banan Анна | NA | ANNA
        Null Anna | в/ч 5, н/дом | N/AB | 24/7 | http://a/N/A/b | null and void | undefined
        Annulla Анна | nullify Анна
        """
    ),
)
def test_a_word_of_people_is_no_missing_value(text: str) -> None:
    assert not has_gap(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-12-01T10:05",
            "2026-12-01t10:05:00",
            "at 2026-12-01T10:05:00.123Z!",
            "2026-12-01T07:05+03:00",
        ),
        *("Tue Dec 01 2026 00:00:00 GMT+0300 (Москва)", "in 1 day, 0:00:00", "2 days, 10:05:00"),
        *("2026-12-01 07:00:00+00:00", "2026-12-01 07:00:00+00", "2026-12-01 07:00:00.5-0300"),
    ],
)
def test_a_time_in_a_form_for_programs_is_noticed(text: str) -> None:
    assert has_machine_time(text)


@given(st.datetimes(timezones=st.timezones()))
def test_pythons_text_of_a_time_with_a_zone_is_in_a_form_for_programs(value: datetime) -> None:
    assert has_machine_time(str(value))
    assert has_machine_time(value.isoformat())


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        5 days, 10:05 | at 10:05:00 UTC
        2026-12-01 | 01.12.2026 10:05 | 2026-12-01 10:05:00 | 2026-12-01 10:05-11:00 | 10:05+3
        2026-12-01 10:05 - 11:05 | order 2026-12-01-7: ready | 8-926-000-00-01: 10:05
        2026-12-01 T1:5
        """
    ),
)
def test_a_time_that_people_write_stays(text: str) -> None:
    assert not has_machine_time(text)


NAMES = st.from_regex(r"\A[a-zA-Zа-яА-Я][a-zA-Zа-яА-Я_]{1,11}\Z")
FIELDS = ("{{{{{0}}}}}", "{{{{ contact.{0} }}}}", "${{{0}}}", "%{0}%", "*|{0}|*", "[[{0}]]")


@given(NAMES, st.sampled_from(FIELDS), st.sampled_from(["", "Здравствуйте, "]), st.sampled_from(["", "!"]))
def test_a_field_that_another_program_has_not_filled_in_is_noticed(
    name: str, field: str, before: str, after: str
) -> None:
    assert has_unfilled_field(before + field.format(name) + after)


@pytest.mark.parametrize("text", ["[Имя]", "<Имя клиента>", "[first_name], hello", "<FNAME>"])
def test_the_name_of_a_person_in_brackets_is_a_field(text: str) -> None:
    assert has_unfilled_field(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "<Ромашка>",
            "(Имя)",
            "[Анна]",
            "{5}",
            "100 % и 50 %",
            "5% скидка, 10% бонус",
            "%D0%90%D0%BD",
            "$5",
        ),
        *("a * b | c", "[7]", "order [A-1]", "ООО {Ромашка}", "100%natural%", "Имя", "{}", "[[1, 2]"),
    ],
)
def test_signs_around_other_words_are_no_field(text: str) -> None:
    assert not has_unfilled_field(text)


@pytest.mark.parametrize("text", ["Анна #N/A", "#N/A Иванова", "#ССЫЛКА! Анна", "Anna #REF!", "#ИМЯ? 5"])
def test_a_failed_formula_beside_words_is_noticed(text: str) -> None:
    assert has_failed_formula(text)


@pytest.mark.parametrize("text", ["дом #7", "#акция!", "Наша #АКЦИЯ!", "C# 5", "#имя", "номер #5/1"])
def test_a_hash_sign_is_no_failed_formula(text: str) -> None:
    assert not has_failed_formula(text)


@given(st.floats(1e16, 1e99), st.sampled_from([".", ","]))
def test_a_number_that_a_spreadsheet_has_rounded_is_noticed(number: float, point: str) -> None:
    text = f"{number:.5E}".replace(".", point)
    assert has_rounded_number(text)
    assert has_rounded_number(f"Счёт {text}!")


@pytest.mark.parametrize("text", ["1E5", "E+12", "A1E+10", "1.5e3", "12E+10", "model 5E+"])
def test_another_word_is_no_rounded_number(text: str) -> None:
    assert not has_rounded_number(text)
