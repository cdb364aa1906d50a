"""Read from a callback's context why an alert rings, and describe the reason in words for a voice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from airflow_provider_callapi.calls.deployment import Deployment

_TEXTS = {
    "approval": "Внимание! Airflow ждёт решения человека. Задача {task}, даг {dag}, запуск {run}.",
    "task": "Внимание! Ошибка в Airflow. Задача {task}, даг {dag}, запуск {run}.",
    "dag": "Внимание! Ошибка в Airflow. Даг {dag}, запуск {run}.",
    "run": "Внимание! Ошибка в Airflow. Даг {dag}, запуск {run}.",
    "deadline": "Внимание! В Airflow просрочен даг {dag}, запуск {run}.",
}
_EVENT_TEXTS = {
    ("task", "success"): "Задача в Airflow выполнена. Задача {task}, даг {dag}, запуск {run}.",
    ("task", "skipped"): "Задача в Airflow пропущена. Задача {task}, даг {dag}, запуск {run}.",
    ("task", "up_for_retry"): (
        "Внимание! Ошибка в Airflow, задача будет повторена. Задача {task}, даг {dag}, запуск {run}."
    ),
    ("dag", "success"): "Даг в Airflow выполнен. Даг {dag}, запуск {run}.",
}
"""(kind, event) → the text about an event that is no failure, or no final one."""
_EVENTS = ("success", "skipped", "up_for_retry")
"""The events that are no failure, or no final one."""
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?")

CallbackKind = Literal["approval", "task", "dag", "run", "deadline"]
"""The reason for an alert: a task that waits for a decision, a failed task or DAG, or a missed deadline.

``run`` means that a running task calls the notifier because another task of the same DAG run has failed.
"""
CONTINUED: frozenset[CallbackKind] = frozenset({"run", "deadline"})
"""The kinds of alerts that continue an interrupted escalation, and that have no time limit of Airflow."""


@dataclass(frozen=True)
class AlertReason:
    """The reason for an alert, such as a failed task, a missed deadline or a request for a decision.

    An alert may also be about a success or a skipped task, see ``event``.
    """

    kind: CallbackKind
    dag_id: str
    run_id: str
    task_id: str = ""  # only for ``task`` and ``approval``
    # ``deadline``: Airflow's id of the missed deadline. ``run``: the running task, also its DAG and run.
    # A restart or a retry does not change the value.
    caller: str = ""
    # ``success`` or ``skipped``: nothing has failed, and Airflow calls the notifier after this event.
    # ``up_for_retry``: the task has failed, and Airflow will retry it.
    event: str = ""

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Return the reason that the context of an Airflow callback or of a running task describes."""
        # Airflow's context of a task's callback has ``ti``. The context of a DAG's callback has ``reason``
        # and the ``ti`` of one of its tasks, or only ``dag`` and ``run_id``. The context of a deadline's
        # callback has ``deadline``, and ``dag_run`` as a dict. A running task passes its own context.
        ti, dag_run, dag = context.get("ti"), context.get("dag_run"), context.get("dag")
        dag_id = _text(ti, "dag_id") or _text(dag_run, "dag_id") or _text(dag, "dag_id") or "unknown"
        run_id = _text(ti, "run_id") or _text(dag_run, "run_id") or _text(dag_run, "dag_run_id")
        run_id = run_id or context.get("run_id") or "unknown"
        if "deadline" in context:
            deadline = context["deadline"]
            deadline_id = _text(deadline, "id") if isinstance(deadline, Mapping) else ""
            return cls("deadline", dag_id, run_id, caller=deadline_id and f"deadline {deadline_id}")
        if ti is None or "reason" in context:
            return cls("dag", dag_id, run_id, event=_event(context.get("reason")))
        if _is_running(ti):
            if context.get("exception") is None and _waits_for_a_person(context.get("task")):
                return cls("approval", dag_id, run_id, _text(ti, "task_id"))
            task = f"task {dag_id} {run_id} {_text(ti, 'task_id')} {_text(ti, 'map_index')}"
            return cls("run", dag_id, run_id, caller=task)
        event = _event(getattr(ti, "state", None))
        if context.get("exception") is not None and event != "up_for_retry":
            event = ""
        return cls("task", dag_id, run_id, _text(ti, "task_id"), event=event)

    def external_id(self, deployment: Deployment, people: Iterable[str], *, only_of: str = "") -> str:
        """Return the default id of the alert: ``af-alert-`` and a hash.

        All alerts of one DAG run to the same people share an id. Exceptions:

        - Each task that waits for a person's decision has an id of its own.
        - Successes, skipped tasks and retries have one id for each of the three kinds. So a call about a
          success does not prevent a call about a failure.
        - With ``only_of``, the id also depends on this text. A random text gives each alert its own id.
        """
        what = (self.kind, self.task_id) if self.kind == "approval" else (self.event,) if self.event else ()
        own = (only_of,) if only_of else ()
        key = deployment.scope(self.dag_id, self.run_id, *what, *people, *own)
        return f"af-alert-{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    @property
    def text(self) -> str:
        """The default text of the call, in Russian like the service's voices."""
        names = {"task": self.task_id, "dag": self.dag_id, "run": self.run_id}
        text = _EVENT_TEXTS.get((self.kind, self.event), _TEXTS[self.kind])
        return text.format(**{name: speakable(value) for name, value in names.items()})

    def __str__(self) -> str:
        task = f"task {self.task_id} of " if self.task_id else ""
        what = "the missed deadline of " if self.kind == "deadline" else task
        return f"{what}DAG {self.dag_id}, run {self.run_id}"


def with_accessors(context: Mapping[str, Any]) -> Any:
    """Return the context with ``var`` and ``conn``, which a template may use.

    In two cases, Airflow omits them from the context: in the callback of a deadline, and in the callback of a
    DAG if no task instance belongs to it.
    """
    if "var" in context:
        return context
    from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - parse time
        ConnectionAccessor,
        VariableAccessor,
    )

    variables = {kind: VariableAccessor(deserialize_json=kind == "json") for kind in ("json", "value")}
    return {"var": variables, "conn": ConnectionAccessor(), **context}


def _event(state: Any) -> str:
    """Return ``state`` if it is in `_EVENTS`, e.g. ``skipped``. Otherwise: an empty text.

    ``state``: the state of a task, or why Airflow runs a DAG's callback.
    """
    return next((event for event in _EVENTS if state == event), "")


def _waits_for_a_person(task: Any) -> bool:
    """Return whether a task is an Airflow operator that waits for a person's decision (human in the loop)."""
    # Such a task runs its notifiers when it asks the person, although no task has failed.
    return any(base.__name__ == "HITLOperator" for base in type(task).__mro__)


def _is_running(ti: Any) -> bool:
    """Return whether the task still executes in this process. False in a failure callback of the task."""
    from airflow.providers.common.compat.sdk import get_current_context  # noqa: PLC0415 - parse time

    try:
        return get_current_context().get("ti") is ti
    except RuntimeError:
        return False


def speakable(name: str) -> str:
    """Return an id as words that a voice can speak.

    For example, ``scheduled__2026-11-23T22:00:00+00:00`` becomes "scheduled 23.11.2026 22:00".
    """
    words, end = [], 0
    for time in _ISO_TIME.finditer(name):
        words += [_words(name[end : time.start()]), f"{datetime.fromisoformat(time[0]):%d.%m.%Y %H:%M}"]
        end = time.end()
    return " ".join(word for word in (*words, _words(name[end:])) if word)


def _words(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text).split())


def _text(source: Any, name: str) -> str:
    """Return ``source[name]`` of a mapping, or ``source.name`` of another object, as text.

    A missing value becomes an empty text.
    """
    value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    return str(value) if value else ""
