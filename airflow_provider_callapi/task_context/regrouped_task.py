"""Recognises a task that was moved into a task group of the DAG file while its DAG run has not ended."""

from __future__ import annotations

from typing import Any

# Example: the author moves the task call into the group evening. Airflow gives the old task the state
# removed, also while it runs, and adds the task evening.call to the DAG run. The new task has no record of
# the calls of the old one. If the author moves a task out of a group, or renames it, nothing shows which
# removed task it was.


def find_removed_task(ti: Any) -> str | None:
    """Return the id that a task had before it was moved into a task group, if Airflow has removed this task.

    :param ti: Airflow's running task instance, e.g. of the task ``evening.call``.
    :return: for example ``call``. None: the DAG run has no such removed task.
    """
    groups = ti.task_id.split(".")
    former_ids = [".".join(groups[level:]) for level in range(1, len(groups))]
    if not former_ids:
        return None
    found = ti.get_task_states(dag_id=ti.dag_id, task_ids=former_ids, run_ids=[ti.run_id])
    states = found.get(ti.run_id, {})  # the name of a mapped task ends with _ and the map index
    is_removed = bool(states) and set(states.values()) == {"removed"}  # also single map indexes are removed
    return next(iter(states)) if is_removed else None
