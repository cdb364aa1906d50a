"""Faults that break a real connection."""

from __future__ import annotations

import pytest
import requests
from emulator_client import post

from airflow_provider_callapi.emulator import Emulator, Fault


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER])
def test_a_dropped_connection_sends_no_byte_of_an_answer(exchange, fault):
    with Emulator(exchange) as emulator:
        exchange.fault(fault)
        with pytest.raises(requests.ConnectionError, match=r"aborted|reset"):
            post(emulator, "list.calls")


def test_a_truncated_answer_is_shorter_than_its_content_length(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.TRUNCATED)
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            post(emulator, "list.calls")
