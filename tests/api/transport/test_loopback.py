"""Which hosts are this machine, and that requests to it go through no proxy."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.transport.loopback import is_loopback, proxies_for


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
    ],
)
def test_names_and_addresses_of_this_machine_are_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["callapi.comagic.ru", "localhost.example", "notlocalhost", "10.0.0.1", "::2", "0.0.0.0", "", "1"]
)
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "LOCALHOST", "[::1]:8484", "user:word@127.0.0.1"])
def test_a_url_of_this_machine_switches_the_proxies_off(host: str) -> None:
    assert proxies_for(f"http://{host}/v4.0") == {"http": "", "https": ""}


@pytest.mark.parametrize(
    "url", ["https://callapi.comagic.ru/v4.0", "http://[::2]:80/", "http://[::1", "", "x"]
)
def test_any_other_url_leaves_the_proxies_as_they_are(url: str) -> None:
    assert proxies_for(url) == {}
