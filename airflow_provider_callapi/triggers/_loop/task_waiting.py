"""Ask Airflow whether a task still waits for a trigger that was cancelled.

Airflow cancels a trigger when a user ends the wait of its task. Airflow also cancels a trigger that it has
given to another triggerer, for example because the first triggerer was slow. In this case, the task still
waits, and its call must not be released.
"""

from __future__ import annotations

import asyncio
from typing import Any

_LONGEST_QUESTION = 5.0
"""Seconds to wait for Airflow's reply."""
_DEFERRED = "deferred"


async def is_still_waiting(task_instance: Any, log: Any) -> bool | None:
    """Ask Airflow whether the task of a cancelled trigger is still deferred.

    :param task_instance: the task instance of the cancelled trigger. None: not known.
    :param log: the trigger's logger.
    :return: True: the task still waits. False: it does not. None: Airflow did not reply, or does not know the
        task.
    """
    if task_instance is None:
        return None
    try:
        states = await asyncio.wait_for(asyncio.to_thread(_fetch_states, task_instance), _LONGEST_QUESTION)
    except Exception as error:  # a trigger that is cancelled must not raise
        log.warning("Airflow does not tell the state of the task: %s: %s", type(error).__name__, error)
        return None
    of_run, name = states.get(task_instance.run_id, {}), _name_in_reply(task_instance)
    if name not in of_run:
        return None
    state = of_run[name]
    return str(getattr(state, "value", state)) == _DEFERRED


def _fetch_states(task_instance: Any) -> dict[str, dict[str, Any]]:
    """Ask Airflow's API server for the state of a task instance.

    :return: run id → name of the task → state, e.g. ``{"manual__1": {"my_task_3": "deferred"}}`` for map
        index 3.
    """
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415 - heavy

    mapped = task_instance.map_index is not None and task_instance.map_index >= 0
    states: dict[str, dict[str, Any]] = RuntimeTaskInstance.get_task_states(
        dag_id=task_instance.dag_id,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        map_index=task_instance.map_index if mapped else None,
    )
    return states


def _name_in_reply(task_instance: Any) -> str:
    """Return the name that Airflow's reply uses for a task. A mapped task's name ends with its map index."""
    mapped = task_instance.map_index is not None and task_instance.map_index >= 0
    return f"{task_instance.task_id}_{task_instance.map_index}" if mapped else str(task_instance.task_id)
