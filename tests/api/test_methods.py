"""The request classes: the values that they accept and reject, and the parameters that they send."""

from __future__ import annotations

import contextlib
import gc
import json
import re
import weakref
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from lone_surrogates import HALF, OF_A_FILE_NAME, TEXTS
from pydantic import ValidationError

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import (
    METHODS,
    AddCoach,
    Component,
    Employee,
    HoldCall,
    ListCalls,
    LoginUser,
    MakeCall,
    Message,
    Repeat,
    Request,
    SendDtmf,
    StartCall,
    StartEmployeeCall,
    StartInformerCall,
    StartScenarioCall,
    StartSimpleCall,
    StartVnumberCall,
    TagCall,
    UntypedRequest,
    request_by_name,
)

CALL: dict[str, Any] = {"virtual_phone_number": "74993720692", "contact": "79260000000"}
TTS = {"type": "tts", "value": "Привет"}
LEAST: dict[str, dict[str, Any]] = {
    "login.user": {"login": "me", "password": "secret"},
    "logout.user": {},
    "start.employee_call": {**CALL, "first_call": "employee", "employee": {"id": 25}},
    "start.scenario_call": {**CALL, "first_call": "contact", "scenario_id": 5},
    "start.vnumber_call": {**CALL, "first_call": "contact"},
    "start.informer_call": {**CALL, "contact_message": TTS},
    "start.simple_call": {**CALL, "first_call": "operator", "operator": "79260000001"},
    "make.call": {"call_session_id": 1, "to": "79260000000"},
    "transfer.talk": {"call_session_id": 1},
    "restore.talk": {"call_session_id": 1},
    "hold.call": {"call_session_id": 1, "contact_message": TTS},
    "unhold.call": {"call_session_id": 1},
    "add.coach": {"call_session_id": 1},
    "tag.call": {"call_session_id": 1, "tag_id": 36},
    "record.call": {"call_session_id": 1, "action": "on"},
    "disconnect.leg": {"call_session_id": 1, "leg_id": 2},
    "send.dtmf": {"call_session_id": 1, "dtmf_string": "4"},
    "block.contact": {"call_session_id": 1},
    "list.calls": {},
    "list.talk_options": {},
    "call.talk_option": {"call_session_id": 1, "button": "1"},
    "release.call": {"call_session_id": 1},
}
"""The required parameters of every method, from the vendor's document."""
OPTIONAL: dict[str, set[str]] = {
    "start.employee_call": {
        "switch_at_once",
        "early_switching",
        "media_file_id",
        "show_virtual_phone_number",
        "external_id",
        "virtual_phone_usage_rule",
        "dtmf_string",
        "direction",
        "contact_message",
        "employee_message",
    },
    "start.scenario_call": {
        "switch_at_once",
        "early_switching",
        "employee_message",
        "external_id",
        "virtual_phone_usage_rule",
        "dtmf_string",
        "direction",
        "contact_message",
    },
    "start.vnumber_call": {
        "switch_at_once",
        "early_switching",
        "external_id",
        "virtual_phone_usage_rule",
        "dtmf_string",
        "direction",
        "contact_message",
    },
    "start.informer_call": {
        "external_id",
        "virtual_phone_usage_rule",
        "dtmf_string",
        "direction",
        "dialing_timeout",
    },
    "start.simple_call": {
        "switch_at_once",
        "early_switching",
        "media_file_id",
        "show_virtual_phone_number",
        "external_id",
        "virtual_phone_usage_rule",
        "dtmf_string",
        "direction",
        "contact_message",
        "operator_message",
        "operator_confirmation",
    },
    "make.call": {"to_message"},
    "add.coach": {"phone_number"},
    "list.calls": {"direction", "virtual_phone_number"},
}
START = sorted(method for method in METHODS if method.startswith("start."))


def refused_field(request_type: type[Request[Any]], values: Mapping[str, Any]) -> str | None:
    with pytest.raises(InvalidParameters) as caught:
        request_type.from_values(values)
    error = caught.value
    assert error.permanent
    assert not error.maybe_done
    assert error.method == request_type.method
    assert error.__cause__ is None
    assert error.__context__ is None  # pydantic's own error would repeat the input
    return error.field


def informer(**values: Any) -> StartInformerCall:
    return StartInformerCall.from_values({**LEAST["start.informer_call"], **values})


# --- the table of the document ---


@pytest.mark.parametrize("method", METHODS)
def test_the_parameters_are_those_of_the_documents_table(method: str) -> None:
    fields = METHODS[method].model_fields
    required = {name for name, field in fields.items() if field.is_required()}
    assert required == set(LEAST[method])
    assert set(fields) - required == OPTIONAL.get(method, set())


@pytest.mark.parametrize("method", METHODS)
def test_null_is_never_sent_and_direction_always_is(method: str) -> None:
    expected = dict(LEAST[method])
    if method in START:
        expected["direction"] = "out"
    request_type = METHODS[method]
    absent = dict.fromkeys(OPTIONAL.get(method, set()))
    for request in (
        request_type(**LEAST[method]),
        request_type.from_values(LEAST[method]),
        request_type.from_values({**LEAST[method], **absent}),
    ):
        assert request.params == expected
        assert "null" not in json.dumps(request.params)


@pytest.mark.parametrize("method", METHODS)
def test_a_required_parameter_that_is_missing_or_none_is_named(method: str) -> None:
    for name in LEAST[method]:
        without = {key: value for key, value in LEAST[method].items() if key != name}
        assert refused_field(METHODS[method], without) == name
        assert refused_field(METHODS[method], {**LEAST[method], name: None}) == name


@pytest.mark.parametrize("method", METHODS)
def test_an_unexpected_parameter_is_refused(method: str) -> None:
    surprise = {**LEAST[method], "surprise": 1}
    assert refused_field(METHODS[method], surprise) == "surprise"
    with pytest.raises(ValidationError):
        METHODS[method](**surprise)


@pytest.mark.parametrize("method", METHODS)
def test_the_token_is_not_a_parameter_of_a_request(method: str) -> None:
    token = {**LEAST[method], "access_token": "t"}
    assert refused_field(METHODS[method], token) == "access_token"


@pytest.mark.parametrize("method", METHODS)
def test_a_request_cannot_be_changed_after_its_validation(method: str) -> None:
    request = METHODS[method].from_values(LEAST[method])
    for name in LEAST[method]:
        with pytest.raises(ValidationError):
            setattr(request, name, "x")


def test_only_safe_and_idempotent_methods_may_be_repeated() -> None:
    by_repeat = {
        repeat: {name for name, request_type in METHODS.items() if request_type.repeat is repeat}
        for repeat in Repeat
    }
    assert by_repeat[Repeat.SAFE] == {"login.user", "list.calls", "list.talk_options"}
    assert by_repeat[Repeat.IDEMPOTENT] == {
        "logout.user",
        "tag.call",
        "record.call",
        "block.contact",
        "release.call",
    }
    assert {*START, "make.call", "call.talk_option", "send.dtmf"} <= by_repeat[Repeat.NEVER]
    for request_type in METHODS.values():
        assert bool(request_type.already_done_errors) == (request_type.repeat is Repeat.IDEMPOTENT)


def test_components_are_those_of_the_documents_table() -> None:
    base = {
        "login.user",
        "logout.user",
        "start.employee_call",
        "start.vnumber_call",
        "start.simple_call",
        "release.call",
    }
    for name, request_type in METHODS.items():
        special = {
            "start.informer_call": Component.INFORMER,
            "start.scenario_call": Component.SCENARIO,
        }
        otherwise = Component.BASE if name in base else Component.MANAGEMENT
        assert request_type.component is special.get(name, otherwise), name


def test_every_start_is_a_start_call() -> None:
    for name in START:
        assert issubclass(METHODS[name], StartCall)


# --- the constructor is as strict as the service ---


@pytest.mark.parametrize(
    ("request_type", "values"),
    [
        (TagCall, {"call_session_id": "1", "tag_id": 36}),
        (TagCall, {"call_session_id": 1, "tag_id": "36"}),
        (TagCall, {"call_session_id": True, "tag_id": 36}),
        (TagCall, {"call_session_id": 1.0, "tag_id": 36}),
        (StartInformerCall, {**LEAST["start.informer_call"], "contact": 79260000000}),
        (StartInformerCall, {**LEAST["start.informer_call"], "virtual_phone_number": 74993720692}),
        (StartInformerCall, {**LEAST["start.informer_call"], "external_id": 5}),
        (StartInformerCall, {**LEAST["start.informer_call"], "dialing_timeout": "30"}),
        (StartInformerCall, {**LEAST["start.informer_call"], "dialing_timeout": True}),
        (StartInformerCall, {**LEAST["start.informer_call"], "direction": None}),
        (StartVnumberCall, {**LEAST["start.vnumber_call"], "switch_at_once": "true"}),
        (StartVnumberCall, {**LEAST["start.vnumber_call"], "switch_at_once": 1}),
        (StartSimpleCall, {**LEAST["start.simple_call"], "operator": 79260000001}),
        (StartScenarioCall, {**LEAST["start.scenario_call"], "scenario_id": "5"}),
        (AddCoach, {"call_session_id": 1, "phone_number": 79260000000}),
        (SendDtmf, {"call_session_id": 1, "dtmf_string": 4}),
        (Message, {"type": "media", "value": 2034}),
        (Employee, {"id": "25"}),
        (Employee, {"id": 25, "phone_number": 79260000001}),
    ],
)
def test_the_constructor_converts_nothing(request_type: type, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        request_type(**values)


def test_a_refused_value_is_not_repeated_by_the_constructors_error() -> None:
    with pytest.raises(ValidationError) as caught:
        LoginUser(login="me", password=918273645)  # type: ignore[arg-type]
    assert "918273645" not in str(caught.value) + repr(caught.value)
    with pytest.raises(ValidationError) as caught:
        StartInformerCall(**{**LEAST["start.informer_call"], "contact": "+7926 ошибка!"})
    assert "ошибка" not in str(caught.value) + repr(caught.value)


# --- read: the door for text ---


def test_read_converts_what_a_template_renders() -> None:
    request = StartEmployeeCall.from_values(
        {
            "first_call": "employee",
            "virtual_phone_number": 74993720692,
            "contact": "+7 926 000-00-00",
            "employee": {"id": "25", "phone_number": 79260000001},
            "switch_at_once": "true",
            "early_switching": "False",
            "media_file_id": "2701",
            "show_virtual_phone_number": "false",
            "external_id": 334,
            "contact_message": {"type": "media", "value": 2034},
        }
    )
    assert request.params == {
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": "79260000000",
        "employee": {"id": 25, "phone_number": "79260000001"},
        "switch_at_once": True,
        "early_switching": False,
        "media_file_id": 2701,
        "show_virtual_phone_number": False,
        "external_id": "334",
        "direction": "out",
        "contact_message": {"type": "media", "value": "2034"},
    }


def test_read_takes_nested_objects_as_well_as_mappings() -> None:
    request = StartEmployeeCall.from_values(
        {
            **LEAST["start.employee_call"],
            "employee": Employee(id=25),
            "contact_message": Message(type="tts", value="x"),
        }
    )
    assert request.params["employee"] == {"id": 25}
    assert request.params["contact_message"] == {"type": "tts", "value": "x"}


def test_read_omits_a_nested_none() -> None:
    values = {**LEAST["start.employee_call"], "employee": {"id": 25, "phone_number": None}}
    assert StartEmployeeCall.from_values(values).params["employee"] == {"id": 25}


@pytest.mark.parametrize(
    ("method", "values", "field"),
    [
        ("start.employee_call", {"employee": {"id": "x"}}, "employee.id"),
        ("start.employee_call", {"employee": {"phone_number": "1"}}, "employee.id"),
        ("start.employee_call", {"employee": {"id": 25, "sip": "1"}}, "employee.sip"),
        ("start.employee_call", {"employee": "25"}, "employee"),
        ("start.employee_call", {"employee": {"id": 0}}, "employee.id"),
        (
            "start.informer_call",
            {"contact_message": {"type": "mp3", "value": "1"}},
            "contact_message.type",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": ""}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": " "}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\u00a0\t"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\u200b\ufeff"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "...!"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\U0001f600"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": True}},
            "contact_message.value",
        ),
        ("start.informer_call", {"contact_message": "Привет"}, "contact_message"),
        ("start.informer_call", {"direction": "sideways"}, "direction"),
        ("start.informer_call", {"external_id": ""}, "external_id"),
        ("start.vnumber_call", {"switch_at_once": "perhaps"}, "switch_at_once"),
        ("start.vnumber_call", {"first_call": "operator"}, "first_call"),
        ("start.simple_call", {"first_call": "employee"}, "first_call"),
        ("start.simple_call", {"operator": {"id": 25}}, "operator"),
        ("start.scenario_call", {"scenario_id": "5.5"}, "scenario_id"),
        ("tag.call", {"call_session_id": "0"}, "call_session_id"),
        ("tag.call", {"call_session_id": "-1"}, "call_session_id"),
        ("tag.call", {"tag_id": ""}, "tag_id"),
        ("record.call", {"action": "true"}, "action"),
        ("hold.call", {"contact_message": {"value": "1"}}, "contact_message.type"),
    ],
)
def test_read_names_the_field_it_refuses(method: str, values: dict[str, Any], field: str) -> None:
    assert refused_field(METHODS[method], {**LEAST[method], **values}) == field


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


def test_list_calls_filters_by_a_number_that_starts_with_seven() -> None:
    assert ListCalls.from_values({"virtual_phone_number": "+74951045771"}).params == {
        "virtual_phone_number": "74951045771"
    }
    filters = {"virtual_phone_number": "442079460958"}
    assert refused_field(ListCalls, filters) == "virtual_phone_number"


def test_an_operator_of_any_type_is_sent_as_a_string() -> None:
    for operator in ("79260000001", {"id": 25, "phone_number": "79260000001"}, 79260000001):
        request = StartSimpleCall.from_values({**LEAST["start.simple_call"], "operator": operator})
        assert request.params["operator"] == "79260000001"


# --- combinations, patterns, bounds ---


@pytest.mark.parametrize("method", [method for method in START if method != "start.informer_call"])
@pytest.mark.parametrize("switch_at_once", [True, False, None])
@pytest.mark.parametrize("contact_first", [True, False])
@pytest.mark.parametrize("early_switching", [True, False, None])
def test_early_switching_needs_the_other_side_first_and_switch_at_once(
    method: str, switch_at_once: bool | None, contact_first: bool, early_switching: bool | None
) -> None:
    values = {
        **LEAST[method],
        "switch_at_once": switch_at_once,
        "early_switching": early_switching,
    }
    other_side = "operator" if method == "start.simple_call" else "employee"
    values["first_call"] = "contact" if contact_first else other_side
    if early_switching and (contact_first or not switch_at_once):
        with pytest.raises(InvalidParameters, match="early_switching"):
            METHODS[method].from_values(values)
    else:
        assert METHODS[method].from_values(values).params.get("early_switching") is early_switching


@pytest.mark.parametrize("method", START)
@pytest.mark.parametrize(
    "rule", ["fixed", "fixed_for_numa", "random", "regional_random", "regional_fixed_for_numa"]
)
def test_every_start_takes_each_rule_for_the_virtual_number(method: str, rule: str) -> None:
    request = METHODS[method].from_values({**LEAST[method], "virtual_phone_usage_rule": rule})
    assert request.params["virtual_phone_usage_rule"] == rule


@pytest.mark.parametrize("method", START)
def test_an_unknown_rule_for_the_virtual_number_is_an_error(method: str) -> None:
    with pytest.raises(InvalidParameters, match="virtual_phone_usage_rule"):
        METHODS[method].from_values({**LEAST[method], "virtual_phone_usage_rule": "any"})


@pytest.mark.parametrize("key", ["0", "9", "*", "#", "any", 5])
def test_an_operator_confirms_with_one_key_or_any_key(key: str | int) -> None:
    request = StartSimpleCall.from_values({**LEAST["start.simple_call"], "operator_confirmation": key})
    assert request.params["operator_confirmation"] == str(key)


@pytest.mark.parametrize("key", ["", "12", "a", "ANY", ".", "1\n", True])
def test_an_operator_cannot_confirm_with_any_other_value(key: str | bool) -> None:
    with pytest.raises(InvalidParameters, match="operator_confirmation"):
        StartSimpleCall.from_values({**LEAST["start.simple_call"], "operator_confirmation": key})


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


@pytest.mark.parametrize("tone", [*"0123456789*#", 4])
def test_send_dtmf_sends_one_tone(tone: Any) -> None:
    request = SendDtmf.from_values({"call_session_id": 1, "dtmf_string": tone})
    assert request.params["dtmf_string"] == str(tone)


@pytest.mark.parametrize("tone", ["", ".", "12", "1\n", "a", 12, "٢"])
def test_send_dtmf_refuses_any_value_but_one_tone(tone: Any) -> None:
    values = {"call_session_id": 1, "dtmf_string": tone}
    assert refused_field(SendDtmf, values) == "dtmf_string"


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


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, False), (1, True), (120, True), (121, False), ("25", True)]
)
def test_dialing_timeout_is_1_to_120_seconds(seconds: Any, good: bool) -> None:
    if good:
        assert informer(dialing_timeout=seconds).params["dialing_timeout"] == int(seconds)
    else:
        values = {**LEAST["start.informer_call"], "dialing_timeout": seconds}
        assert refused_field(StartInformerCall, values) == "dialing_timeout"


# --- methods that this version does not describe ---


def test_an_unknown_method_is_sent_unchanged_and_never_repeated() -> None:
    params = {"filter": {"field": "id", "value": None}, "limit": 5, "list": [None]}
    request = request_by_name("get.something", params)
    assert (request.method, request.repeat) == ("get.something", Repeat.NEVER)
    assert request.params == params
    assert request.read_answer({"any": ["thing"]}) == {"any": ["thing"]}


@pytest.mark.parametrize("params", ["abc", [], [("a", 1)], {1: 2}, 5])
def test_parameters_by_name_that_are_no_dict_are_refused(params: Any) -> None:
    with pytest.raises(InvalidParameters, match=r"^get\.something: params: a dict is needed"):
        request_by_name("get.something", params)


@pytest.mark.parametrize("method", METHODS)
def test_a_known_method_called_by_its_name_has_the_rules_of_its_class(method: str) -> None:
    request, known = request_by_name(method, {}), METHODS[method]
    assert request.repeat is known.repeat
    assert request.needs_token is known.needs_token
    assert request.already_done_errors == known.already_done_errors


def test_requests_by_name_do_not_leak_memory() -> None:
    def ask() -> weakref.ref[type[UntypedRequest]]:
        request = request_by_name("get.something", {})
        request.read_answer(None)
        return weakref.ref(type(request))

    kinds = [ask() for _ in range(3)]
    gc.collect()
    assert sum(kind() is not None for kind in kinds) <= 1


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
                "virtual_phone_number": "74993720692",
                "contact": contact,
                "contact_message": {"type": "tts", "value": "x"},
            }
        )


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


@pytest.mark.parametrize("text", ["\u3164", "\u115f\u1160", " \uffa0.", "\u200b"])
def test_a_message_of_letters_without_a_width_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameters, match=r"contact_message\.value: a text with at least one letter"):
        HoldCall.from_values({"call_session_id": 5, "contact_message": {"type": "tts", "value": text}})


@pytest.mark.parametrize("external_id", [" ", "\n\t", "\u00a0", "\u200b\u3164"])
def test_a_blank_external_id_is_refused(external_id: str) -> None:
    values = {**LEAST["start.informer_call"], "external_id": external_id}
    with pytest.raises(InvalidParameters, match="external_id: a text with a visible character is needed"):
        StartInformerCall.from_values(values)


def test_a_message_may_contain_the_word_for_a_missing_value() -> None:
    message = {"type": "tts", "value": "None of the tasks failed"}

    request = HoldCall.from_values({"call_session_id": 5, "contact_message": message})

    assert request.params["contact_message"] == message
