"""The answer models accept unknown and empty fields."""

from __future__ import annotations

import json

import msgspec
import pytest
from pydantic import ValidationError

from airflow_provider_callapi.api.methods import ListCalls, ListTalkOptions, StartInformerCall
from airflow_provider_callapi.api.models import (
    AccessToken,
    ApiVersion,
    CallSession,
    Done,
    Leg,
    LegState,
    Limits,
    TalkOption,
)

# --- tolerance ---


def test_unknown_fields_and_unknown_states_are_kept() -> None:
    leg = Leg.model_validate({"leg_id": 1, "state": "Летит на Луну", "codec": "opus"})
    assert leg.state == "Летит на Луну"
    assert leg.model_extra == {"codec": "opus"}


def test_every_state_of_the_document_is_known() -> None:
    stated = (
        "Дозвон, Разговор, На очереди, Разъединено, Разговор операторов, На удержании, "
        "Перевод вызова, Отправка dtmf, Получение факса, Факс получен, Отправка факса, "
        "Факс отправлен"
    )
    assert {str(state) for state in LegState} == set(stated.split(", "))
    assert Leg(leg_id=1, state="Разговор").state == LegState.TALKING


def test_no_active_calls_is_an_empty_list() -> None:
    assert ListCalls.read_answer([]) == []


def test_a_session_needs_only_its_id() -> None:
    [session] = ListCalls.read_answer([{"call_session_id": 5}])
    assert session == CallSession(call_session_id=5)
    assert (session.tags, session.legs) == ((), ())


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
@pytest.mark.parametrize("inner", ["tags", "legs"])
def test_an_id_of_more_than_64_bits_leaves_out_its_tag_or_leg_only(inner: str, number: int) -> None:
    name = {"tags": "tag_id", "legs": "leg_id"}[inner]
    content = json.dumps([{"call_session_id": 5, inner: [{name: number}, {name: 7}]}]).encode()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(content, type=list[CallSession])

    [session] = ListCalls.read_answer(json.loads(content))

    assert [getattr(each, name) for each in getattr(session, inner)] == [7]


@pytest.mark.parametrize(
    "name",
    [
        "direction",
        "start_time",
        "virtual_phone_number",
        "contact_phone_number",
        "external_id",
        "tags",
        "legs",
    ],
)
def test_an_empty_field_of_a_session_is_no_error(name: str) -> None:
    [session] = ListCalls.read_answer([{"call_session_id": 5, name: None}])
    assert session.call_session_id == 5


@pytest.mark.parametrize(
    "name",
    [
        "calling_phone_number",
        "called_phone_number",
        "is_operator",
        "employee_id",
        "employee_full_name",
        "record_call_enabled",
        "state",
    ],
)
def test_an_empty_field_of_a_leg_does_not_hide_all_calls(name: str) -> None:
    """The service sends null for an empty field. One leg with a null must not make a poll fail."""
    sessions = ListCalls.read_answer(
        [{"call_session_id": 5, "legs": [{"leg_id": 6, name: None}]}, {"call_session_id": 7}]
    )
    assert [session.call_session_id for session in sessions] == [5, 7]
    assert sessions[0].legs[0].leg_id == 6


@pytest.mark.parametrize("empty", [None, {}])
def test_a_talk_option_may_have_no_value(empty: object) -> None:
    """The service sends ``{}`` for an empty object."""
    raw = {"button": "1", "mnemonic": "finish_conversation", "name": None, "button_value": empty}
    [option] = ListTalkOptions.read_answer([raw])
    assert option.button_value is None or option.button_value.model_dump(exclude_none=True) == {}


def test_a_talk_option_keeps_an_unknown_mnemonic() -> None:
    assert TalkOption(button="1", mnemonic="new_thing").mnemonic == "new_thing"


@pytest.mark.parametrize("success", [True, "true"])
def test_success_is_a_boolean_or_its_name(success: object) -> None:
    assert Done.model_validate({"success": success}) == Done(success=True, already=False)


@pytest.mark.parametrize("data", [{"success": False}, {"success": "false"}, {}, None, "true"])
def test_an_answer_without_success_is_not_done(data: object) -> None:
    with pytest.raises(ValidationError):
        Done.model_validate(data)


@pytest.mark.parametrize(
    "data", [None, {}, {"call_session_id": None}, {"call_session_id": True}, [], {"success": True}]
)
def test_a_start_without_a_session_id_is_not_a_started_call(data: object) -> None:
    with pytest.raises(ValidationError):
        StartInformerCall.read_answer(data)


def test_a_token_is_not_in_its_repr() -> None:
    token = AccessToken(access_token="very-secret-token", expire_at=5)
    assert "very-secret-token" not in repr(token) + str(token)


def test_an_unreadable_token_answer_does_not_repeat_the_token() -> None:
    with pytest.raises(ValidationError) as caught:
        AccessToken.model_validate({"access_token": ["very-secret-token"]})
    assert "very-secret-token" not in str(caught.value)


def test_limits_may_be_partial_and_may_grow() -> None:
    limits = Limits.model_validate({"day_limit": 1000, "day_reset": None, "hour_limit": 3})
    assert (limits.day_limit, limits.minute_reset) == (1000, None)
    assert limits.model_extra == {"hour_limit": 3}


@pytest.mark.parametrize("spelling", ["current_version_depricated", "current_version_deprecated"])
@pytest.mark.parametrize(
    ("flag", "deprecated"),
    [(True, True), ("true", True), (False, False), ("false", False), (None, False)],
)
def test_deprecation_is_read_in_both_spellings(spelling: str, flag: object, deprecated: bool) -> None:
    raw = {spelling: flag, "current_version": "v4.0", "latest_version": "v5.0"}
    version = ApiVersion.from_metadata(raw)
    assert version.deprecated is deprecated
    assert (version.current_version, version.latest_version) == ("v4.0", "v5.0")


def test_an_entry_as_json_is_plain_json_with_the_fields_that_its_class_lacks() -> None:
    session = CallSession.model_validate(
        {"call_session_id": 5, "tags": [{"tag_id": 1}], "load": float("nan")}
    )
    assert session.model_dump()["tags"] == ({"tag_id": 1, "tag_name": None},)
    assert session.model_dump(mode="json") == {
        "call_session_id": 5,
        "direction": None,
        "start_time": None,
        "virtual_phone_number": None,
        "contact_phone_number": None,
        "external_id": None,
        "tags": [{"tag_id": 1, "tag_name": None}],
        "legs": [],
        "load": None,
    }


def test_an_entry_cannot_be_changed_and_can_be_a_key() -> None:
    session = CallSession.model_validate({"call_session_id": 5, "codec": ["opus"]})
    with pytest.raises(AttributeError):
        session.external_id = "x"  # type: ignore[misc]
    assert {session: 1}[session.model_copy(update={})] == 1
    assert session.model_copy(update={"external_id": "x"}).external_id == "x"
