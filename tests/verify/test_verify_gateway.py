"""A service of the gateway waits for points, logs in again, and never repeats a start request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from known_numbers import VNUMBER
from verify_world import CONTACT, World

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.emulator import Fault, Profile


@pytest.fixture
def world(tmp_path):
    return World(Profile(weights={"list.calls": 1}, minute_limit=10), tmp_path / "state.json", login=True)


@pytest.fixture
def call_api(world):
    return world.gateway().call_api


def start(call_api):
    params = {
        "contact": CONTACT,
        "virtual_phone_number": VNUMBER,
        "contact_message": {"type": "tts", "value": "Hello"},
    }
    return call_api.send_once("start.informer_call", params)


def test_a_request_waits_for_the_points_of_the_next_minute(world, call_api):
    begins = world.clock()

    answers = [call_api.send("list.calls") for _ in range(15)]

    assert [answer.error for answer in answers] == [None] * 15
    assert 0 < world.clock() - begins <= 60


def test_a_start_request_is_sent_once_although_no_points_are_left(world, call_api):
    for _ in range(10):
        call_api.send("list.calls")

    assert start(call_api).error == "limit_exceeded"
    assert world.exchange.requests("start.informer_call") == 1


def test_a_call_waits_for_the_next_minute_before_its_start_request(world, call_api):
    for _ in range(10):
        call_api.send("list.calls")

    call_api.await_points(100)

    assert start(call_api).error is None


def test_an_expired_token_is_replaced(world, call_api):
    call_api.send("list.calls")
    world.clock.advance(world.exchange.account.token_lifetime + 1)

    assert call_api.send("list.calls").error is None


def test_a_login_without_a_token_is_an_error_of_the_service(call_api, monkeypatch):
    answer = replace(call_api.send("list.calls"), data={"app_id": 4})
    monkeypatch.setattr(call_api, "_token", None)
    monkeypatch.setattr(call_api, "log_in", lambda: answer)

    with pytest.raises(Unanswered, match="the answer contains no access token"):
        call_api.send("list.calls")


def test_try_send_returns_none_without_an_answer(world, call_api):
    world.exchange.fault(Fault.HTML, method="list.calls")

    assert call_api.try_send("list.calls") is None
    assert call_api.try_send("list.calls") is not None


def test_an_answer_keeps_the_mnemonic_and_hides_values(call_api):
    answer = call_api.send("list.calls", no_such_parameter="private")

    assert answer.error == "unexpected_parameters"
    assert "private" not in repr(answer)
