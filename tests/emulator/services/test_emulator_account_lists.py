"""The Data API's account lists show what the emulated account has, over HTTP."""

from __future__ import annotations

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.account import (
    ACCOUNT_METHODS,
    GetAccount,
    GetBlacklistPhoneNumbers,
    GetEmployees,
    GetMediaFiles,
    GetScenarios,
    GetSipLines,
    GetVirtualNumbers,
)
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.data_api import equals
from airflow_provider_callapi.api.errors import AccessDenied, InvalidParameters
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc


@pytest.fixture
def data_api(emulator, clock):
    return Client(JsonRpc(f"{emulator.url}/v2.0"), AccessKey(emulator.exchange.account.key), clock=clock)


def test_the_account_has_a_time_zone(data_api, exchange):
    exchange.account.timezone = "Asia/Yekaterinburg"
    assert data_api.call(GetAccount()).timezone == "Asia/Yekaterinburg"


def test_virtual_numbers_have_a_status_and_their_scenarios(data_api, exchange):
    exchange.account.locked.add("74951045771")

    first, second = data_api.call(GetVirtualNumbers())

    assert (first.virtual_phone_number, first.status) == ("74951045771", "manual_lock")
    assert (second.virtual_phone_number, second.status) == (VNUMBER, "active")
    assert [scenario.scenario_id for scenario in second.scenarios] == [23456]
    assert first.scenarios == []


def test_employees_have_telephones_an_extension_and_a_sip_line(data_api):
    anna, _ = data_api.call(GetEmployees())
    line, _ = data_api.call(GetSipLines())

    assert (anna.id, anna.full_name) == (25, "Иванова Анна")
    assert [(phone.phone_number, phone.status) for phone in anna.phone_numbers] == [("79260000001", "active")]
    assert anna.extension.extension_phone_number == "125"
    assert (line.phone_number, line.employee_id, line.billing_state) == ("sip25", 25, "active")


def test_scenarios_and_media_files_have_ids_and_names(data_api):
    scenario, _ = data_api.call(GetScenarios())
    files = data_api.call(GetMediaFiles())

    assert (scenario.id, scenario.virtual_phone_numbers) == (23456, [VNUMBER])
    assert {file.id for file in files} == {2701, 2561, 237, 2034}


def test_the_blacklist_can_be_read(data_api, exchange):
    exchange.account.blacklist.add("79161234567")
    assert [entry.phone_number for entry in data_api.call(GetBlacklistPhoneNumbers())] == ["79161234567"]


def test_a_list_has_pages_filters_and_fields(data_api):
    (second,) = data_api.call(GetEmployees(limit=1, offset=1))
    (filtered,) = data_api.call(GetEmployees(filter=equals("id", 25), fields=["id"]))

    assert second.id == 26
    assert (filtered.id, filtered.full_name) == (25, None)


def test_an_unknown_field_is_refused(data_api):
    with pytest.raises(InvalidParameters):
        data_api.call(GetEmployees(fields=["salary"]))


@pytest.mark.parametrize("method", ACCOUNT_METHODS)
def test_each_request_for_a_list_needs_the_right_and_costs_a_point(data_api, exchange, method):
    data_api.call(ACCOUNT_METHODS[method]())
    assert data_api.limits.day_remaining == exchange.account.day_limit - 1
    exchange.account.forbidden_methods.add(method)
    with pytest.raises(AccessDenied):
        data_api.call(ACCOUNT_METHODS[method]())
