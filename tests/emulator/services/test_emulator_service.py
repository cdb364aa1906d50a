"""Envelope, authentication, permissions, limits and versions."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, EmulatorClient, start_params

from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Account, Exchange, Key, ManualClock, Profile
from airflow_provider_callapi.emulator.errors import ERRORS, WITHOUT_LIMITS


def log_in(exchange):
    params = {"login": "demo", "password": "demo-password"}
    answer = exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": params})
    return answer["result"]["data"]


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
def test_a_wrong_envelope_is_an_error(exchange, body, mnemonic, request_id):
    answer = exchange.handle(body)
    assert answer["id"] == request_id
    assert answer["error"]["data"]["mnemonic"] == mnemonic
    assert (answer["error"]["code"], answer["error"]["message"]) == ERRORS[mnemonic]


def test_a_wrong_login_is_an_auth_error(api):
    assert api.mnemonic("login.user", login="demo", password="x", access_token="") == (
        "unexpected_parameters"
    )
    body = {"login": "demo", "password": "x"}
    answer = api.exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": body})
    assert answer["error"]["data"]["mnemonic"] == "auth_error"


def test_a_login_lasts_an_hour(api, exchange, clock):
    login = log_in(exchange)
    assert login["expire_at"] == clock() + 3600
    clock.advance(3599)
    assert api.data("list.calls", access_token=login["access_token"]) == []
    clock.advance(1)
    assert api.mnemonic("list.calls", access_token=login["access_token"]) == "access_token_invalid"


def test_logout_ends_the_session_and_answers_with_a_boolean(api, exchange):
    token = log_in(exchange)["access_token"]
    assert api.data("logout.user", access_token=token) == {"success": True}
    assert api.mnemonic("list.calls", access_token=token) == "access_token_invalid"


def test_keys_expire_and_are_blocked(api, exchange, clock):
    exchange.account.keys = {
        "limited": Key(expires_at=clock() + 60),
        "blocked": Key(blocked=True),
    }
    assert api.data("list.calls", access_token="limited") == []
    clock.advance(60)
    assert api.mnemonic("list.calls", access_token="limited") == "access_token_expired"
    assert api.mnemonic("list.calls", access_token="blocked") == "access_token_blocked"
    assert api.mnemonic("list.calls", access_token="unknown") == "access_token_invalid"


def test_a_token_is_a_required_string(api):
    assert api.mnemonic("list.calls", access_token=None) == "required_parameter_missed"
    assert api.mnemonic("list.calls", access_token=5) == "data_type_error"


def test_addresses_accounts_components_and_rights_are_checked(exchange, api):
    account = exchange.account
    account.ip_whitelist = {"10.0.0.1"}
    error = api.error("list.calls")
    assert error["message"] == "Your IP 127.0.0.1 is not whitelisted"
    account.ip_whitelist = {"127.0.0.1"}
    account.active = False
    assert api.mnemonic("list.calls") == "account_inactive"
    account.active = True
    account.components_off = {Component.MANAGEMENT}
    error = api.error("list.calls")
    assert error["message"] == "Component Call API Управление вызовами has been disabled"
    api.start()  # starting is another component's
    account.components_off = set()
    account.forbidden_methods = {"list.calls"}
    assert api.mnemonic("list.calls") == "forbidden"


def test_answers_contain_the_limits_except_for_the_documented_errors(api, exchange):
    exchange.account.keys["blocked"] = Key(blocked=True)
    assert "limits" in api.error("tag.call", call_session_id=1)["data"]["metadata"]
    assert "limits" in api.send("list.calls")["result"]["metadata"]
    for error in (
        api.error("list.calls", access_token="unknown"),
        api.error("list.calls", access_token="blocked"),
        api.error("no.such"),
    ):
        assert error["data"]["mnemonic"] in WITHOUT_LIMITS
        assert "metadata" not in error["data"]


def test_an_old_version_answers_with_a_deprecation_notice(exchange):
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


def test_each_account_has_its_own_permissions():
    exchange = Exchange()
    exchange.accounts.append(Account(login="b", password="b", key="b-key", ip_whitelist=set()))
    body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "b-key"}}
    assert exchange.handle(body)["error"]["data"]["mnemonic"] == "ip_not_whitelisted"


@pytest.mark.parametrize(("undone", "rings"), [(True, 0), (False, 1)])
def test_the_profile_states_whether_a_start_over_the_limit_rings(undone, rings):
    exchange = Exchange(profile=Profile(minute_limit=0, limit_exceeded_leaves_undone=undone))
    api = EmulatorClient(exchange, ManualClock(1_760_000_000.0))

    assert api.mnemonic("start.informer_call", **start_params("start.informer_call")) == "limit_exceeded"
    assert exchange.rings(CONTACT) == rings
    assert exchange.limits()["minute_remaining"] == 0
