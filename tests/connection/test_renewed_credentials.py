"""A new key in the Airflow connection replaces a key that the service refuses. No other setting does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_callapi.api.errors import AuthenticationFailed
from airflow_provider_callapi.api.models import AccessToken
from airflow_provider_callapi.connection.renewed_credentials import RenewedCredentials
from airflow_provider_callapi.connection.settings import ConnectionSettings


def settings(**changes: Any) -> ConnectionSettings:
    fields = {"host": "callapi.example.com", "port": None, "login": None, "password": "old", "extra": None}
    return ConnectionSettings.from_fields("callapi_default", **{**fields, **changes})


def never(login: str, password: str) -> AccessToken:
    raise AssertionError("a key needs no login")


def renewed(now: Callable[[], ConnectionSettings], **changes: Any) -> RenewedCredentials:
    return RenewedCredentials(settings(**changes), now)


def test_a_refused_key_is_replaced_by_the_key_in_the_connection() -> None:
    credentials = renewed(lambda: settings(password="new"))
    assert credentials.token(never, 0.0) == "old"
    assert credentials.discard_refused("old")
    assert credentials.token(never, 0.0) == "new"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"extra": '{"timeout": 3}'},
        {"password": "new", "host": "other.example.com"},
        {"password": "new", "extra": '{"api_version": "v4.1"}'},
        {"password": "new", "extra": '{"data_api": true, "data_api_host": "other.example.com"}'},
    ],
)
def test_a_key_for_other_services_is_sent_to_no_one(change: dict[str, Any]) -> None:
    credentials = renewed(lambda: settings(**change))
    assert not credentials.discard_refused("old")
    assert credentials.token(never, 0.0) == "old"


def test_a_connection_that_cannot_be_read_now_changes_nothing() -> None:
    def fails() -> ConnectionSettings:
        raise RuntimeError("the secrets backend is down")

    assert not renewed(fails).discard_refused("old")


def test_a_login_with_an_old_password_is_repeated_with_the_new_password() -> None:
    tried: list[str] = []

    def log_in(login: str, password: str) -> AccessToken:
        tried.append(password)
        if password == "old":
            raise AuthenticationFailed("wrong", method="login.user")
        return AccessToken(access_token=f"token of {password}")

    credentials = renewed(lambda: settings(login="me", password="new"), login="me")
    assert credentials.token(log_in, 0.0) == "token of new"
    assert tried == ["old", "new"]
    with pytest.raises(AuthenticationFailed):
        renewed(lambda: settings(login="me"), login="me").token(log_in, 0.0)


def test_threads_with_one_refused_key_read_the_connection_once() -> None:
    reads: list[int] = []

    def read() -> ConnectionSettings:
        reads.append(1)
        return settings(password="new")

    credentials, barrier, results = renewed(read), threading.Barrier(8), []

    def refuse() -> None:
        barrier.wait(60)
        results.append(credentials.discard_refused("old"))

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [True] * 8
    assert len(reads) == 1


def test_threads_with_a_key_that_stays_refused_read_the_connection_once() -> None:
    reads: list[int] = []

    def read() -> ConnectionSettings:
        reads.append(1)
        raise RuntimeError("the secrets backend is down")

    credentials = renewed(read)
    assert [credentials.discard_refused("old") for _ in range(5)] == [False] * 5
    assert len(reads) == 1


def test_the_object_shows_no_secret() -> None:
    assert "a-secret-key" not in repr(renewed(settings, password="a-secret-key"))
