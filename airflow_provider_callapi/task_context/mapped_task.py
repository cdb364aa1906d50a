"""Exchanges values between the instances of a mapped task through XCom, and reads the states of instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from airflow.providers.common.compat.sdk import BaseOperator


class MappedTask:
    """The map indexes of one mapped task in one DAG run, which exchange values through XCom.

    A value lasts until the next try of the map index that has published it: when this try begins, Airflow
    deletes the value.

    :param ti: Airflow's running task instance.
    :param task: the running operator.
    :ivar map_index: the map index of the running task instance.
    :ivar may_skip_early: whether the author's code in ``pre_execute`` may skip a map index before `execute`.
    """

    def __init__(self, ti: Any, task: Any) -> None:
        self._ti = ti
        self.map_index: int = ti.map_index
        method = getattr(type(task), "pre_execute", BaseOperator.pre_execute)
        hook = getattr(task, "_pre_execute_hook", None)  # Airflow has no public attribute for this
        self.may_skip_early = hook is not None or method is not BaseOperator.pre_execute

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Self | None:
        """Return the mapped task of Airflow's context. None: the running task is not mapped."""
        ti = context.get("ti")
        map_index = getattr(ti, "map_index", None)
        return cls(ti, context.get("task")) if isinstance(map_index, int) and map_index >= 0 else None

    def publish(self, key: str, value: Any) -> None:
        """Show a value to the other map indexes of the task, as an XCom of the running map index.

        The value replaces an earlier value of the key.

        :param key: the key of the XCom.
        :param value: plain JSON.
        """
        self._ti.xcom_push(key=key, value=value)

    def published(self, key: str) -> list[Any]:
        """Return the values that the map indexes of the task have published under a key, in any order.

        The list has one value for each map index that has published a value.

        :param key: the key of the XCom.
        """
        values = self._ti.xcom_pull(task_ids=self._ti.task_id, key=key)
        values = values if isinstance(values, list) else [values]
        return [value for value in values if value is not None]

    def states(self) -> dict[int, str | None]:
        """Return map index → state of its task instance, e.g. ``{0: "success", 1: "running", 2: None}``.

        The state None means that Airflow has not scheduled the task instance yet.
        """
        return states_by_index(self._ti, self._ti.task_id)


def states_by_index(ti: Any, task_id: str) -> dict[int, str | None]:
    """Return the states of a mapped task's instances in the DAG run: map index → state, or None.

    The dict is empty if Airflow has not expanded the task, e.g. because its upstream task failed.

    :param ti: Airflow's running task instance.
    :param task_id: the id of a task of the same DAG.
    """
    found = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task_id], run_ids=[ti.run_id])
    prefix = f"{task_id}_"
    return {
        int(name.removeprefix(prefix)): state
        for name, state in found.get(ti.run_id, {}).items()
        if name.startswith(prefix)
    }
