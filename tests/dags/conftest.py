"""Marks the tests that run a DAG in a real Airflow, and has what these tests share.

``make test-examples`` runs the marked tests.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Exchange, Script

RUNS_A_DAG = frozenset({"exchange", "run_dag", "run_yaml"})
"""The fixtures that only a test uses that runs a DAG."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.path.parent == Path(__file__).parent and not RUNS_A_DAG.isdisjoint(fixtures):
            item.add_marker(pytest.mark.example)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[Any, ...]]]:
    """Create the database of the connection ``dwh``. Return a function that runs a statement."""
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))

    def run(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file)) as db, db:
            return db.execute(sql).fetchall()

    return run


@pytest.fixture
def talks_until_tagged(exchange: Exchange) -> Iterator[Callable[[str], None]]:
    """Return a function that lets the person at a phone talk until a call has a tag. Then the call ends.

    The steps of a DAG take seconds on a loaded machine, and a call must not end before it has its tag.
    """
    over = threading.Event()
    rpc = JsonRpc("https://x/v4.0", new_session=exchange.session)

    def release_after_tag() -> None:
        while not over.wait(0.05):
            for call in exchange.active_calls:
                if call.tags:
                    params = {"access_token": "demo-key", "call_session_id": call.call_session_id}
                    rpc.send("release.call", params, new_connection=True)

    def talk(phone: str) -> None:
        exchange.script(phone, Script(rings=0.2, employee_rings=0.2, talks=None))

    thread = threading.Thread(target=release_after_tag)
    thread.start()
    yield talk
    over.set()
    thread.join(60)


@pytest.fixture
def missed_calls(exchange: Exchange) -> dict[str, list[int]]:
    """Let two people call while no employee answers, one of them twice. Return caller → session ids."""
    employee = "79260000001"
    callers: dict[str, list[int]] = {"79160000001": [], "79160000002": []}
    for phone in callers:
        exchange.script(phone, Script(rings=0.2, talks=3))  # long enough for the trigger to see the call
    exchange.script(employee, Script.no_answer(rings=0.1))
    for phone in [*callers, "79160000001"]:
        callers[phone].append(exchange.inbound(phone))
    while exchange.active_calls:
        time.sleep(0.05)
    exchange.script(employee, Script(rings=0.1))
    time.sleep(1 - time.time() % 1)  # the interval ends with the second in which the run begins
    return callers
