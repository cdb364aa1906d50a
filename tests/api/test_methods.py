"""The request classes: the values that they accept and reject, and the parameters that they send."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest
from least_requests import LEAST, informer, refused_field
from pydantic import ValidationError

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import (
    METHODS,
    AddCoach,
    Employee,
    LoginUser,
    Message,
    SendDtmf,
    StartCall,
    StartInformerCall,
    StartScenarioCall,
    StartSimpleCall,
    StartVnumberCall,
    TagCall,
    UntypedRequest,
    request_by_name,
)
from airflow_provider_callapi.api.request import Component, Repeat

OF_EACH_START = {"external_id", "virtual_phone_usage_rule", "dtmf_string", "direction"}
OF_EACH_TALK = OF_EACH_START | {"switch_at_once", "early_switching", "contact_message"}
OF_OPERATORS = {"media_file_id", "show_virtual_phone_number"}
OPTIONAL: dict[str, set[str]] = {
    "start.employee_call": OF_EACH_TALK | OF_OPERATORS | {"employee_message"},
    "start.scenario_call": OF_EACH_TALK | {"employee_message"},
    "start.vnumber_call": OF_EACH_TALK,
    "start.informer_call": OF_EACH_START | {"dialing_timeout"},
    "start.simple_call": OF_EACH_TALK | OF_OPERATORS | {"operator_message", "operator_confirmation"},
    "make.call": {"to_message"},
    "add.coach": {"phone_number"},
    "list.calls": {"direction", "virtual_phone_number"},
}
START = sorted(method for method in METHODS if method.startswith("start."))


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


@pytest.mark.parametrize("tone", [*"0123456789*#", 4])
def test_send_dtmf_sends_one_tone(tone: Any) -> None:
    request = SendDtmf.from_values({"call_session_id": 1, "dtmf_string": tone})
    assert request.params["dtmf_string"] == str(tone)


@pytest.mark.parametrize("tone", ["", ".", "12", "1\n", "a", 12, "٢"])
def test_send_dtmf_refuses_any_value_but_one_tone(tone: Any) -> None:
    values = {"call_session_id": 1, "dtmf_string": tone}
    assert refused_field(SendDtmf, values) == "dtmf_string"


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
