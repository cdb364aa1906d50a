"""The people whom an alert calls: read when the DAG is parsed, and one person only once."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from failing_callbacks import ON_DUTY, SYNC_AND_ASYNC, notifier, of_dag, of_deadline, of_task, rung
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_numbers import NUMBERS, spelled

from airflow_provider_callapi.calls.phone_numbers.strict import read_destination
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.notifications._alert.contacts import split_contacts

pytest_plugins = ["airflow_desk"]


@pytest.mark.parametrize(
    "contact",
    [
        "8 916 000-00-01",
        "8\u2011916\u2011000\u201100\u201101",
        "8/916/000/00/01",
        "9160000001",
        "89160000001",
        89160000001.0,
    ],
)
def test_a_contact_is_rung_in_every_usual_spelling(desk, contact):
    notifier(contact, region="RU")(of_dag())

    assert rung(desk) == ["79160000001"]


@pytest.mark.parametrize(
    "written", [str, tuple, json.dumps, "[{0[0]}, {0[1]}]".format, "{{'{0[0]}', '{0[1]}'}}".format]
)
def test_a_template_may_give_the_text_of_a_list(desk, written):
    desk.exchange.default_script = Script.busy()
    people = [ON_DUTY, "79160000002"]
    duty = str(written(people))

    notifier("{{ duty }}")({**of_dag(), "duty": duty})

    assert rung(desk) == people


@pytest.mark.parametrize(
    "people",
    [
        {"phone": ON_DUTY, "name": "Anna"},
        {"Anna": ON_DUTY},
        {ON_DUTY: "Anna"},
        {int(ON_DUTY): None},
        {"oncall": {"Телефон": ON_DUTY}},
        [{"name": "Anna", "телефон": int(ON_DUTY), "id": 12345678901}],
        {"duty": [ON_DUTY]},
    ],
)
def test_a_template_of_a_native_dag_may_give_a_dict(desk, people):
    with DAG("native", render_template_as_native_obj=True) as dag:
        pass

    notifier("{{ duty }}")({**of_task(), "dag": dag, "duty": people})

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(
    "written",
    [
        *('"{0}"', "'{0}'", "«{0}»", "<+{0}>", "tel:+{0}", "{0}.", "{0} (дежурный)", "Анна: +{0}", "1) {0}"),
        *("Анна +{0}; Борис {1}", "{0} - Анна\n{1} - Борис", "{0} и {1}", "1. {0}\n2. {1}", "# {0}\n- {1}"),
        *("+{0} +{1}", "+{0}+{1}", "+{0} / +{1}", '"{0}", "{1}"', '{{"a": "{0}", "b": "{1}"}}'),
        *('[{{"phone": "{0}"}}, {{"phone": "{1}"}}]', '["Анна {0}", "Борис {1}"]'),
    ],
)
@pytest.mark.parametrize("spelling", ["79260000001", "7 (926) 000-00-01"])
def test_a_rendered_contact_is_rung_whatever_stands_around_the_numbers(desk, written, spelling):
    desk.exchange.default_script = Script.busy()
    people = [spelling, spelling.replace("01", "02")]

    notifier("{{ duty }}", region="RU")({**of_dag(), "duty": written.format(*people)})

    assert rung(desk) == ["79260000001", "79260000002"][: 1 + ("{1}" in written)]


@settings(max_examples=300)
@given(spelled(NUMBERS), st.sampled_from(["{}", '"{}"', "Anna: {}", "{} (at night)", "<{}>"]))
def test_words_around_a_number_do_not_change_it(number, written):
    text, region = number[0].strip(), number[1]
    if sum(map(str.isdigit, text)) >= 10 and not set(text) & set("\u200e\u200b\u2060\u00ad\ufeff\u202a"):
        (found,) = split_contacts(written.format(text))
        try:
            expected = read_destination(text, region)
        except ValueError:
            return
        assert found == written.format(text).strip() or read_destination(found, region) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("Анна 000-00-01", "+7 926 000-00-01 доб. 2", "79260000001 #5", "Anna 79260000001 x 12"),
        *("sip25", "sip79260000001", "79260000001@x.ru", "Anna <79260000001@x.ru>", "Анна"),
    ],
)
def test_digits_that_may_be_something_else_are_left_to_the_strict_reader(text):
    assert split_contacts(text) == [text]


@SYNC_AND_ASYNC
@pytest.mark.parametrize("missing", ["{{ var.value.nobody_has_this }}", "{{ 1 / 0 }}", "{{ nonsense( }}"])
@pytest.mark.parametrize("context", [of_dag(), of_task(), pytest.param(None, id="deadline")])
def test_a_contact_that_cannot_be_rendered_does_not_keep_the_others_from_being_rung(
    desk, log, missing, context, ring
):
    ring(notifier([missing, ON_DUTY]), context or of_deadline())

    assert rung(desk) == [ON_DUTY]
    assert "contact: entry 1 of 2 cannot be rendered" in log()


@SYNC_AND_ASYNC
@pytest.mark.parametrize("contact", [f"{ON_DUTY}, {{{{ 1 / 0 }}}}", [ON_DUTY, "{{ 1 / 0 }}"]])
def test_the_log_of_a_contact_that_cannot_be_rendered_holds_no_phone_number(desk, log, contact, ring):
    ring(notifier(contact), of_deadline())

    assert "cannot be rendered, so its people are not called: ZeroDivisionError" in log()
    assert ON_DUTY not in log()


@SYNC_AND_ASYNC
@pytest.mark.parametrize("context", [of_dag(), of_task(), pytest.param(None, id="deadline")])
def test_a_contact_may_come_from_an_airflow_variable_in_every_callback(desk, monkeypatch, context, ring):
    monkeypatch.setenv("AIRFLOW_VAR_DUTY", ON_DUTY)

    ring(notifier("{{ var.value.duty }}"), context or of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("duty", ["{0}, {1}", "{0}\n{1}", "['{0}', '{1}']"])
def test_an_entry_of_a_list_may_give_several_people(desk, duty):
    desk.exchange.default_script = Script.busy()
    people = [ON_DUTY, "79160000002"]

    notifier(["{{ duty }}", "79160000003"])({**of_dag(), "duty": duty.format(*people)})

    assert rung(desk) == [*people, "79160000003"]


def test_a_set_of_people_has_the_same_order_in_every_process(desk):
    """Otherwise, each callback has an alert of its own, and a retry continues behind another person."""
    desk.exchange.default_script = Script.busy()
    people = [f"7916000000{digit}" for digit in range(1, 9)]

    notifier({*people})(of_deadline())

    assert rung(desk) == people


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("+79160000001 +79160000002", "number 1 of 1: several numbers"),
        (["79160000001", "8 916 000-00-0"], "number 2 of 2: "),
        ("7916000000179160000002", "more than 15 digits"),
        ("+8 (916) 000-00-01", "number 1 of 1: "),
        (["79160000001", "12"], "number 2 of 2: "),
        ("7916", "number 1 of 1: an extension, or a part of a phone number; write the whole number"),
        ([], "at least one"),
        (" , ", "at least one"),
    ],
)
def test_a_contact_that_cannot_be_rung_is_an_error_of_the_dag_file(contact, said):
    with pytest.raises(InvalidParameter, match=f"contact: .*{said}") as caught:
        notifier(contact)

    assert "916" not in str(caught.value)


@pytest.mark.parametrize("number", ["7495000000l", "7495000000", "+7 495 000-00-0", "abc", "1", "sip25"])
def test_a_virtual_number_that_cannot_be_read_is_an_error_of_the_dag_file(number):
    with pytest.raises(InvalidParameter, match=r"^virtual_phone_number: ") as caught:
        notifier(virtual_phone_number=number)

    assert "495" not in str(caught.value)


@pytest.mark.parametrize("contact", ["[]", " [ ] ", ",", []])
def test_a_list_without_a_contact_is_an_error_of_the_dag_file(contact):
    with pytest.raises(InvalidParameter, match="contact: at least one phone number is needed"):
        notifier(contact, region="RU")


@pytest.mark.parametrize("contact", [0o612345670, ["79160000001", 0o612345670]])
def test_a_number_that_yaml_has_read_as_octal_is_an_error_of_the_dag_file(contact):
    with pytest.raises(InvalidParameter, match="contact: YAML reads a number that begins with 0"):
        notifier(contact, region="FR")


def test_a_virtual_number_and_its_region_may_be_templates():
    notifier(virtual_phone_number="{{ var.value.number }}")
    notifier(virtual_phone_number="030 123456", region="{{ var.value.region }}")


def test_a_wrong_virtual_number_does_not_prevent_an_alert_that_is_due():
    notifier(virtual_phone_number="7495000000", context=of_deadline())


@settings(max_examples=100)
@given(spelled(NUMBERS))
def test_a_virtual_number_is_accepted_if_and_only_if_it_can_be_read(case):
    text, region, _ = case
    try:
        read_destination(text, region)
    except ValueError:
        with pytest.raises(InvalidParameter, match="virtual_phone_number: "):
            notifier(virtual_phone_number=text, contact="sip25", region=region)
    else:
        notifier(virtual_phone_number=text, contact="sip25", region=region)


@pytest.mark.parametrize(
    "own",
    [
        "duty-79160000001",
        "duty-8 916 000-00-01",
        "{{ ds }}-9160000001",
        "duty-７９１６００００００１",
        79160000001,
    ],
)
@pytest.mark.parametrize("contact", ["79160000001", ["{{ first }}", "8 916 000-00-01"]])
def test_an_external_id_that_contains_the_number_of_a_person_is_an_error_of_the_dag_file(own, contact):
    with pytest.raises(InvalidParameter, match="external_id: contains the phone number") as caught:
        notifier(contact, external_id=own)

    assert "916" not in str(caught.value)


def test_an_external_id_without_the_number_of_a_person_is_accepted():
    notifier(external_id="duty-{{ ds }}")
    notifier("{{ duty }}", external_id="{{ duty }}")
    notifier("79160000001", external_id="duty-79160000002")


def test_a_region_must_be_known_or_a_template():
    notifier(region="{{ var.value.region }}")
    for unknown in ("Russia", "ru", 7):
        with pytest.raises(InvalidParameter, match=f"region: '{unknown}'"):
            notifier(region=unknown)


def test_a_person_with_two_spellings_is_called_once(desk):
    desk.exchange.default_script = Script.busy()

    notifier([ON_DUTY, f"+{ON_DUTY}", f"8{ON_DUTY[1:]}"])(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_an_alert_of_a_person_who_is_named_twice_is_the_same_alert(desk):
    notifier(["79160000001", "8 916 000-00-01"], region="RU")(of_dag())
    desk.clock.advance(20)
    notifier("79160000001", region="RU")(of_dag())

    assert rung(desk) == ["79160000001"]


@pytest.mark.parametrize(
    "separator", [" ", "  ", "\t", "/", " / ", "|", "；", "\r\n", "\u2028", "\u00a0", ", ", ";"]
)
def test_whole_numbers_in_one_text_are_separate_people(separator):
    text = separator.join(["+79260000001", "79260000002"])
    assert split_contacts(text) == ["+79260000001", "79260000002"]


@pytest.mark.parametrize("text", ["8 926 000-00-01", "+7 926 0000001", "8/926/0000001", "sip25@example.com"])
def test_the_parts_of_one_number_are_one_person(text):
    assert split_contacts(text) == [text]
