"""An exchange whose clock the test moves, a client of it, and the same exchange over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulator_client import EmulatorClient, data_api_client

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.emulator import Emulator, Exchange, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_760_000_000.0)


@pytest.fixture
def exchange(clock: ManualClock) -> Exchange:
    return Exchange(clock=clock)


@pytest.fixture
def emulator(exchange: Exchange) -> Iterator[Emulator]:
    """The same exchange over HTTP. The test moves its clock."""
    with Emulator(exchange) as running:
        yield running


@pytest.fixture
def api(exchange: Exchange, clock: ManualClock) -> EmulatorClient:
    """A client with the key of the exchange's account."""
    return EmulatorClient(exchange, clock)


@pytest.fixture
def client(exchange: Exchange) -> Client:
    """A client of the Data API with the key of the exchange's account."""
    return data_api_client(exchange)


@pytest.fixture
def dates(clock: ManualClock) -> dict[str, str]:
    """The period of a report: an hour before and after the present."""
    zone = "Europe/Moscow"
    return {
        "date_from": report_time(clock() - 3600, zone),
        "date_till": report_time(clock() + 3600, zone),
    }
