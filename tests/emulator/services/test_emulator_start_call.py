"""The start methods: wrong requests, and who rings first."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, EMPLOYEE_PHONE, STARTS, start_params

from airflow_provider_callapi.emulator import (
    Employee,
    Script,
    State,
)
from airflow_provider_callapi.emulator.errors import ERRORS


@pytest.mark.parametrize("method", STARTS)
@pytest.mark.parametrize(
    ("changes", "mnemonic", "field"),
    [
        ({"virtual_phone_number": "74950000000"}, "virtual_phone_number_not_found", "virtual_phone_number"),
        ({"contact": "74951045771"}, "own_virtual_phone_number_not_allowed", "contact"),
        ({"contact": "44123456789"}, "call_direction_not_allowed", "contact"),
        ({"contact": "125"}, "invalid_parameter_value", "contact"),
        ({"contact": "7916"}, "invalid_parameter_value", "contact"),
        (
            {"contact_message": {"type": "media", "value": "1"}},
            "media_file_not_found",
            "contact_message.value",
        ),
        (
            {"contact_message": {"type": "tts", "value": "x" * 1001}},
            "tts_text_exceeded",
            "contact_message.value",
        ),
    ],
)
def test_a_start_that_names_something_unknown_fails(api, method, changes, mnemonic, field):
    exchange = api.exchange
    exchange.account.forbidden_prefixes.add("44")
    params = start_params(method, **changes)
    error = api.error(method, **params)
    assert (error["data"]["mnemonic"], error["data"]["field"]) == (mnemonic, field)
    assert error["code"] == ERRORS[mnemonic][0]
    assert exchange.calls == []


@pytest.mark.parametrize("method", STARTS)
def test_a_test_can_read_what_the_participants_hear(api, exchange, method):
    message = {"type": "tts", "value": "Your order is ready"}

    api.data(method, **start_params(method, contact_message=message))

    [call] = exchange.calls
    assert call.messages == {"contact_message": "Your order is ready"}


@pytest.mark.parametrize("method", STARTS)
def test_an_800_number_of_the_account_can_be_the_virtual_number(api, exchange, method):
    exchange.account.virtual_numbers.add("78001234567")
    exchange.account.number_scenarios["78001234567"] = 23456

    api.data(method, **start_params(method, virtual_phone_number="78001234567"))

    assert len(exchange.calls) == 1


@pytest.mark.parametrize("method", STARTS)
def test_a_rule_for_the_virtual_number_needs_its_component_unless_it_is_fixed(api, exchange, method):
    exchange.account.manages_numbers = False
    params = start_params(method)

    error = api.error(method, **params, virtual_phone_usage_rule="random")

    assert error["code"] == -32008
    assert error["data"]["mnemonic"] == "parameter_component_disabled"
    assert error["data"]["field"] == "virtual_phone_usage_rule"
    assert exchange.calls == []
    api.data(method, **params, virtual_phone_usage_rule="fixed")
    exchange.account.manages_numbers = True
    api.data(method, **params, virtual_phone_usage_rule="random")
    assert len(exchange.calls) == 2


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("start.simple_call", "virtual_phone_usage_rule", "sometimes"),
        ("start.simple_call", "operator_confirmation", "12"),
    ],
)
def test_a_new_parameter_with_an_unknown_value_fails(api, exchange, method, name, value):
    data = api.error(method, **{**start_params(method), name: value})["data"]

    assert (data["mnemonic"], data["field"]) == ("invalid_parameter_value", name)
    assert exchange.calls == []


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("start.employee_call", -32002),
        ("start.simple_call", -32002),
        ("start.scenario_call", -32602),
        ("start.vnumber_call", -32602),
        ("start.informer_call", -32602),
    ],
)
def test_a_blacklisted_contact_has_the_code_of_the_method(api, exchange, method, code):
    exchange.account.blacklist.add(CONTACT)
    params = start_params(method)
    error = api.error(method, **params)
    assert (error["data"]["mnemonic"], error["code"]) == ("contact_in_blacklist", code)
    assert error["message"] == f"The contact {CONTACT} has been found in the blacklist"
    assert exchange.rings(CONTACT) == 0


@pytest.mark.parametrize(
    ("method", "changes", "mnemonic", "code"),
    [
        ("start.employee_call", {"employee": {"id": 9}}, "employee_not_found", -32602),
        ("start.employee_call", {"employee": {"id": 99}}, "no_active_phone_number", -32602),
        (
            "start.employee_call",
            {"employee": {"id": 25, "phone_number": "79999999999"}},
            "no_active_phone_number",
            -32602,
        ),
        ("start.employee_call", {"media_file_id": 1}, "media_file_not_found", -32602),
        ("start.scenario_call", {"scenario_id": 1}, "scenario_not_found", -32602),
        (
            "start.vnumber_call",
            {"virtual_phone_number": "74951045771"},
            "scenario_not_found",
            -32007,
        ),
        (
            "start.simple_call",
            {"operator": "74951045771"},
            "own_virtual_phone_number_not_allowed",
            -32602,
        ),
    ],
)
def test_each_start_method_has_its_own_errors(api, method, changes, mnemonic, code):
    api.exchange.account.employees[99] = Employee(id=99, full_name="Без телефона")
    params = start_params(method, **changes)
    error = api.error(method, **params)
    assert (error["data"]["mnemonic"], error["code"]) == (mnemonic, code)


@pytest.mark.parametrize("method", ["start.employee_call", "start.scenario_call"])
def test_the_second_side_rings_when_the_first_has_answered(api, exchange, clock, method):
    api.start(method, first_call="employee")
    assert api.leg_states() == [["Дозвон"]]
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (1, 0)
    clock.advance(2)
    assert api.leg_states() == [["Разговор", "Дозвон"]]
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (1, 1)
    assert exchange.calls[0].answered_at is None
    clock.advance(3)
    assert api.leg_states() == [["Разговор", "Разговор"]]
    assert exchange.calls[0].state is State.TALK
    clock.advance(10)
    assert exchange.calls[0].finish_reason == "subscriber_disconnects"


def test_the_contact_rings_first_on_request(api, exchange, clock):
    api.start(first_call="contact")
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (0, 1)
    clock.advance(3)
    assert exchange.calls[0].answered_at == exchange.calls[0].started_at + 3
    assert exchange.calls[0].state is State.SESSION
    clock.advance(2)
    assert exchange.calls[0].state is State.TALK


def test_all_the_phones_of_an_employee_ring_in_turn(api, exchange, clock):
    exchange.script("79260000002", Script.no_answer(rings=5))
    api.start(employee={"id": 26})
    clock.advance(5)
    assert api.leg_states() == [["Разъединено", "Дозвон"]]
    assert (exchange.rings("79260000002"), exchange.rings("79260000003")) == (1, 1)
    assert exchange.rings(CONTACT) == 0


def test_a_scenario_without_an_employee_cannot_ring_the_employee_first(api, exchange):
    params = start_params("start.scenario_call", scenario_id=23457, first_call="employee")

    assert api.error("start.scenario_call", **params)["data"]["mnemonic"] == "no_active_phone_number"
    assert exchange.calls == []
