"""The questions to the Data API beside the polls of a triggerer."""

from __future__ import annotations

import asyncio
import logging

import pytest

from airflow_provider_callapi.calls.watching.answer_witness import AnswerWitness
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.event_loop.witnesses import Witnesses


def test_an_unexpected_error_of_a_question_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody awaits the question, so its error would vanish, and the answers would be missing for ever."""
    monkeypatch.setattr(AnswerWitness, "due", lambda self, snapshot, awaited: awaited)
    monkeypatch.setattr(AnswerWitness, "ask", lambda self, calls, at: 1 / 0)
    settings = ConnectionSettings.from_fields(
        "callapi_default",
        host="http://127.0.0.1",
        port=9,
        login=None,
        password="demo-key",
        extra='{"data_api": true, "data_api_host": "http://127.0.0.1:9"}',
    )

    async def ask_once() -> None:
        await Witnesses(settings).extend(Snapshot(1.0), awaited_answers={5}, awaited_ends=set())
        await asyncio.sleep(0.1)

    with caplog.at_level(logging.WARNING):
        asyncio.run(ask_once())

    assert "The Data API was not asked about calls: ZeroDivisionError: division by zero" in caplog.text
