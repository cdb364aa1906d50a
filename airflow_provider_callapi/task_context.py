"""What this package takes from Airflow's task context: facts about the try, and the task state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

STATE_KEY = "task_state_store"
"""The context's key for task state (Airflow 3.3+). Older versions have no such key."""
_IN_TEMPLATES = ("params", "ds", "run_id")


class TaskState:
    """Airflow's task state as a `KeyValueStore`: it survives retries, deferrals and clears of a run."""

    def __init__(self, accessor: Any) -> None:
        self._accessor = accessor

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Self | None:
        """Return the task state of this context, or None on an Airflow before 3.3."""
        return cls(context[STATE_KEY]) if STATE_KEY in context else None

    def get(self, key: str) -> Any:
        """Return the value, or None."""
        return self._accessor.get(key)

    def set(self, key: str, value: Any) -> None:
        """Replace the value. It is stored when this method returns."""
        from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - Airflow 3.3+, as task state is
            NEVER_EXPIRE,
        )

        self._accessor.set(key, value, retention=NEVER_EXPIRE)


@dataclass(frozen=True)
class TaskFacts:
    """Facts about one try of one task. Times are epoch seconds.

    :ivar owner: dag id, run id, task id and map index: the same for every try of the task.
    :ivar clears: ``max_tries``, which only a person's clear raises.
    :ivar try_number: 1 for the first try.
    :ivar run_after: when the run was due.
    :ivar execution_deadline: when ``execution_timeout`` is up, counted from the try's start over all its
        deferrals. Airflow counts it anew after each deferral.
    :ivar state: the task state; None before Airflow 3.3.
    :ivar template_values: ``params``, ``ds`` and ``run_id``, for templates that an operator renders itself.
    """

    owner: tuple[str, str, str, str]
    clears: int
    try_number: int
    run_after: float | None
    execution_deadline: float | None
    state: TaskState | None
    template_values: Mapping[str, Any]

    @classmethod
    def of(cls, context: Mapping[str, Any], *, execution_timeout: timedelta | None) -> Self:
        """Read the facts from a task's context."""
        ti = context["ti"]
        run_after = getattr(context.get("dag_run"), "run_after", None)
        map_index = -1 if ti.map_index is None else ti.map_index
        has_deadline = execution_timeout is not None and ti.start_date is not None
        return cls(
            owner=(ti.dag_id, ti.run_id, ti.task_id, str(map_index)),
            clears=ti.max_tries,
            try_number=ti.try_number,
            run_after=None if run_after is None else run_after.timestamp(),
            execution_deadline=(ti.start_date + execution_timeout).timestamp() if has_deadline else None,
            state=TaskState.of(context),
            template_values={name: context.get(name) for name in _IN_TEMPLATES if name in context},
        )


@dataclass(frozen=True)
class Deferral:
    """A request to defer the task. Helpers return it; only the operator defers.

    :ivar method_name: the operator's method that Airflow calls with the trigger's event.
    :ivar kwargs: further arguments of this method, plain JSON.
    """

    trigger: Any
    method_name: str
    kwargs: Mapping[str, Any]
    timeout: timedelta | None = None
