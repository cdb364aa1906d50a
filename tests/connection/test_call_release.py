"""`release_calls` ends all calls of a killed task quickly and logs each failure."""

from __future__ import annotations

import logging
import time

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.connection import call_release
from airflow_provider_callapi.connection.call_release import release_calls
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]

LOG = logging.getLogger("killed")


@pytest.fixture
def talking(desk):
    """Return the session ids of two active calls."""
    desk.exchange.default_script = Script(rings=0, talks=None)
    start = StartInformerCall(virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS)
    return [CallApiHook().call(start).call_session_id for _ in range(2)]


def test_every_call_is_released_and_logged(desk, talking, caplog):
    with caplog.at_level("INFO", "killed"):
        release_calls(CallApiHook().settings, talking, LOG)

    one, two = talking
    assert desk.exchange.active_calls == []
    assert [line for line in caplog.messages if line.startswith("Releas")] == [
        f"Releasing call session {one}, {two}, because cancel_on_kill is True",
        f"Released call session {one}",
        f"Released call session {two}",
    ]


def test_a_call_that_cannot_be_released_is_logged_and_the_others_are_released(desk, talking, caplog):
    desk.exchange.fault(Fault.DROP_BEFORE, method="release.call")

    with caplog.at_level("INFO", "killed"):
        release_calls(CallApiHook().settings, talking, LOG)

    (active,) = (call.call_session_id for call in desk.exchange.active_calls)
    (gone,) = {*talking} - {active}
    assert f"Released call session {gone}" in caplog.messages
    assert any(line.startswith(f"Call session {active} may still be active: ") for line in caplog.messages)


def test_the_release_does_not_wait_for_a_service_that_hangs(
    callapi_emulator, connection, caplog, monkeypatch
):
    connection(extra={"timeout": 60})
    monkeypatch.setattr(call_release, "_TIMEOUT", 0.5)
    callapi_emulator.exchange.fault(Fault.HANG, method="release.call", seconds=3)
    began = time.monotonic()

    release_calls(CallApiHook().settings, [206597836], LOG)

    assert time.monotonic() - began < 2.5
    assert "Call session 206597836 may still be active" in caplog.text


def test_no_request_is_sent_if_no_call_is_active(desk):
    release_calls(CallApiHook().settings, [], LOG)

    assert desk.sent() == []
