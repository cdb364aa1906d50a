"""Ask Airflow whether the task of a cancelled trigger still waits for its call.

If the task still waits, e.g. in another triggerer, the cancelled trigger must not end the call."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

_LONGEST_QUESTION = 15.0
"""The longest time in seconds to wait for Airflow's answer about the state of a task."""
_CANCELLED_TOGETHER = 0.05
"""Seconds for which a question to Airflow waits for further cancelled triggers of the same task and run."""
_DEFERRED = "deferred"

_States = dict[str, dict[str, Any]]
"""Run id → name of the task → state, e.g. ``{"manual__1": {"my_task_3": "deferred"}}`` for map index 3."""
_questions: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, str, str], asyncio.Task[_States]]
] = WeakKeyDictionary()
"""Event loop → DAG id, run id and task id → the question that is not sent to Airflow yet."""


async def is_still_waiting(task_instance: Any, log: Any) -> bool | None:
    """Return whether the task of a cancelled trigger is still deferred. None: it is not known."""
    # Airflow cancels a trigger if a user has ended the task's wait, e.g. by a clear. Airflow also cancels a
    # trigger to move it to another triggerer, e.g. because the first one was slow. The task then still waits.
    if task_instance is None:
        return None
    try:
        states = await asyncio.wait_for(asyncio.shield(_question_about(task_instance)), _LONGEST_QUESTION)
    except Exception as error:  # a trigger that is cancelled must not raise
        log.warning("Airflow does not tell the state of the task: %s: %s", type(error).__name__, error)
        return None
    of_run, name = states.get(task_instance.run_id, {}), _name_in_reply(task_instance)
    if name not in of_run:
        return None
    state = of_run[name]
    return str(getattr(state, "value", state)) == _DEFERRED


def _question_about(task_instance: Any) -> asyncio.Task[_States]:
    """Return the asyncio task that asks Airflow for the states of a task's map indexes."""
    questions = _questions.setdefault(asyncio.get_running_loop(), {})
    key = (task_instance.dag_id, task_instance.run_id, task_instance.task_id)
    if key not in questions:

        async def ask() -> _States:
            # Airflow may cancel the triggers of many map indexes together. One request is enough for them.
            await asyncio.sleep(_CANCELLED_TOGETHER)
            del questions[key]  # a trigger that is cancelled later needs a newer reply
            return await asyncio.to_thread(_fetch_states, *key)

        questions[key] = asyncio.create_task(ask())
    return questions[key]


def _fetch_states(dag_id: str, run_id: str, task_id: str) -> _States:
    """Return the states of a task's map indexes in one DAG run: ``{run id: {"my_task_3": "deferred"}}``.

    `_name_in_reply` returns the name of one map index, such as ``my_task_3``.
    """
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415 - heavy

    states: _States = RuntimeTaskInstance.get_task_states(dag_id=dag_id, task_ids=[task_id], run_ids=[run_id])
    return states


def _name_in_reply(task_instance: Any) -> str:
    """Return the name that a task has in Airflow's answer about states of tasks.

    Example: ``my_task``, or ``my_task_3`` for map index 3 of a mapped task.
    """
    mapped = task_instance.map_index is not None and task_instance.map_index >= 0
    return f"{task_instance.task_id}_{task_instance.map_index}" if mapped else str(task_instance.task_id)
