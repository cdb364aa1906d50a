"""*Test connection* reports whether the connection works and what to do, with the form's labels, for free."""

from __future__ import annotations

import json

import pytest
from strange_answers import add_unreadable_entry

from airflow_provider_callapi.api.account import Account, GetAccount
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Emulator, Fault
from airflow_provider_callapi.emulator.account import Key
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]

DATA_API = {"data_api": True}
MOSCOW = "The account's time zone is Europe/Moscow."
CREDENTIALS = pytest.mark.parametrize("login", [False, True], ids=["key", "login"])


def answer() -> tuple[bool, str]:
    return CallApiHook().test_connection()


def refusal() -> str:
    works, text = answer()
    assert not works, text
    assert "demo-key" not in text
    assert "demo-password" not in text
    return text


@pytest.fixture
def points(desk):
    """Return the points left at both services."""

    def left() -> list[int]:
        account = desk.exchange.account
        return [
            service.points(account).limits(desk.clock())["day_remaining"]
            for service in (desk.exchange.call_api, *desk.exchange.services.values())
        ]

    return left


# --- it works ---


@CREDENTIALS
def test_the_check_of_a_working_connection_succeeds_and_costs_no_points(desk, login, points):
    desk.connect(login=login, extra={"data_api": False})
    desk.start()
    before = points()

    assert answer() == (True, "Connected; 1 active call.")
    assert points() == before
    assert "get.calls_report" not in desk.sent()


def test_a_call_that_cannot_be_read_is_counted_and_fails_no_check(desk, monkeypatch):
    desk.connect(extra={"data_api": False})
    desk.start()
    add_unreadable_entry(monkeypatch)

    assert answer() == (True, "Connected; 2 active calls.")


@pytest.mark.parametrize(("login", "cost"), [(False, 1), (True, 2)], ids=["key", "login"])
def test_the_check_tries_the_data_api_and_reads_the_account_if_the_connection_uses_it(
    desk, points, login, cost
):
    desk.connect(login=login, extra=DATA_API)
    call_api, data_api = points()

    assert answer() == (True, f"Connected; 0 active calls. The Data API works, too. {MOSCOW}")
    assert points() == [call_api, data_api - cost]
    assert desk.sent(but=("list.calls", "login.user")) == ["get.calls_report", "get.account"]


def test_the_check_shows_the_accounts_time_zone_if_the_connection_has_none(desk):
    desk.exchange.account.timezone = "Asia/Yekaterinburg"
    desk.connect(extra={**DATA_API, "timezone": None})

    works, text = answer()

    assert works
    assert text.endswith("The account's time zone is Asia/Yekaterinburg.")


def test_another_name_of_the_accounts_time_zone_is_no_mistake(desk):
    desk.connect(extra={**DATA_API, "timezone": "Europe/Simferopol"})
    assert answer()[0]


@pytest.mark.parametrize("zone", ["Asia/Yekaterinburg", "Europe/Berlin", "UTC"])
def test_a_time_zone_other_than_the_accounts_fails_the_check(desk, zone):
    desk.connect(extra={**DATA_API, "timezone": zone})

    text = refusal()

    assert f"the account's time zone is Europe/Moscow, and the connection's is {zone}" in text
    assert 'Enter Europe/Moscow as "Account\'s time zone"' in text


def test_an_account_that_may_not_be_read_does_not_fail_the_check(desk):
    desk.exchange.account.forbidden_methods.add("get.account")
    desk.connect(extra=DATA_API)

    works, text = answer()

    assert works
    assert "The account's time zone was not checked: get.account: Permission denied" in text


def test_an_unknown_time_zone_of_the_account_does_not_fail_the_check(desk, monkeypatch):
    monkeypatch.setattr(GetAccount, "read_answer", lambda _, data: Account(timezone="Moon/Crater"))
    desk.connect(extra=DATA_API)

    works, text = answer()

    assert works
    assert "names no zone that this machine knows" in text


def test_the_check_names_a_component_that_is_off_and_succeeds(desk):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)

    works, text = answer()

    assert works
    assert "tasks can start calls but cannot wait for them" in text
    assert Component.MANAGEMENT.value in text
    assert "switched on in the account" in text


def test_the_check_of_a_deprecated_version_succeeds_and_names_the_version_to_set(desk):
    desk.exchange.account.deprecated_version = "v3.0"
    desk.connect(extra={"api_version": "v3.0", "data_api": False})

    works, text = answer()

    assert works
    assert text.endswith('Version v3.0 of the Call API will be withdrawn: set "API version" to v4.0.')


# --- it does not ---


@pytest.mark.parametrize(
    ("login", "mnemonic", "todo"),
    [
        (False, "access_token_invalid", "does not know this access key"),
        (True, "auth_error", "The login or the password is wrong"),
    ],
    ids=["key", "login"],
)
def test_the_advice_about_wrong_credentials_names_the_hosts_and_hides_the_credentials(
    desk, login, mnemonic, todo
):
    desk.connect(login=login, password="wrong-credentials")

    text = refusal()

    assert todo in text
    assert mnemonic in text
    assert "comagic.ru, uiscom.ru, novofon.ru, callgear.com" in text
    assert "wrong-credentials" not in text


@pytest.mark.parametrize(
    ("key", "todo"),
    [(Key(expires_at=0), "Create a new key"), (Key(blocked=True), "Unblock it")],
    ids=["expired", "blocked"],
)
def test_the_advice_about_an_expired_or_blocked_key_is_to_get_another_key(desk, key, todo):
    desk.exchange.account.keys["old"] = key
    desk.connect(password="old")

    assert todo in refusal()


@CREDENTIALS
def test_the_advice_about_a_refused_address_names_the_address_and_its_ip_list(desk, login):
    desk.exchange.account.ip_whitelist = {"10.1.2.3"}
    desk.connect(login=login)

    text = refusal()

    assert text.startswith("The account does not accept requests from this address.")
    assert "IP list for the Call API" in text
    assert "Your IP 127.0.0.1 is not whitelisted" in text


def test_the_advice_names_the_ip_list_of_the_data_api(desk):
    desk.exchange.account.data_api_whitelist.clear()
    desk.connect(extra=DATA_API)

    text = refusal()

    assert text.startswith("The Call API works, the Data API does not. ")
    assert "IP list for the Data API" in text


def test_a_connection_that_is_not_defined_is_a_failed_test():
    works, message = CallApiHook("nobody_has_this").test_connection()
    assert not works
    assert "nobody_has_this" in message


def test_the_advice_about_a_missing_right_names_the_right(desk):
    desk.exchange.account.forbidden_methods.add("get.calls_report")
    desk.connect(extra=DATA_API)

    assert "no right to the Data API" in refusal()


def test_the_advice_about_an_inactive_account_is_to_ask_the_vendor(desk):
    desk.exchange.account.active = False

    assert "Ask the vendor's support" in refusal()


@CREDENTIALS
def test_the_check_of_an_unreachable_service_fails_without_a_wait(desk, login):
    desk.exchange.fault(Fault.REFUSE, times=9)
    desk.connect(login=login)

    text = refusal()

    assert 'No server answers at this address. Check "Call API host"' in text
    assert "could not connect to http://127.0.0.1:9" in text
    assert desk.slept == []


def test_the_advice_about_an_unreachable_data_api_names_its_own_field(desk):
    desk.connect(extra=DATA_API)
    desk.exchange.fault(Fault.HTML, method="get.calls_report")

    assert 'Check "Data API host"' in refusal()


@CREDENTIALS
@pytest.mark.parametrize("fault", [Fault.HTML, Fault.REDIRECT, Fault.HANG, Fault.BAD_GATEWAY])
def test_the_check_detects_another_service_at_the_address(desk, fault, login):
    """The advice is the same if the login gets no answer."""
    desk.exchange.fault(fault, times=9)
    desk.connect(login=login)

    assert "does not answer as the Call API does" in refusal()


def test_an_error_of_the_service_is_not_blamed_on_the_connection(desk):
    desk.exchange.fault(Fault.INTERNAL_ERROR)

    assert "the connection's fields may be correct" in refusal()


def test_the_advice_about_an_invalid_field_shows_a_valid_value(desk):
    desk.connect(extra={"timezone": "Moscow"})

    assert refusal() == '"Account\'s time zone": enter an IANA zone, e.g. Europe/Moscow.'


def test_a_question_about_a_misspelt_field_ends_without_a_full_stop(desk):
    desk.connect(extra={"dataapi": True})

    assert refusal().endswith("did you mean data_api?")


@pytest.mark.parametrize(
    ("wrong", "label", "todo"),
    [
        ({"password": ""}, "Password or access key", "empty"),
        ({"host": "https://"}, "Call API host", "enter a host name, or a URL"),
        ({"host": "http://callapi.example.com"}, "Call API host", 'or set "Allow plain http"'),
        ({"extra": {"api_version": "4"}}, "API version", "e.g. v4.0"),
        ({"extra": {"timeout": "soon"}}, "Timeout, seconds", "enter a number of seconds"),
        ({"extra": {"data_api": "maybe"}}, "Use the Data API", "enter true or false"),
        ({"extra": {"verify": "/nonexistent.pem"}}, "TLS verification", "this machine has no such file"),
        ({"extra": {"data_api": True, "data_api_host": "https://"}}, "Data API host", "enter a host name"),
    ],
)
def test_the_advice_about_an_invalid_field_uses_the_name_on_the_form(desk, wrong, label, todo):
    """Airflow invents an id for a connection under test, so the text must not contain the id."""
    desk.connect(**wrong)

    text = refusal()

    assert text.startswith(f'"{label}": ')
    assert todo in text
    assert "callapi_default" not in text
    assert "extra." not in text.replace("(extra.allow_http)", "")


@pytest.mark.parametrize("field", ["dataapi", "extra__callapi__dataapi"])
def test_a_misspelt_field_fails_the_check(desk, field):
    desk.connect(extra={field: True})

    assert "data_api" in refusal()


def test_a_connection_of_another_type_fails_the_check_and_sends_no_secret(desk):
    desk.connect(conn_type="aws")

    assert "type" in refusal()
    assert desk.exchange.journal == []


def test_the_advice_about_https_to_a_plain_port_names_the_missing_tls(
    callapi_emulator: Emulator, monkeypatch
) -> None:
    """A connection as a URI cannot contain http://, and all its values are text."""
    port = callapi_emulator.port
    uri = f"callapi://demo:demo-password@127.0.0.1:{port}/?allow_http=true&timeout=5&api_version=v4.0"
    monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", uri)

    text = refusal()

    assert "no trusted TLS" in text
    assert "could not connect to https://127.0.0.1" in text
    assert json.dumps(text)


def test_the_advice_about_a_missing_ca_bundle_of_the_environment_does_not_blame_the_network(
    callapi_emulator: Emulator, monkeypatch
) -> None:
    fields = {**callapi_emulator.connection(), "host": "https://127.0.0.1"}
    monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(fields))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")

    text = refusal()

    assert "the certificate file that the environment names" in text
    assert "No server answers" not in text
