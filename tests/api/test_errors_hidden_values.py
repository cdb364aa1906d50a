"""No error shows a secret or a phone number, and each error shows what the user has to correct."""

from __future__ import annotations

from typing import Any

import pytest
from error_objects import everything_shown, raw, rejected
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import NotSent, Unanswered, rejection

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


def test_the_name_of_a_field_shows_no_phone_number() -> None:
    error = rejection(raw("bad", -32602, field="contact 79260000001"), method="start.simple_call")

    assert "79260000001" not in str(error)
