"""The fixture ``wire``. Test modules load the fixture with ``pytest_plugins = ["exchange_over_http"]``."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.emulator import Emulator, Exchange


@pytest.fixture
def wire(callapi_emulator: Emulator, connection: Any) -> Exchange:
    """Return an exchange over HTTP, with points for many polls. ``callapi_default`` leads to the exchange."""
    connection(extra={"timeout": 1.5})
    exchange = callapi_emulator.exchange
    exchange.account.minute_limit = 10_000
    return exchange
