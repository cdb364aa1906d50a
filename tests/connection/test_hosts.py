"""The vendor's hosts: one table, which the settings, the form and the documentation agree with."""

from __future__ import annotations

import json

import pytest
from documentation import PAGES
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.connection.hosts import BRANDS, data_api_host
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid
from airflow_provider_callapi.provider_info import get_provider_info

(FORM,) = get_provider_info()["connection-types"]


def data_api_url(host: str, **extra: str) -> str | None:
    text = json.dumps({"data_api": True, **extra})
    return ConnectionSettings.from_fields(
        "c", host=host, port=None, login=None, password="key", extra=text
    ).data_api_url


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)
def test_each_brand_has_its_own_data_api(brand):
    assert data_api_url(brand.call_api) == f"https://{brand.data_api}/v2.0"
    assert data_api_url(f"https://{brand.call_api.upper()}:8443/") == f"https://{brand.data_api}:8443/v2.0"


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)
def test_the_form_and_the_documentation_name_the_hosts_of_each_brand(brand):
    assert brand.call_api in FORM["ui-field-behaviour"]["placeholders"]["host"]
    help_text = FORM["conn-fields"]["data_api_host"]["description"]
    assert f"{brand.name} {brand.data_api}" in help_text
    row = f"| {brand.name} | `{brand.call_api}` | `{brand.data_api}` |"
    for page in ("connection.md", "ru/connection.md"):
        assert row in PAGES[page]


@given(st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8}){1,3}", fullmatch=True))
def test_a_derived_data_api_never_has_the_host_of_the_call_api(host):
    assert data_api_host(host) != host


@pytest.mark.parametrize(
    "host",
    [
        "proxy.example",
        "https://proxy.example/callapi",
        "callapiproxy.example",
        "10.0.0.1",
        "dataapi.comagic.ru",
    ],
)
def test_a_host_without_a_known_data_api_needs_the_field_data_api_host(host):
    with pytest.raises(ConnectionSettingsInvalid, match=r"extra\.data_api_host: .*enter the host"):
        data_api_url(host)
    assert data_api_url(host, data_api_host="data.example") == "https://data.example/v2.0"


@pytest.mark.parametrize("host", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_one_server_on_this_machine_answers_both_services(host):
    assert data_api_url(host) == f"{host}/v2.0"
