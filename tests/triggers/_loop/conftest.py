"""The exchange over HTTP, with points for many polls."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.emulator import Emulator, Exchange


@pytest.fixture
def wire(callapi_emulator: Emulator, connection: Any) -> Exchange:
    connection(extra={"timeout": 1.5})
    exchange = callapi_emulator.exchange
    exchange.account.minute_limit = 10_000
    return exchange
