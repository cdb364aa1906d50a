"""Every error of the vendor's document can be had, with its text, code, field and value."""

from __future__ import annotations

import json

import pytest

from airflow_provider_callapi.api.methods import METHODS, Component
from airflow_provider_callapi.emulator import Account, Employee, Exchange, Fault, Key, Role
from airflow_provider_callapi.emulator.errors import ERRORS, WITHOUT_LIMITS

CONTACT = "79161234567"
VNUMBER = "74993720692"
TTS = {"type": "tts", "value": "Привет"}
INFORMER = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS}
STARTS = {
    "start.employee_call": {"first_call": "employee", "employee": {"id": 25}},
    "start.scenario_call": {"first_call": "employee", "scenario_id": 23456},
    "start.vnumber_call": {"first_call": "employee"},
    "start.informer_call": {"contact_message": TTS},
    "start.simple_call": {"first_call": "operator", "operator": "79260000055"},
}


def start(method, **changes):
    numbers = {"virtual_phone_number": VNUMBER, "contact": CONTACT}
    return method, {**numbers, **STARTS[method], **changes}


# --- parameters ---


@pytest.mark.parametrize(
    ("changes", "mnemonic", "field", "value"),
    [
        ({"contact": 79161234567}, "data_type_error", "contact", 79161234567),
        ({"contact": "номер"}, "invalid_parameter_value", "contact", "номер"),
        ({"contact": "+79161234567"}, "invalid_parameter_value", "contact", "+79161234567"),
        ({"contact": "125"}, "invalid_parameter_value", "contact", "125"),
        ({"external_id": None}, "data_type_error", "external_id", None),
        ({"direction": "up"}, "invalid_parameter_value", "direction", "up"),
        ({"direction": 1}, "data_type_error", "direction", 1),
        ({"dtmf_string": "1a"}, "invalid_parameter_value", "dtmf_string", "1a"),
        ({"dialing_timeout": 121}, "invalid_parameter_value", "dialing_timeout", 121),
        ({"dialing_timeout": "25"}, "data_type_error", "dialing_timeout", "25"),
        ({"dialing_timeout": True}, "data_type_error", "dialing_timeout", True),
        ({"colour": "red"}, "unexpected_parameters", "colour", "red"),
        (
            {"contact_message": {"type": "media", "value": 237}},
            "data_type_error",
            "contact_message.value",
            237,
        ),
        (
            {"contact_message": {"type": "tts"}},
            "required_parameter_missed",
            "contact_message.value",
            None,
        ),
        ({"contact_message": "Привет"}, "data_type_error", "contact_message", "Привет"),
    ],
)
def test_parameters_are_checked_strictly(desk, changes, mnemonic, field, value):
    data = desk.refused("start.informer_call", **{**INFORMER, **changes})["data"]
    assert (data["mnemonic"], data["field"], data["value"]) == (mnemonic, field, value)


def test_the_vendors_example_of_an_error_comes_back_in_every_detail(desk):
    error = desk.refused("start.informer_call", **{**INFORMER, "contact": 5})
    del error["data"]["metadata"]
    assert error == {
        "code": -32602,
        "message": "Data supplied is of wrong type",
        "data": {
            "mnemonic": "data_type_error",
            "field": "contact",
            "value": 5,
            "params": {"object": None},
            "extended_helper": None,
        },
    }


def test_a_missing_parameter_is_named_and_has_no_value(desk):
    data = desk.refused("tag.call", call_session_id=1)["data"]
    assert (data["mnemonic"], data["field"], data["value"]) == (
        "required_parameter_missed",
        "tag_id",
        None,
    )


@pytest.mark.parametrize(("first_call", "switch_at_once"), [("contact", True), ("employee", False)])
def test_early_switching_needs_its_combination(desk, first_call, switch_at_once):
    method, params = start("start.employee_call", first_call=first_call, early_switching=True)
    error = desk.refused(method, **params, switch_at_once=switch_at_once)
    assert error["data"]["mnemonic"] == "invalid_parameters_combination"
    assert error["message"] == "The combination of parameters is not permitted"


# --- the envelope ---


@pytest.mark.parametrize(
    ("body", "mnemonic", "request_id"),
    [
        ([{"jsonrpc": "2.0"}], "batch_opreations_not_supported", None),
        ([], "batch_opreations_not_supported", None),
        ("text", "invalid_request", None),
        ({"jsonrpc": "2.0", "method": "list.calls", "params": {}}, "notifications_not_supported", None),
        ({"id": 1, "method": "list.calls", "params": {}}, "invalid_request", 1),
        ({"jsonrpc": "2.0", "id": None, "method": "list.calls", "params": {}}, "invalid_request", None),
        ({"jsonrpc": "2.0", "id": True, "method": "list.calls", "params": {}}, "invalid_request", None),
        ({"jsonrpc": "2.0", "id": "a", "method": "list.calls"}, "invalid_request", "a"),
        ({"jsonrpc": "2.0", "id": "a", "method": "list.calls", "params": []}, "invalid_request", "a"),
        ({"jsonrpc": "2.0", "id": 7, "method": "no.such", "params": {}}, "method_not_found", 7),
    ],
)
def test_an_envelope_that_is_not_one_is_refused(exchange, body, mnemonic, request_id):
    answer = exchange.handle(body)
    assert answer["id"] == request_id
    assert answer["error"]["data"]["mnemonic"] == mnemonic
    assert (answer["error"]["code"], answer["error"]["message"]) == ERRORS[mnemonic]


def test_bytes_that_are_not_json_are_a_parse_error(exchange):
    for body in (b"{", b"\xff"):
        answer = exchange.handle_bytes(body, content_type="application/json; charset=UTF-8")
        assert answer["error"]["data"]["mnemonic"] == "parse_error"


@pytest.mark.parametrize(
    ("content_type", "mnemonic"),
    [
        ("application/json; charset=cp1251", "character_encoding_not_allowed"),
        ("application/json", "invalid_request"),
        ("text/plain; charset=UTF-8", "invalid_request"),
    ],
)
def test_the_content_type_is_the_one_of_the_document(exchange, content_type, mnemonic):
    body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "x"}}
    answer = exchange.handle_bytes(json.dumps(body).encode(), content_type=content_type)
    assert answer["error"]["data"]["mnemonic"] == mnemonic


# --- who is asking ---


def test_a_wrong_login_is_an_auth_error(desk):
    assert desk.mnemonic("login.user", login="demo", password="x", access_token="") == (
        "unexpected_parameters"
    )
    body = {"login": "demo", "password": "x"}
    answer = desk.exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": body})
    assert answer["error"]["data"]["mnemonic"] == "auth_error"


def log_in(exchange):
    params = {"login": "demo", "password": "demo-password"}
    answer = exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": params})
    return answer["result"]["data"]


def test_a_login_lasts_an_hour(desk, exchange, clock):
    login = log_in(exchange)
    assert login["expire_at"] == clock() + 3600
    clock.advance(3599)
    assert desk.ask("list.calls", access_token=login["access_token"]) == []
    clock.advance(1)
    assert desk.mnemonic("list.calls", access_token=login["access_token"]) == "access_token_invalid"


def test_logout_ends_the_session_and_says_true_not_text(desk, exchange):
    token = log_in(exchange)["access_token"]
    assert desk.ask("logout.user", access_token=token) == {"success": True}
    assert desk.mnemonic("list.calls", access_token=token) == "access_token_invalid"


def test_keys_expire_and_are_blocked(desk, exchange, clock):
    exchange.account.keys = {
        "limited": Key(expires_at=clock() + 60),
        "blocked": Key(blocked=True),
    }
    assert desk.ask("list.calls", access_token="limited") == []
    clock.advance(60)
    assert desk.mnemonic("list.calls", access_token="limited") == "access_token_expired"
    assert desk.mnemonic("list.calls", access_token="blocked") == "access_token_blocked"
    assert desk.mnemonic("list.calls", access_token="unknown") == "access_token_invalid"


def test_a_token_is_a_required_string(desk):
    assert desk.mnemonic("list.calls", access_token=None) == "required_parameter_missed"
    assert desk.mnemonic("list.calls", access_token=5) == "data_type_error"


def test_addresses_accounts_components_and_rights_are_checked(exchange, desk):
    account = exchange.account
    account.ip_whitelist = {"10.0.0.1"}
    error = desk.refused("list.calls")
    assert error["message"] == "Your IP 127.0.0.1 is not whitelisted"
    account.ip_whitelist = {"127.0.0.1"}
    account.active = False
    assert desk.mnemonic("list.calls") == "account_inactive"
    account.active = True
    account.components_off = {Component.MANAGEMENT}
    error = desk.refused("list.calls")
    assert error["message"] == "Component Call API Управление вызовами has been disabled"
    desk.start()  # starting is another component's
    account.components_off = set()
    account.forbidden_methods = {"list.calls"}
    assert desk.mnemonic("list.calls") == "forbidden"


# --- what a request names ---


@pytest.mark.parametrize("method", STARTS)
@pytest.mark.parametrize(
    ("changes", "mnemonic", "field"),
    [
        ({"virtual_phone_number": "74950000000"}, "virtual_phone_number_not_found", "virtual_phone_number"),
        ({"virtual_phone_number": "78001234567"}, "virtual_phone_number_not_found", "virtual_phone_number"),
        ({"contact": "74951045771"}, "own_virtual_phone_number_not_allowed", "contact"),
        ({"contact": "44123456789"}, "call_direction_not_allowed", "contact"),
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
def test_a_start_names_only_what_is_there(desk, method, changes, mnemonic, field):
    exchange = desk.exchange
    exchange.account.virtual_numbers.add("78001234567")
    exchange.account.forbidden_prefixes.add("44")
    name, params = start(method, **changes)
    error = desk.refused(name, **params)
    assert (error["data"]["mnemonic"], error["data"]["field"]) == (mnemonic, field)
    assert error["code"] == ERRORS[mnemonic][0]
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
def test_a_blacklisted_contact_has_the_code_of_the_method(desk, exchange, method, code):
    exchange.account.blacklist.add(CONTACT)
    name, params = start(method)
    error = desk.refused(name, **params)
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
def test_each_start_has_refusals_of_its_own(desk, method, changes, mnemonic, code):
    desk.exchange.account.employees[99] = Employee(id=99, full_name="Без телефона")
    name, params = start(method, **changes)
    error = desk.refused(name, **params)
    assert (error["data"]["mnemonic"], error["code"]) == (mnemonic, code)


@pytest.mark.parametrize(
    ("method", "params", "mnemonic"),
    [
        ("tag.call", {"tag_id": 1}, "tag_not_found"),
        ("tag.call", {"tag_id": 254}, "duplicate_tag"),
        ("disconnect.leg", {"leg_id": 1}, "leg_not_found"),
        ("record.call", {"action": "off"}, "record_already_stopped"),
        ("block.contact", {}, "duplicate_contact"),
        ("call.talk_option", {"button": "9"}, "talk_option_not_found"),
        ("add.coach", {}, "coach_not_found"),
        ("add.coach", {"phone_number": "nobody"}, "no_active_phone_number"),
        ("hold.call", {"contact_message": {"type": "media", "value": "1"}}, "media_file_not_found"),
    ],
)
def test_each_control_method_has_refusals_of_its_own(desk, exchange, method, params, mnemonic):
    call = desk.talking()
    desk.ask("tag.call", call_session_id=call.call_session_id, tag_id=254)
    exchange.account.blacklist.add(CONTACT)
    exchange.account.employees[25].coach = None
    error = desk.refused(method, call_session_id=call.call_session_id, **params)
    assert error["data"]["mnemonic"] == mnemonic
    assert error["code"] == -32602


def test_a_third_party_has_to_have_a_number(desk):
    call = desk.talking()
    desk.ask("hold.call", call_session_id=call.call_session_id, contact_message=TTS)
    params = {"call_session_id": call.call_session_id, "to": "999"}
    assert desk.mnemonic("make.call", **params) == "no_active_phone_number"
    params["to"] = "125"  # an employee's extension will do
    assert desk.ask("make.call", **params) == {"success": "true"}


def test_recording_that_is_forced_cannot_be_switched_off(desk, exchange):
    exchange.account.forced_recording = True
    session = desk.talking().call_session_id
    assert desk.refused("record.call", call_session_id=session, action="off")["code"] == -32003
    assert desk.mnemonic("record.call", call_session_id=session, action="on") == ("record_already_started")
    assert desk.mnemonic("call.talk_option", call_session_id=session, button="2") == "forbidden"


def test_a_blocked_contact_stays_on_the_blacklist(desk, exchange):
    session = desk.talking().call_session_id
    desk.ask("block.contact", call_session_id=session)
    desk.ask("release.call", call_session_id=session)
    name, params = start("start.employee_call")
    assert desk.mnemonic(name, **params) == "contact_in_blacklist"


def test_a_finished_or_unknown_session_is_not_found_by_any_control_method(desk):
    call = desk.talking()
    leg = call.leg(Role.CONTACT).leg_id
    desk.ask("disconnect.leg", call_session_id=call.call_session_id, leg_id=leg)
    params = {"tag.call": {"tag_id": 36}, "record.call": {"action": "on"}, "make.call": {"to": CONTACT}}
    params |= {"send.dtmf": {"dtmf_string": "1"}, "disconnect.leg": {"leg_id": leg}}
    params |= {"hold.call": {"contact_message": TTS}, "call.talk_option": {"button": "1"}}
    steering = [name for name, kind in METHODS.items() if "call_session_id" in kind.model_fields]
    assert len(steering) == 13
    for method in steering:
        for session in (call.call_session_id, 1):
            given = {"call_session_id": session, **params.get(method, {})}
            assert desk.mnemonic(method, **given) == "call_session_not_found"


def test_answers_say_the_limits_except_where_the_document_says_that_they_do_not(desk, exchange):
    exchange.account.keys["blocked"] = Key(blocked=True)
    assert "limits" in desk.refused("tag.call", call_session_id=1)["data"]["metadata"]
    assert "limits" in desk.send("list.calls")["result"]["metadata"]
    for error in (
        desk.refused("list.calls", access_token="unknown"),
        desk.refused("list.calls", access_token="blocked"),
        desk.refused("no.such"),
    ):
        assert error["data"]["mnemonic"] in WITHOUT_LIMITS
        assert "metadata" not in error["data"]


def test_an_old_version_says_that_it_is_about_to_go(exchange):
    exchange.account.deprecated_version = "v3.0"
    body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "demo-key"}}
    old, new = (exchange.handle(body, version=version)["result"] for version in ("v3.0", "v4.0"))
    assert old["data"] == new["data"] == []
    assert "api_version" not in new["metadata"]
    assert old["metadata"]["api_version"] == {
        "current_version_depricated": True,
        "current_version": "v3.0",
        "latest_version": "v4.0",
    }


def test_internal_error_does_not_prove_that_nothing_happened(exchange):
    exchange.fault(Fault.INTERNAL_ERROR)
    params = {"access_token": "demo-key", **INFORMER}
    answer = (
        exchange.session()
        .post(
            "https://callapi.comagic.ru/v4.0",
            data=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "start.informer_call", "params": params}),
            headers={"Content-Type": "application/json; charset=UTF-8"},
        )
        .json()
    )
    assert answer["error"]["code"] == -32603
    assert exchange.rings(CONTACT) == 1


def test_two_accounts_have_logins_of_their_own():
    exchange = Exchange()
    exchange.accounts.append(Account(login="b", password="b", key="b-key", ip_whitelist=set()))
    body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "b-key"}}
    assert exchange.handle(body)["error"]["data"]["mnemonic"] == "ip_not_whitelisted"
