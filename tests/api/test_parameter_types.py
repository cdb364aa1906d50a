"""The types of parameters: the values that they accept, convert and refuse, seen through the requests."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from known_numbers import VNUMBER
from least_requests import LEAST, informer, refused_field
from lone_surrogates import HALF, OF_A_FILE_NAME, TEXTS

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import (
    METHODS,
    AddCoach,
    HoldCall,
    MakeCall,
    StartEmployeeCall,
    StartInformerCall,
    TagCall,
)

# --- whole numbers ---


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("tag.call", "call_session_id"),
        ("tag.call", "tag_id"),
        ("disconnect.leg", "leg_id"),
        ("start.scenario_call", "scenario_id"),
        ("start.informer_call", "dialing_timeout"),
    ],
)
def test_read_refuses_a_boolean_as_a_number(method: str, field: str) -> None:
    """``call_session_id=True`` would control call session 1, which is another call."""
    assert refused_field(METHODS[method], {**LEAST[method], field: True}) == field


def test_read_refuses_a_boolean_as_an_employee() -> None:
    values = {**LEAST["start.employee_call"], "employee": {"id": True}}
    assert refused_field(StartEmployeeCall, values) == "employee.id"


def test_read_refuses_a_number_with_separators() -> None:
    values = {"call_session_id": "2_5", "tag_id": 36}
    assert refused_field(TagCall, values) == "call_session_id"


@given(value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_read_either_sends_the_documents_types_or_names_the_field(value: Any) -> None:
    field = None
    try:
        sent = TagCall.from_values({"call_session_id": value, "tag_id": 36}).params["call_session_id"]
    except InvalidParameters as error:
        field = error.field
    assert field == "call_session_id" or (type(sent) is int and sent > 0)


# --- phone numbers ---


@pytest.mark.parametrize(
    ("given_number", "sent"),
    [
        ("79260000000", "79260000000"),
        ("+79260000000", "79260000000"),
        ("+7 926 000-00-00", "79260000000"),
        ("+7 (926) 000-00-00", "79260000000"),
        (" +7\u00a0926\u00a0000\u00a000\u00a000", "79260000000"),
        (79260000000, "79260000000"),
        ("+44 20 7946 0958", "442079460958"),
    ],
)
@pytest.mark.parametrize("field", ["contact", "virtual_phone_number"])
def test_a_phone_number_is_sent_as_digits_without_plus(field: str, given_number: Any, sent: str) -> None:
    assert informer(**{field: given_number}).params[field] == sent


@pytest.mark.parametrize(
    "number",
    ["", "None", "nan", "8 926 000 00 00", "Иван", "79260000000;79260000001", float("nan"), "+"],
)
@pytest.mark.parametrize("field", ["contact", "virtual_phone_number"])
def test_a_value_that_is_no_phone_number_is_refused(field: str, number: Any) -> None:
    values = {**LEAST["start.informer_call"], field: number}
    assert refused_field(StartInformerCall, values) == field


@pytest.mark.parametrize("number", [79260000000.0, "79260000000.0"])
def test_a_phone_number_that_became_a_float_is_not_sent_with_a_decimal_point(number: Any) -> None:
    """A column of phone numbers with one gap is a column of floats in pandas."""
    sent = None
    with contextlib.suppress(InvalidParameters):  # refusing is as good as repairing
        sent = informer(contact=number).params["contact"]
    assert sent in (None, "79260000000")


@pytest.mark.parametrize(
    ("given_number", "sent"),
    [("+7 926 000-00-01", "79260000001"), ("79260000001", "79260000001"), ("101", "101")],
)
def test_an_employees_and_a_coachs_number_lose_their_plus_too(given_number: str, sent: str) -> None:
    values = {**LEAST["start.employee_call"], "employee": {"id": 25, "phone_number": given_number}}
    assert StartEmployeeCall.from_values(values).params["employee"]["phone_number"] == sent
    coach = AddCoach.from_values({"call_session_id": 1, "phone_number": given_number})
    assert coach.params["phone_number"] == sent


@pytest.mark.parametrize("number", ["٧٩٢٦٠٠٠٠٠٠٠", "７９２６００００００１", "Вася1"])
@pytest.mark.parametrize("field", ["contact", "virtual_phone_number"])
def test_only_ascii_digits_are_digits(field: str, number: str) -> None:
    values = {**LEAST["start.informer_call"], field: number}
    assert refused_field(StartInformerCall, values) == field


def test_a_contact_may_be_a_sip_number() -> None:
    assert informer(contact="0021234").params["contact"] == "0021234"


@given(st.lists(st.sampled_from(["79260000001", "sip25", "x.ru", ""]), min_size=2, max_size=4).map("@".join))
@example("@79260000001")
@example("79260000001@")
def test_the_at_of_a_sip_address_stands_once_between_a_name_and_a_domain(address: str) -> None:
    values = {**LEAST["start.informer_call"], "contact": address}
    name, _, domain = address.partition("@")

    if name and domain and "@" not in domain and re.search("[0-9]", address):
        assert StartInformerCall.from_values(values).contact == address
    else:
        assert refused_field(StartInformerCall, values) == "contact"


def test_the_error_of_a_refused_number_explains_the_expected_form() -> None:
    with pytest.raises(InvalidParameters, match=r"E\.164 .*digits only, the country code first, no '\+'"):
        informer(virtual_phone_number="8 926 000 00 00")


@pytest.mark.parametrize(
    "contact",
    [
        "8-916-123-45-67",
        "7.916.123.45.67",
        "89161234567",
        "7916123456779161234568",
        "+79161234567 +79161234568",
        "+8 (495) 123-45-67",
        "+7 916 123-45-67 (2)",
        "4.3664E11",
        "0916123456",
    ],
)
def test_a_phone_number_in_another_form_is_not_read_as_a_sip_number(contact: str) -> None:
    with pytest.raises(InvalidParameters, match="contact"):
        StartInformerCall.from_values(
            {
                "virtual_phone_number": VNUMBER,
                "contact": contact,
                "contact_message": {"type": "tts", "value": "x"},
            }
        )


@pytest.mark.parametrize("extension", ["5", "12", 12, "101", "10001"])
@pytest.mark.parametrize(("method", "name"), [("make.call", "to"), ("add.coach", "phone_number")])
def test_the_third_party_and_the_coach_can_have_an_extension_of_any_documented_length(
    method: str, name: str, extension: str | int
) -> None:
    request = METHODS[method].from_values({"call_session_id": 1, name: extension})
    assert request.params[name] == str(extension)


@pytest.mark.parametrize("number", ["", "+5", "5 ", "anna", "7.926.000.00.01", "8926000000"])
def test_the_third_party_can_have_no_other_short_or_strange_number(number: str) -> None:
    assert refused_field(MakeCall, {"call_session_id": 1, "to": number}) == "to"


# --- phone keys ---


@pytest.mark.parametrize("tones", [".12.1..4", "1", "*#0", "..."])
def test_dtmf_of_a_start_is_tones_and_pauses(tones: str) -> None:
    assert informer(dtmf_string=tones).params["dtmf_string"] == tones


@pytest.mark.parametrize("tones", ["", "1,2", "w1", "1 2", "1\n", "٢", "A"])
def test_dtmf_of_a_start_refuses_other_signs(tones: str) -> None:
    values = {**LEAST["start.informer_call"], "dtmf_string": tones}
    assert refused_field(StartInformerCall, values) == "dtmf_string"


@given(st.from_regex(r"[0-9.]([0-9.:_xbeo]*[0-9.])?", fullmatch=True))
@example("0123")
@example("12:30")
@example("1_2")
@example("0x10")
@example("0b11")
@example("1234")
@example(".12")
def test_tones_without_quotation_marks_in_yaml_are_sent_as_they_are_written_or_refused(tones: str) -> None:
    values = {**LEAST["start.informer_call"], **yaml.safe_load(f"dtmf_string: {tones}")}

    with contextlib.suppress(InvalidParameters):
        assert StartInformerCall.from_values(values).dtmf_string == tones


@pytest.mark.parametrize("tones", [83, 1234, 0.5])
def test_the_error_about_tones_as_a_number_asks_for_quotation_marks(tones: Any) -> None:
    with pytest.raises(InvalidParameters, match=r"dtmf_string: .* in quotation marks"):
        informer(dtmf_string=tones)


# --- texts ---


@given(TEXTS)
@example(f"Борис {HALF}")
@example(OF_A_FILE_NAME)
@pytest.mark.parametrize("field", ["contact", "external_id", "contact_message.value", "dtmf_string"])
def test_a_text_is_sent_with_whole_characters_or_refused_with_its_field(field: str, text: str) -> None:
    name, _, inner = field.partition(".")
    values = {**LEAST["start.informer_call"], name: {"type": "tts", inner: text} if inner else text}
    refused_as = None
    try:
        sent = StartInformerCall.from_values(values).params
    except InvalidParameters as error:
        refused_as = error.field
    assert refused_as == field or json.dumps(sent, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "word", ["None", " None ", "none", "null", "NULL", "nan", "NaN", "NaT", "<NA>", "undefined"]
)
def test_a_message_is_not_the_word_for_a_missing_value(word: str) -> None:
    """A program wrote the missing text as a text, and a person would hear the word."""
    with pytest.raises(
        InvalidParameters, match=r"contact_message\.value: a text is needed, and not the word"
    ):
        HoldCall.from_values({"call_session_id": 5, "contact_message": {"type": "tts", "value": word}})


@pytest.mark.parametrize("character", ["\0", "\a", "\x1b", "\x7f"])
def test_a_text_with_a_control_character_is_refused(character: str) -> None:
    message = {"type": "tts", "value": f"Hello{character}"}
    for changes in ({"external_id": f"order{character}7"}, {"contact_message": message}):
        with pytest.raises(InvalidParameters, match="without control characters"):
            StartInformerCall.from_values({**LEAST["start.informer_call"], **changes})
    text = "first line\r\n\tsecond line"
    assert HoldCall.from_values({"call_session_id": 5, "contact_message": {"type": "tts", "value": text}})


@pytest.mark.parametrize("text", ["\u3164", "\u115f\u1160", " \uffa0.", "\u200b"])
def test_a_message_of_letters_without_a_width_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameters, match=r"contact_message\.value: a text with at least one letter"):
        HoldCall.from_values({"call_session_id": 5, "contact_message": {"type": "tts", "value": text}})


def test_a_message_may_contain_the_word_for_a_missing_value() -> None:
    message = {"type": "tts", "value": "None of the tasks failed"}

    request = HoldCall.from_values({"call_session_id": 5, "contact_message": message})

    assert request.params["contact_message"] == message


@pytest.mark.parametrize("external_id", [" ", "\n\t", "\u00a0", "\u200b\u3164"])
def test_a_blank_external_id_is_refused(external_id: str) -> None:
    values = {**LEAST["start.informer_call"], "external_id": external_id}
    with pytest.raises(InvalidParameters, match="external_id: a text with a visible character is needed"):
        StartInformerCall.from_values(values)
