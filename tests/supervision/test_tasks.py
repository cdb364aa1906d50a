"""Which tasks poll now, and which task has placed which call."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from airflow_provider_callapi.supervision.tasks import find_callers, list_polling_tasks

pytest_plugins = ["campaigns_seen"]


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_of_a_task_names_the_owner_of_a_call(task_states: Any) -> None:
    task_states("one", {"callapi_call": {"connection": "a", "call": {"call_session_id": 7}}})
    task_states("two", {"callapi_call": {"stage": "starting", "call": None}})

    assert find_callers() == {("a", 7): ("one", "manual__1", "call", "-1")}


@pytest.mark.needs_airflow("3.3", "task state")
def test_calls_of_two_accounts_with_one_session_id_have_two_owners(task_states: Any) -> None:
    for dag, connection in (("one", "a"), ("two", "b")):
        task_states(dag, {"callapi_call": {"connection": connection, "call": {"call_session_id": 7}}})

    assert {where: owner[0] for where, owner in find_callers().items()} == {("a", 7): "one", ("b", 7): "two"}


@pytest.mark.needs_airflow("3.3", "task state")
def test_each_journal_of_a_task_with_several_calls_names_the_owner_of_its_call(task_states: Any) -> None:
    journals = {f"callapi_call_{number}": {"call": {"call_session_id": number}} for number in (1, 2)}
    task_states("one", {**journals, "callapi_calls": {"call": {"call_session_id": 8}}})

    assert find_callers() == dict.fromkeys(((None, 1), (None, 2)), ("one", "manual__1", "call", "-1"))


def test_a_polling_task_names_its_connection_if_airflow_has_stored_the_rendered_fields(
    airflow_db: None,
) -> None:
    import sqlalchemy
    from airflow.models.dagrun import DagRun
    from airflow.models.renderedtifields import RenderedTaskInstanceFields as Rendered
    from airflow.models.taskinstance import TaskInstance as Task
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType
    from sqlalchemy import delete, insert

    def key(run: str) -> dict[str, Any]:
        return {"dag_id": "polling_tasks", "run_id": run, "task_id": "call", "map_index": -1}

    # In older versions of Airflow, with SQLAlchemy 1.4, the column has texts.
    has_uuids = isinstance(Task.__table__.c.id.type, getattr(sqlalchemy, "Uuid", ()))
    rendered = {"callapi_conn_id": "callapi_other", "message": "Hello"}
    own = {"operator": "CallApiSimpleCallOperator", "state": "deferred", "pool": "p", "pool_slots": 1}
    try:
        with create_session() as session:
            for run in ("1", "2"):
                session.add(DagRun(dag_id="polling_tasks", run_id=run, run_type=DagRunType.MANUAL))
                session.flush()
                own_id = uuid.uuid4() if has_uuids else str(uuid.uuid4())
                session.execute(insert(Task.__table__).values(id=own_id, **key(run), **own))
            session.execute(insert(Rendered.__table__).values(**key("1"), rendered_fields=rendered))

        assert [task.connection for task in list_polling_tasks()] == ["callapi_other", None]
    finally:
        with create_session() as session:
            for kind in (Rendered, Task, DagRun):
                session.execute(delete(kind).where(kind.dag_id == "polling_tasks"))


def test_no_task_polls_if_no_task_runs(airflow_db: None) -> None:
    assert list_polling_tasks() == []
