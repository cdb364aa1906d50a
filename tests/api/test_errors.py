"""The exception for each error object, and the values that an error text shows or hides."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from error_objects import everything_shown, raw, rejected
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api import errors
from airflow_provider_callapi.api.errors import (
    _BY_CODE,
    AccessDenied,
    AuthenticationFailed,
    CallApiError,
    CallNotFound,
    CallRefused,
    InvalidParameters,
    InvalidState,
    LimitExceeded,
    NotSent,
    ProtocolMismatch,
    Rejected,
    ServiceFailed,
    TokenInvalid,
    Unanswered,
    rejection,
)
from airflow_provider_callapi.api.models import Limits

KNOWN: list[tuple[str, int, type[Rejected]]] = [
    # common
    ("invalid_request", -32600, ProtocolMismatch),
    ("access_token_expired", -32001, AuthenticationFailed),
    ("access_token_blocked", -32001, AuthenticationFailed),
    ("access_token_invalid", -32001, TokenInvalid),
    ("auth_error", -32001, AuthenticationFailed),
    ("limit_exceeded", -32029, LimitExceeded),
    ("component_disabled", -32008, AccessDenied),
    ("ip_not_whitelisted", -32003, AccessDenied),
    ("forbidden", -32003, AccessDenied),
    ("account_inactive", -32009, AccessDenied),
    ("call_session_not_found", -32602, CallNotFound),
    ("data_type_error", -32602, InvalidParameters),
    ("required_parameter_missed", -32602, InvalidParameters),
    ("invalid_parameter_value", -32602, InvalidParameters),
    ("unexpected_parameters", -32602, InvalidParameters),
    ("invalid_parameters_combination", -32602, InvalidParameters),
    ("internal_error", -32603, ServiceFailed),
    ("method_not_found", -32601, ProtocolMismatch),
    ("parse_error", -32700, ProtocolMismatch),
    ("batch_opreations_not_supported", -32099, ProtocolMismatch),
    ("batch_operations_not_supported", -32099, ProtocolMismatch),
    ("notifications_not_supported", -32099, ProtocolMismatch),
    # start.*
    ("tts_text_exceeded", -32602, InvalidParameters),
    ("media_file_not_found", -32602, InvalidParameters),
    ("employee_not_found", -32602, InvalidParameters),
    ("no_active_phone_number", -32602, InvalidParameters),
    ("own_virtual_phone_number_not_allowed", -32602, InvalidParameters),
    ("character_encoding_not_allowed", -32602, InvalidParameters),
    ("virtual_phone_number_not_found", -32007, InvalidParameters),
    ("scenario_not_found", -32602, InvalidParameters),
    ("scenario_not_found", -32007, InvalidParameters),
    ("contact_in_blacklist", -32002, CallRefused),
    ("contact_in_blacklist", -32602, CallRefused),
    ("a_direction_rule_that_nobody_lists", -32002, CallRefused),
    # control
    ("invalid_state", -32004, InvalidState),
    ("tag_not_found", -32602, InvalidParameters),
    ("duplicate_tag", -32602, InvalidParameters),
    ("leg_not_found", -32602, InvalidParameters),
    ("coach_not_found", -32602, InvalidParameters),
    ("record_already_started", -32602, InvalidParameters),
    ("record_already_stopped", -32602, InvalidParameters),
    ("duplicate_contact", -32602, InvalidParameters),
    ("talk_option_not_found", -32602, InvalidParameters),
    # Data API
    ("method_component_disabled", -32008, AccessDenied),
    ("parameter_component_disabled", -32008, AccessDenied),
    ("entity_not_found", -32602, InvalidParameters),
    ("duplicate_entity", -32602, InvalidParameters),
    ("filter_prohibited", -32602, InvalidParameters),
    ("sort_prohibited", -32602, InvalidParameters),
    ("date_interval_limit_reached", -32602, InvalidParameters),
    ("tariff_restrictions", -32602, AccessDenied),
    ("already_in_use", -32602, InvalidParameters),
    ("error", -32602, InvalidParameters),
]


# --- which class ---


@pytest.mark.parametrize(("mnemonic", "code", "kind"), KNOWN)
def test_a_mnemonic_determines_the_class(mnemonic: str, code: int, kind: type[Rejected]) -> None:
    error = rejected(mnemonic, code, field="contact", params={"a": 1})
    assert type(error) is kind
    assert (error.mnemonic, error.code, error.field) == (mnemonic, code, "contact")
    assert (error.method, error.request_id) == ("start.informer_call", "req1")
    assert error.params == {"a": 1}
    assert mnemonic in str(error)
    assert str(code) in str(error)
    assert "req1" in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32700, ProtocolMismatch),
        (-32600, ProtocolMismatch),
        (-32601, ProtocolMismatch),
        (-32602, InvalidParameters),
        (-32603, ServiceFailed),
        (-32001, AuthenticationFailed),
        (-32002, CallRefused),
        (-32003, AccessDenied),
        (-32004, InvalidState),
        (-32007, InvalidParameters),
        (-32008, AccessDenied),
        (-32009, AccessDenied),
        (-32029, LimitExceeded),
        (-32099, ProtocolMismatch),
        (-31999, ServiceFailed),
        (0, ServiceFailed),
        (None, ServiceFailed),
    ],
)
@pytest.mark.parametrize("mnemonic", ["a_new_one", "", None])
def test_the_code_determines_the_class_of_an_error_with_an_unknown_mnemonic(
    code: int | None, kind: type[Rejected], mnemonic: str | None
) -> None:
    error = rejected(mnemonic, code)
    assert type(error) is kind
    assert error.mnemonic == mnemonic
    assert error.code == code


def test_only_errors_of_requests_that_may_have_been_carried_out_are_maybe_done() -> None:
    kinds = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CallApiError)
    }
    assert {kind for kind in kinds if kind.maybe_done} == {Unanswered, ServiceFailed}
    assert {kind for kind in kinds if kind.permanent} == {
        InvalidParameters,
        AuthenticationFailed,
        TokenInvalid,
        AccessDenied,
        CallRefused,
        CallNotFound,
        InvalidState,
        ProtocolMismatch,
    }


@pytest.mark.parametrize(
    "error",
    [
        {},
        {"code": -32602},
        {"code": -32602, "message": None, "data": None},
        {"code": -32602, "message": {"ru": "Ошибка"}, "data": []},
        {"code": -32602, "message": "x", "data": "text"},
        {"code": "-32602", "message": "x", "data": {"mnemonic": "zzz"}},
        {"code": [-32602], "message": "x", "data": {"mnemonic": "zzz"}},
        {"code": -32602, "message": "x", "data": {"mnemonic": ["zzz"]}},
        {"code": -32602, "message": "x", "data": {"mnemonic": {"zzz": 1}, "params": [1]}},
        {"code": -32602, "message": "x", "data": {"mnemonic": 5, "field": ["a", 0]}},
    ],
    ids=str,
)
def test_a_malformed_error_object_is_a_rejection_too(error: dict[str, Any]) -> None:
    kind = rejection(error, method="list.calls")
    assert isinstance(kind, Rejected)
    assert "list.calls" in everything_shown(kind)


@pytest.mark.no_cover
@given(error=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["code", "message", "data", "mnemonic", "field", "value", "params"]), inner
    ),
).filter(lambda value: isinstance(value, dict)))  # fmt: skip
def test_no_error_object_breaks_the_reader(error: dict[str, Any]) -> None:
    assert isinstance(rejection(error, method="list.calls"), Rejected)


@pytest.mark.parametrize(
    "error",
    [
        rejected("limit_exceeded", -32029, value="x", params={"limit_type": "day"}),
        rejected("data_type_error", -32602, field="contact"),
        NotSent("no such host", method="list.calls", request_id="r"),
        Unanswered("hung", method="list.calls", request_id="r"),
    ],
)
def test_an_error_can_be_pickled_and_copied_without_changes(error: CallApiError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


# --- limits ---


def exceeded(limits: dict[str, Any] | None, **params: Any) -> LimitExceeded:
    error = rejection(
        raw("limit_exceeded", -32029, params=params),
        method="start.informer_call",
        limits=None if limits is None else Limits.model_validate(limits),
    )
    assert isinstance(error, LimitExceeded)
    assert not error.permanent
    assert not error.maybe_done
    return error


@pytest.mark.parametrize(
    ("limits", "params", "per_day", "retry_after"),
    [
        (
            {"day_remaining": 100, "minute_remaining": 0, "minute_reset": 17, "day_reset": 999},
            {},
            False,
            17,
        ),
        (
            {"day_remaining": 0, "minute_remaining": 5, "minute_reset": 17, "day_reset": 999},
            {},
            True,
            999,
        ),
        ({"day_remaining": -2, "day_reset": 999}, {}, True, 999),
        ({"minute_reset": 0}, {}, False, 1),
        ({"minute_reset": None}, {}, False, 60),
        ({}, {"limit_type": "day"}, True, 3600),
        ({}, {"limit_type": "minute"}, False, 60),
        (None, {"limit_type": "day"}, True, 3600),
        (None, {"limit_type": None}, False, 60),
        (None, {}, False, 60),
    ],
)
def test_a_limit_error_shows_the_period_and_the_seconds_to_wait(
    limits: dict[str, Any] | None, params: dict[str, Any], per_day: bool, retry_after: int
) -> None:
    error = exceeded(limits, **params)
    assert error.per_day is per_day
    assert error.retry_after == retry_after
    assert str(error).endswith(f"reset in {retry_after} s")


def test_the_limit_that_the_service_names_overrides_the_counters() -> None:
    """The service refuses a request that costs more than the points left, though some points remain."""
    left = {"day_remaining": 3, "minute_remaining": 50, "minute_reset": 10, "day_reset": 40000}
    assert exceeded(left, limit_type="day").per_day
    assert exceeded(left, limit_type="day").retry_after == 40000
    left = {"day_remaining": 0, "minute_remaining": 0, "minute_reset": 10, "day_reset": 40000}
    assert not exceeded(left, limit_type="minute").per_day


@given(st.integers(-(10**6), 10**6))
def test_the_time_to_wait_is_at_least_a_second_and_at_most_the_period_of_the_limit(reset: int) -> None:
    assert exceeded({"day_remaining": 5, "minute_reset": reset}).retry_after == min(max(reset, 1), 60)
    assert exceeded({"day_remaining": 0, "day_reset": reset}).retry_after == min(max(reset, 1), 86_400)


@pytest.mark.parametrize("code", sorted(_BY_CODE))
@pytest.mark.parametrize("form", [str, float, lambda code: f" {code} "])
def test_an_error_code_may_be_a_text_or_have_a_fraction_of_zeros(code: int, form: Any) -> None:
    error = rejection({"code": form(code), "message": "no"}, method="start.simple_call")

    assert type(error) is _BY_CODE[code]
    assert error.code == code


@pytest.mark.parametrize("code", [None, True, "x", "1e3", -32003.5, float("nan"), [-32003], 10**30, "9" * 99])
def test_an_error_without_a_readable_code_is_a_failure_of_the_service(code: Any) -> None:
    assert type(rejection({"code": code}, method="start.simple_call")) is ServiceFailed


def test_a_secret_that_no_url_can_contain_does_not_replace_the_error() -> None:
    error = rejection({"code": -32001, "message": "bad"}, method="login.user", secrets=["ab\udc80"])
    assert "bad" in str(error)
