"""Finds the tasks of this package that run or are deferred, and the task that has placed a single call."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_callapi.supervision.task_states import Owner, read_values

_JOURNAL_KEY = "callapi_call"
"""The key under which the task of a single call stores its journal."""
_MOST = 200


@dataclass(frozen=True)
class PollingTask:
    """A task of this package that is running or deferred.

    :ivar owner: dag id, run id, task id and map index.
    :ivar operator: the name of the operator's class, such as ``CallApiCampaignOperator``.
    :ivar state: ``running``: the worker polls. ``deferred``: the triggerer polls, one poll for all tasks.
    """

    owner: Owner
    operator: str
    state: str


def list_polling_tasks() -> list[PollingTask]:
    """Return up to 200 running or deferred tasks of operators whose class name begins with ``CallApi``.

    :raises CallApiTrouble: the metadata database does not answer.
    """
    from airflow.models.taskinstance import TaskInstance as Task  # noqa: PLC0415 - the metadata database is heavy
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    from airflow_provider_callapi.databases.retries import mask_errors  # noqa: PLC0415

    query = (
        select(Task.dag_id, Task.run_id, Task.task_id, Task.map_index, Task.operator, Task.state)
        .where(Task.state.in_(["running", "deferred"]), Task.operator.like("CallApi%"))
        .order_by(Task.dag_id, Task.run_id, Task.task_id, Task.map_index)
        .limit(_MOST)
    )

    def fetch() -> list[PollingTask]:
        with create_session() as session:
            rows = session.execute(query).all()
        return [
            PollingTask((dag, run, task, str(index)), str(operator), str(state))
            for dag, run, task, index, operator, state in rows
        ]

    return mask_errors(fetch, "Airflow's metadata database")


def find_callers() -> dict[int, Owner]:
    """Return which task has placed which single call, from the journals in Airflow's task state.

    The result does not contain calls of campaigns. Airflow before 3.3 has no task state, so the dict is then
    empty.

    :return: call session id → dag id, run id, task id and map index of the task.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    callers = {}
    for owner, journal in read_values(_JOURNAL_KEY).items():
        call = journal.get("call") if isinstance(journal, dict) else None
        if call:
            callers[int(call["call_session_id"])] = owner
    return callers
