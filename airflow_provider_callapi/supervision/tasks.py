"""Finds the running and deferred tasks of this package's operators, and the task that has placed a call.

For calls of campaigns, the module does not find the task.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY
from airflow_provider_callapi.supervision.metadata_database import in_metadata_database
from airflow_provider_callapi.supervision.task_states import Owner, read_values

_MOST = 200


@dataclass(frozen=True)
class PollingTask:
    """A running or deferred task of an operator of this package. Such a task polls if it waits for a call.

    :ivar owner: dag id, run id, task id and map index.
    :ivar operator: the name of the operator's class, such as ``CallApiCampaignOperator``.
    :ivar state: ``running``: the task is in a worker. ``deferred``: the task waits in a triggerer. In one
        triggerer, one poll serves all deferred tasks of a connection.
    :ivar connection: id of the Airflow connection that the task uses. None: not known.
    """

    owner: Owner
    operator: str
    state: str
    connection: str | None = None


def list_polling_tasks() -> list[PollingTask]:
    """Return up to 200 running or deferred tasks of operators whose class name begins with ``CallApi``.

    :return: the tasks, sorted by dag id, run id, task id and map index. If there are more than 200, the last
        ones are missing.
    :raises RuntimeError: this process may not use Airflow's metadata database.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    from airflow.models.renderedtifields import RenderedTaskInstanceFields as Rendered  # noqa: PLC0415
    from airflow.models.taskinstance import TaskInstance as Task  # noqa: PLC0415 - the metadata database is heavy
    from sqlalchemy import JSON, and_, select, type_coerce  # noqa: PLC0415

    # Each operator of this package that polls has this template field. Airflow stores its rendered value.
    connection = type_coerce(Rendered.rendered_fields, JSON)["callapi_conn_id"].as_string()
    names = ("dag_id", "run_id", "task_id", "map_index")
    is_same = and_(*(getattr(Rendered, name) == getattr(Task, name) for name in names))
    columns = (Task.dag_id, Task.run_id, Task.task_id, Task.map_index, Task.operator, Task.state)
    query = (
        select(*columns, connection)
        .outerjoin(Rendered, is_same)
        .where(Task.state.in_(["running", "deferred"]), Task.operator.like("CallApi%"))
        .order_by(Task.dag_id, Task.run_id, Task.task_id, Task.map_index)
        .limit(_MOST)
    )

    rows = in_metadata_database(lambda session: session.execute(query).all())
    return [
        PollingTask((dag, run, task, str(index)), str(operator), str(state), used)
        for dag, run, task, index, operator, state, used in rows
    ]


def find_callers() -> dict[tuple[str | None, int], Owner]:
    """Return the task of each call that the newest 500 journals in Airflow's task state contain.

    Calls of campaigns are missing. The result is empty before Airflow 3.3.

    Calls of two accounts can have the same session id.

    :return: (id of the Airflow connection, call session id) → (dag id, run id, task id, map index) of the
        task that has placed the call. The connection is None if the journal does not name it.
    :raises RuntimeError: this process may not use Airflow's metadata database.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    callers = {}
    for owner, journal in read_values(RECORD_KEY, numbered=True):
        records = [journal, *journal.get("earlier", ())] if isinstance(journal, dict) else []
        for record in records:
            if call := record.get("call"):
                callers[record.get("connection"), int(call["call_session_id"])] = owner
    return callers
