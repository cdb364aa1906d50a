"""Campaigns that have published their progress, in SQL ledgers and in Airflow's task state."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.ledgers.sql_supervision import open_sql_supervision
from airflow_provider_callapi.task_context.state_keys import IDENTITY_KEY, PROGRESS_KEY

PROGRESS = CampaignProgress(
    campaign="spring",
    shard="",
    owner=("marketing", "manual__1", "call", "-1"),
    connection="callapi_default",
    people=200,
    finished=50,
    active=10,
    waiting=140,
    doing="dialling",
    at=1_760_000_000.0,
    next_at=1_760_000_015.0,
    results={"answered": 40, "busy": 10},
    per_minute=25.0,
    ends_at=1_760_000_360.0,
)


@pytest.fixture
def no_other_campaigns(airflow_db: None) -> None:
    """Delete what the campaigns of other tests have left in task state."""
    try:
        from airflow.models.task_state_store import TaskStateStoreModel as State
    except ImportError:
        return
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(State).where(State.key.like("callapi_%")))


@pytest.fixture
def ledger(no_other_campaigns: None, monkeypatch: pytest.MonkeyPatch, sqlite_ledger: None) -> Any:
    """Return the control of a SQL ledger with the connection ``ledger``, in which ``spring`` is dialling."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    control = open_sql_supervision("ledger")
    control.publish(PROGRESS)
    yield control
    control.close()


@pytest.fixture
def silent_ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the id of a connection to a database that accepts connections and never answers.

    Supervision waits half a second for it, and not five seconds.
    """
    monkeypatch.setattr("airflow_provider_callapi.supervision.patience.LONGEST_WAIT", 0.5)
    name = f"silent_{uuid.uuid4().hex[:8]}"  # the thread of an earlier test may still wait for its own
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        url = f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/db"
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", url)
        yield name


@pytest.fixture
def task_states(no_other_campaigns: None) -> Any:
    """Return a function that stores the task state of one task: ``(dag_id, key → value)``."""
    from airflow.models.dagrun import DagRun
    from airflow.state import TaskScope, get_state_backend
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType
    from sqlalchemy import delete

    dags: list[str] = []

    def store(dag_id: str, values: dict[str, Any]) -> None:
        if dag_id not in dags:
            dags.append(dag_id)
            with create_session() as session:
                session.add(DagRun(dag_id=dag_id, run_id="manual__1", run_type=DagRunType.MANUAL))
        for key, value in values.items():
            get_state_backend().set(TaskScope(dag_id, "manual__1", "call"), key, json.dumps(value))

    yield store
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id.in_(dags)))


@pytest.fixture
def autumn(task_states: Any) -> Any:
    """Store the task state of the campaign ``autumn``, whose ledger is in task state."""
    owner = ("autumn_dag", "manual__1", "call", "-1")
    progress = replace(PROGRESS, campaign="autumn", owner=owner, at=PROGRESS.at + 5)
    task_states("autumn_dag", {PROGRESS_KEY: progress.to_json(), IDENTITY_KEY: {"ledger_conn_id": None}})
    return task_states
