"""Advice about API errors uses the labels of the connection form."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_provider_callapi.api import advice
from airflow_provider_callapi.api.errors import CallApiError, InvalidParameters, NotSent, TokenInvalid
from airflow_provider_callapi.provider_info import get_provider_info


def test_every_field_that_is_named_is_on_the_form():
    (form,) = get_provider_info()["connection-types"]
    labels = {field["label"] for field in form["conn-fields"].values()}
    labels |= {"Login", *form["ui-field-behaviour"]["relabeling"].values()}
    texts: list[Any] = [*advice._BY_MNEMONIC.values()]
    texts += [value for name, value in vars(advice).items() if name.isupper() and isinstance(value, str)]
    named = {name for text in texts for name in re.findall(r'"([^"]+)"', text)} - {"{service} host"}

    assert named == {"API version", "Login", "TLS verification", "Timeout, seconds"}
    assert named | {"Call API host", "Data API host"} <= labels


def test_advice_comes_before_the_errors_own_text() -> None:
    error = TokenInvalid("Access token is invalid", mnemonic="access_token_invalid", request_id="r1")

    text = advice.advice(error, service="Data API")

    assert text.startswith("The service does not know this access key.")
    assert 'check "Data API host"' in text
    assert text.endswith(f"({error})")


def test_an_error_without_advice_is_shown_unchanged() -> None:
    error = InvalidParameters("No such tag", mnemonic="tag_not_found")

    assert advice.advice(error) == str(error)


def test_a_failed_login_gets_the_advice_of_the_logins_error() -> None:
    cause: CallApiError = TokenInvalid("wrong", mnemonic="auth_error")
    with pytest.raises(NotSent) as raised:
        raise NotSent("could not log in") from cause

    assert advice.advice(raised.value).startswith("The login or the password is wrong.")


def test_a_refused_token_of_a_login_gets_no_advice_to_enter_a_login() -> None:
    cause: CallApiError = TokenInvalid("unknown", mnemonic="access_token_invalid")
    with pytest.raises(NotSent) as raised:
        raise NotSent("the token of a new login is refused") from cause

    assert advice.advice(raised.value, service="Data API").startswith(
        "The Data API refuses the token of a new login. Another program may use the same login"
    )
