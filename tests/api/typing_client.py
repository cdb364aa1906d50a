"""Assertions about the types of answers. mypy reads this file in `test_client_typing.py`; it never runs."""

from typing import Any, assert_type

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.methods import (
    METHODS,
    HoldCall,
    ListCalls,
    ListTalkOptions,
    LoginUser,
    LogoutUser,
    Message,
    StartInformerCall,
    TagCall,
    request_by_name,
)
from airflow_provider_callapi.api.models import (
    AccessToken,
    CallSession,
    Done,
    StartedCall,
    TalkOption,
)
from airflow_provider_callapi.api.request import Request


def answers(client: Client, values: dict[str, Any]) -> None:
    sound = Message(type="tts", value="Привет")
    start = StartInformerCall(
        virtual_phone_number="74993720692", contact="79260000000", contact_message=sound
    )
    assert_type(client.call(start), StartedCall)
    assert_type(client.call(StartInformerCall.from_values(values)), StartedCall)
    assert_type(client.call(ListCalls()), Entries[CallSession])
    assert_type(client.call(ListCalls(direction="in")), Entries[CallSession])
    assert_type(client.call(ListTalkOptions()), Entries[TalkOption])
    assert_type(client.call(TagCall(call_session_id=1, tag_id=36)), Done)
    assert_type(client.call(HoldCall(call_session_id=1, contact_message=sound)), Done)
    assert_type(client.call(LoginUser(login="me", password="secret")), AccessToken)
    assert_type(client.call(LogoutUser()), Done)
    assert_type(client.call(request_by_name("get.something", {})), Any)
    assert_type(client.call(METHODS["tag.call"].from_values(values)), Any)
    assert_type(StartInformerCall.from_values(values), StartInformerCall)
    assert_type(start.params, dict[str, Any])


def a_request_can_be_passed_on_as_what_it_returns() -> list[Request[Done]]:
    return [TagCall(call_session_id=1, tag_id=36), LogoutUser()]
