"""The exception for each error object, and the values that an error text shows or hides."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import pytest
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


def raw(mnemonic: Any = "data_type_error", code: Any = -32602, **data: Any) -> dict[str, Any]:
    message = data.pop("message", "Something is wrong")
    return {"code": code, "message": message, "data": {"mnemonic": mnemonic, **data}}


def rejected(*args: Any, **data: Any) -> Rejected:
    return rejection(raw(*args, **data), method="start.informer_call", request_id="req1")


def everything_shown(error: BaseException) -> str:
    """Return every text of an exception that a log or a UI can show."""
    try:
        raise error
    except BaseException as caught:
        trace = "".join(traceback.format_exception(caught))
    return "\n".join([str(error), repr(error), repr(error.args), f"{error}", trace])


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


# --- values that are never shown ---

# The prefix keeps out a secret that the error contains anyway, such as a part of "data_type_error".
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Z")), min_size=8, max_size=76
).map("~Qx7".__add__)


@given(secret=SECRETS)
def test_no_error_shows_the_value_that_the_service_repeats(secret: str) -> None:
    error = rejected(
        message=f"Parameter value {secret} is wrong ({secret})",
        value=secret,
        params={"object": secret},
        extended_helper=f"https://help.test/?q={secret}",
        field="password",
    )
    assert secret not in everything_shown(error)
    assert error.value == secret  # kept for code that asks for it


@pytest.mark.parametrize(
    "value",
    [
        {"login": "me", "password": "correct-horse"},
        ["correct-horse"],
        [{"deep": {"password": "correct-horse"}}],
    ],
)
def test_no_error_shows_the_object_that_the_service_repeats(value: Any) -> None:
    error = rejected(message="Value correct-horse is of wrong type", value=value)
    assert "correct-horse" not in everything_shown(error)


def test_no_error_shows_the_number_that_the_service_repeats() -> None:
    error = rejected(message="Value 91827364 is of wrong type", value=91827364)
    assert "91827364" not in everything_shown(error)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("tag_id", 77, "77"),
        ("tag_id", "77", "77"),
        ("employee.id", 4417, "4417"),
        ("virtual_phone_number", "74950001122", "7495…1122"),
        ("employee.phone_number", 74950001122, "7495…1122"),
        ("contact", "+74950001122", "7495…1122"),
    ],
)
def test_an_error_shows_the_harmless_value_that_the_user_has_to_correct(
    field: str, value: Any, shown: str
) -> None:
    error = rejected(message=f"Object {value} not found", field=field, value=value)
    assert f"Object {shown} not found" in str(error)
    assert "74950001122" not in everything_shown(error)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "82736455"),
        ("access_token", "82736455"),
        ("login", "79260000001"),
        ("paid", "82736455"),
        ("tag_id", "correct-horse"),
        ("tag_id", "74950001122"),
        ("contact", "correct-horse"),
        ("contact", "827364551"),
        ("employee.id", {"password": "82736455"}),
        (["tag_id"], "82736455"),
    ],
)
def test_no_error_shows_a_value_that_may_be_a_secret(field: Any, value: Any) -> None:
    secret = value["password"] if isinstance(value, dict) else value
    error = rejected(message=f"Value {secret} is wrong", field=field, value=value)
    assert "Value *** is wrong" in str(error)
    assert secret not in everything_shown(error)


def test_no_error_shows_a_value_that_was_sent_as_a_secret_in_another_field() -> None:
    answer = raw(message="Tag 82736455 not found", field="tag_id", value="82736455")
    error = rejection(answer, method="tag.call", secrets=["82736455"])
    assert "82736455" not in everything_shown(error)


@pytest.mark.parametrize("place", ["message", "mnemonic", "field"])
def test_no_part_of_an_error_shows_the_key_of_the_request_or_a_phone_number(place: str) -> None:
    parts = {"message": "bad", "mnemonic": "bad", "field": "tag_id", place: "bad key-82736455 79260000001"}
    answer = {"code": -32602, "data": parts, "message": parts["message"]}
    error = rejection(answer, method="tag.call", secrets=["key-82736455"])

    assert "82736455" not in everything_shown(error)
    assert "79260000001" not in everything_shown(error)


@pytest.mark.parametrize("form", ["{}", "%26p%22w+d%2B", "%26p%22w%20d%2B", "&amp;p&quot;w d+", '&p\\"w d+'])
def test_an_error_page_that_repeats_a_secret_in_another_form_does_not_show_it(form: str) -> None:
    secret = '&p"w d+'
    message = f"bad login: {form.format(secret)}!"
    answer = {"code": -32001, "message": message, "data": {"mnemonic": "auth_error"}}

    shown = str(rejection(answer, method="login.user", secrets=[secret]))

    assert "bad login: ***!" in shown


def test_the_masking_of_a_short_value_leaves_the_message_readable() -> None:
    error = rejected(message="Parameter a is wrong", value="a")
    assert "Parameter a is wrong" in str(error)


def test_the_ip_to_be_whitelisted_stays_readable() -> None:
    for address in ("203.0.113.45", "192.168.100.200", "2001:db8:85a3::8a2e:370:7334"):
        error = rejected("ip_not_whitelisted", -32003, message=f"Your IP {address} is not whitelisted")
        assert f"Your IP {address} is not whitelisted" in str(error)


def test_the_id_of_a_session_stays_readable() -> None:
    error = rejected("call_session_not_found", message="Call session 237859081 not found")
    assert "237859081" in str(error)


PHONES = st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True)
AROUND = st.text(st.sampled_from(" ,:;\"'()[]{}<>=/|!?\n«»№"), max_size=3)


@given(phone=PHONES, before=AROUND, after=AROUND, plus=st.sampled_from(["", "+"]))
def test_a_phone_number_is_shortened(phone: str, before: str, after: str, plus: str) -> None:
    text = f"contact{before or ' '}{plus}{phone}{after or ' '}here"
    short = f"{phone[:4]}…{phone[-4:]}"
    for error in (
        NotSent(text, method="list.calls"),
        Unanswered(text, method="list.calls"),
        rejected(message=text),
        rejected("limit_exceeded", -32029, message=text),
    ):
        assert phone not in everything_shown(error)
        assert short in str(error)


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


def test_the_name_of_a_field_shows_no_phone_number() -> None:
    error = rejection(raw("bad", -32602, field="contact 79260000001"), method="start.simple_call")

    assert "79260000001" not in str(error)


def test_a_secret_that_no_url_can_contain_does_not_replace_the_error() -> None:
    error = rejection({"code": -32001, "message": "bad"}, method="login.user", secrets=["ab\udc80"])
    assert "bad" in str(error)
