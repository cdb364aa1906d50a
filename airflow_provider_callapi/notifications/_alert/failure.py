"""What has failed, read from the contexts that Airflow gives to callbacks, in words a voice can speak.

The contexts differ. A task's callback has ``ti``; a DAG's has ``reason`` beside the ``ti`` of some task,
or only ``dag`` and ``run_id``; a deadline's has ``deadline`` and a ``dag_run`` that is a dict.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

_TEXTS = {
    "task": "Внимание! Ошибка в Airflow. Задача {task}, даг {dag}, запуск {run}.",
    "dag": "Внимание! Ошибка в Airflow. Даг {dag}, запуск {run}.",
    "deadline": "Внимание! В Airflow просрочен даг {dag}, запуск {run}.",
}
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?")


@dataclass(frozen=True)
class Failure:
    """One failure of one run; ``task_id`` is there only where it is a task that has failed."""

    kind: Literal["task", "dag", "deadline"]
    dag_id: str
    run_id: str
    task_id: str = ""

    @classmethod
    def read(cls, context: Mapping[str, Any]) -> Self:
        """From any callback's context."""
        ti, dag_run, dag = context.get("ti"), context.get("dag_run"), context.get("dag")
        dag_id = _of(ti, "dag_id") or _of(dag_run, "dag_id") or _of(dag, "dag_id") or "unknown"
        run_id = _of(ti, "run_id") or _of(dag_run, "run_id") or _of(dag_run, "dag_run_id")
        run_id = run_id or context.get("run_id") or "unknown"
        if "deadline" in context:
            return cls("deadline", dag_id, run_id)
        if ti is None or "reason" in context:
            return cls("dag", dag_id, run_id)
        return cls("task", dag_id, run_id, _of(ti, "task_id") or "")

    @property
    def external_id(self) -> str:
        """The same for every failure of a run."""
        key = f"{self.dag_id}\n{self.run_id}"
        return f"af-alert-{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    @property
    def text(self) -> str:
        """What is said, in Russian, as the service's voices do."""
        names = {"task": self.task_id, "dag": self.dag_id, "run": self.run_id}
        return _TEXTS[self.kind].format(**{name: speakable(value) for name, value in names.items()})

    def __str__(self) -> str:
        return f"{self.kind} {self.dag_id} {self.task_id}".rstrip() + f", run {self.run_id}"


def speakable(name: str) -> str:
    """An id as words: ``scheduled__2026-11-23T22:00:00+00:00`` is "scheduled 23.11.2026 22:00"."""

    words, end = [], 0
    for date in _ISO.finditer(name):
        words += [_plain(name[end : date.start()]), f"{datetime.fromisoformat(date[0]):%d.%m.%Y %H:%M}"]
        end = date.end()
    return " ".join(word for word in (*words, _plain(name[end:])) if word)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text).split())


def _of(source: Any, name: str) -> str:
    value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    return str(value) if value else ""
