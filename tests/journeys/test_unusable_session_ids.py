"""A start that is answered with an unusable session id counts as unanswered: the call is searched for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from airflow_fakes import CONTACT, VNUMBER, informer_task
from campaign_world import World
from failing_callbacks import (
    ALL_CONTACTS,
    ON_DUTY,
    SECOND,
    notifier,
    of_dag,
    rung,
    without_airflows_database,
)
from known_numbers import ANNA, BORIS, CLARA

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.transport import jsonrpc
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallNotAnswered
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]

UNUSABLE = [0, -5, None, True, False, "0", "", "x", 1.5, [], {}]


@pytest.fixture
def answered_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that replaces the session id in the answer of every start request."""
    read_body = jsonrpc.read_body

    def replace_session_ids(session_id: Any) -> None:
        def read(response: requests.Response) -> bytes:
            answer = json.loads(read_body(response))
            data = answer.get("result", {}).get("data")
            if isinstance(data, dict) and "call_session_id" in data:
                data["call_session_id"] = session_id
            return json.dumps(answer).encode()

        monkeypatch.setattr(jsonrpc, "read_body", read)

    return replace_session_ids


@pytest.mark.parametrize("session_id", UNUSABLE, ids=repr)
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_call_whose_answer_has_an_unusable_session_id_is_found(desk, answered_with, session_id, deferrable):
    desk.exchange.script(CONTACT, Script(rings=3, talks=30))
    answered_with(session_id)

    result = informer_task(desk, deferrable=deferrable).run()

    (call,) = desk.exchange.calls
    assert (result["call_session_id"], result["answered"]) == (call.call_session_id, True)
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize(
    "second_value",
    [
        (r'("call_session_id": \d+)', r'\1, "call_session_id": 9'),
        (r'("call_session_id": \d+\})', r'\1, "data": {"call_session_id": 9}'),
        (r"\}$", ', "result": {"data": {"call_session_id": 9}}}'),
    ],
    ids=["session id", "data", "result"],
)
def test_a_call_whose_answer_has_two_values_of_one_name_is_found(desk, monkeypatch, second_value):
    desk.exchange.script(CONTACT, Script(rings=3, talks=30))
    read_body = jsonrpc.read_body

    def read(response: requests.Response) -> bytes:
        answer = json.loads(read_body(response))
        is_start = isinstance(answer["result"]["data"], dict)
        text = json.dumps(answer)
        return (re.sub(*second_value, text) if is_start else text).encode()

    monkeypatch.setattr(jsonrpc, "read_body", read)

    result = informer_task(desk).run()

    (call,) = desk.exchange.calls
    assert (result["call_session_id"], result["answered"]) == (call.call_session_id, True)
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_redial_that_is_answered_with_the_session_id_of_the_last_attempt_is_found(desk, answered_with):
    desk.exchange.script(CONTACT, Script.no_answer(10))
    task = informer_task(desk, require_answer=True)
    with pytest.raises(CallNotAnswered):
        task.run()
    (first,) = desk.exchange.calls
    desk.exchange.script(CONTACT, Script(rings=3, talks=30))
    answered_with(first.call_session_id)

    result = task.retry()

    assert result["answered"] is True
    assert result["call_session_id"] == desk.exchange.calls[-1].call_session_id != first.call_session_id
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.parametrize("session_id", [0, 206_597_836], ids=["zero", "of the first person"])
def test_a_campaign_ends_with_a_result_for_each_person_and_rings_each_once(answered_with, session_id):
    world = World([ANNA, BORIS, CLARA])
    world.exchange.default_script = Script(rings=3, talks=30)
    answered_with(session_id)

    assert world.run().over

    assert set(world.results().values()) == {Result.ANSWERED}
    assert all(world.exchange.rings(number) == 1 for number in (ANNA, BORIS, CLARA))


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_second_message_of_a_function_that_is_answered_with_the_first_calls_id_is_found(
    desk, answered_with
):
    context = informer_task(desk).context

    def say(text):
        request = StartInformerCall(
            virtual_phone_number=VNUMBER, contact=CONTACT, contact_message={"type": "tts", "value": text}
        )
        with CallApiHook() as hook:
            return hook.place_call(request, context)["call_session_id"]

    first = say("Your order is late")
    answered_with(first)

    second = say("Your order is ready")

    assert [first, second] == [call.call_session_id for call in desk.exchange.calls]


def test_an_alert_calls_no_third_person_if_the_second_answers_a_call_with_the_first_calls_id(
    desk, answered_with, monkeypatch
):
    without_airflows_database(desk, monkeypatch)
    desk.exchange.script(ON_DUTY, Script.no_answer(10))
    desk.exchange.script(SECOND, Script(rings=3, talks=30))
    answered_with(206_597_836)  # the exchange gives this id to its first call

    notifier(ALL_CONTACTS)(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
