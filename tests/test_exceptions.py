"""The exceptions of a task contain advice, and contain it once."""

from __future__ import annotations

import traceback

import pytest

from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, NotSent, TokenInvalid, Unanswered
from airflow_provider_callapi.exceptions import CallApiFailure, translate_errors


def failure_of(error: CallApiError) -> CallApiFailure:
    with pytest.raises(CallApiFailure) as failure, translate_errors():
        raise error
    return failure.value


def test_the_error_of_a_wrong_key_contains_advice() -> None:
    error = TokenInvalid("Access token is invalid", method="list.calls", mnemonic="access_token_invalid")

    text = str(failure_of(error))

    assert "The service does not know this access key." in text
    assert 'check "Call API host"' in text
    assert str(error) in text


@pytest.mark.parametrize(
    ("method", "service"), [("start.simple_call", "Call API"), ("get.calls_report", "Data API")]
)
def test_the_error_names_the_service_that_refused(method: str, service: str) -> None:
    error = AccessDenied("Your IP is not whitelisted", method=method, mnemonic="ip_not_whitelisted")
    assert f"its IP list for the {service}" in str(failure_of(error))


def test_an_error_without_advice_is_shown_unchanged() -> None:
    error = AccessDenied("No", method="list.calls", mnemonic="tariff_restrictions")
    assert str(failure_of(error)) == str(error)


def test_the_log_of_a_task_shows_the_error_once() -> None:
    failure = failure_of(TokenInvalid("Access token is invalid", mnemonic="access_token_invalid"))
    assert "".join(traceback.format_exception(failure)).count("Access token is invalid") == 1


def test_the_error_of_a_host_that_does_not_answer_contains_advice_once_and_keeps_its_class() -> None:
    error = NotSent("could not connect to https://callapi.comagic.rr", method="start.informer_call")
    with pytest.raises(NotSent) as raised, translate_errors(), translate_errors():
        raise error
    assert raised.value is error
    assert str(error).startswith("start.informer_call: could not connect to https://callapi.comagic.rr. No ")
    assert str(error).count('Check "Call API host" and the port.') == 1


def test_a_transient_error_is_not_converted() -> None:
    error = Unanswered("it hung", method="list.calls")
    with pytest.raises(Unanswered) as raised, translate_errors():
        raise error
    assert raised.value is error
