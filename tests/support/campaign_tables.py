"""A database of the authors: a table of contacts, and a table for the results of a campaign."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from campaign_desk import PEOPLE

QUERY = {"conn_id": "dwh", "sql": "SELECT phone, name FROM people"}
CALLS = {"conn_id": "dwh", "table": "calls"}


@pytest.fixture
def dwh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database with twelve people. Return a function that runs a statement and returns its rows."""
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))

    def run(sql: str, *parameters: Any) -> list[Any]:
        with closing(sqlite3.connect(file)) as db, db:
            return db.execute(sql, parameters).fetchall()

    run("CREATE TABLE people (phone TEXT, name TEXT)")
    run("CREATE TABLE objections (phone TEXT)")
    for phone in PEOPLE:
        run("INSERT INTO people VALUES (?, 'Anna')", phone)
    return run


def table(dwh: Any, columns: str = "person, attempt, result") -> list[Any]:
    rows: list[Any] = dwh(f"SELECT {columns} FROM calls ORDER BY person, attempt")
    return rows
