"""What a campaign has opened is closed when its run ends or fails."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from campaign_desk import KilledError, campaign, kill_the_worker
from campaign_tables import CALLS, QUERY
from open_connections import OpenConnections

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._campaign import parts as campaign_parts
from airflow_provider_callapi.operators._campaign import run as campaign_run

pytest_plugins = ["airflow_desk", "campaign_desk", "open_connections", "campaign_tables"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


STORES = {"contacts": QUERY, "results": CALLS, "ledger_conn_id": "ledger"}


class _ServicesWithThread(campaign_parts.CampaignServices):
    """Has a running thread from its beginning on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.start([None])  # type: ignore[list-item]

    def _start(self, request: Any) -> Any:
        return None if request is None else super()._start(request)


def _running_threads() -> list[str]:
    """Return the names of the campaign's threads that still run after a while."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("callapi-")]
    for thread in threads:
        thread.join(10)
    return [thread.name for thread in threads if thread.is_alive()]


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_end_of_a_run_closes_the_ledger_the_table_and_the_wishes(
    desk, dwh, open_connections: OpenConnections, deferrable
):
    calls = campaign(desk, **STORES, deferrable=deferrable)
    calls.run()

    assert len(open_connections.engines) == 3 * (1 + len(calls.deferrals))
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []


def test_a_list_that_cannot_be_read_leaves_no_connection_and_no_thread(
    desk, dwh, open_connections: OpenConnections, monkeypatch
):
    monkeypatch.setattr(campaign_parts, "CampaignServices", _ServicesWithThread)
    dwh("DROP TABLE people")

    with pytest.raises(CallApiFailure, match="contacts: connection 'dwh': OperationalError: no such table"):
        campaign(desk, **STORES).run()

    assert len(open_connections.engines) == 1  # of the ledger
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []


def test_a_failure_after_the_table_was_opened_leaves_no_connection_and_no_thread(
    desk, dwh, open_connections: OpenConnections, monkeypatch
):
    monkeypatch.setattr(campaign_run, "Campaign", kill_the_worker)

    with pytest.raises(KilledError):
        campaign(desk, **STORES).run()

    assert len(open_connections.engines) == 2  # of the ledger and of the table
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []
