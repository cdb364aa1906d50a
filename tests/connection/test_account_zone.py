"""The account's time zone comes from the Data API, and a refusal leads to the documented default."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.api.account import Account
from airflow_provider_callapi.api.errors import AccessDenied, InvalidParameters, ServiceFailed, Unanswered
from airflow_provider_callapi.connection.account_zone import DEFAULT_TIMEZONE, fetch_timezone


def fetched(answer: Account | Exception) -> tuple[str, list[str]]:
    warnings: list[str] = []

    def call(request: Any) -> Account:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return fetch_timezone(call, warnings.append), warnings


def test_the_accounts_zone_is_used_without_a_warning():
    assert fetched(Account(timezone="Asia/Yekaterinburg")) == ("Asia/Yekaterinburg", [])


@pytest.mark.parametrize(
    "answer",
    [
        Account(),
        Account(timezone="Moon/Crater"),
        Account(timezone="../../etc/passwd"),
        AccessDenied("Permission denied"),
        InvalidParameters("Unexpected method parameter(s)"),
    ],
    ids=str,
)
def test_an_account_without_a_known_time_zone_gets_the_default_with_one_warning(answer):
    zone, warnings = fetched(answer)

    assert zone == DEFAULT_TIMEZONE
    assert len(warnings) == 1
    assert "set extra.timezone" in warnings[0]


@pytest.mark.parametrize("error", [Unanswered("timeout"), ServiceFailed("internal error")], ids=str)
def test_a_transient_error_does_not_lead_to_the_default_time_zone(error):
    with pytest.raises(type(error)):
        fetched(error)
