"""A real Airflow for a benchmark: the tests' deployment, with the benchmark's DAGs and exchanges.

The exchanges are in this process, which does nothing else meanwhile but look at Airflow's database:
what the clients of an exchange cause is read from it directly.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg2

from airflow_provider_callapi.emulator import Emulator, Exchange

sys.path.append(str(Path(__file__).parents[1] / "tests_deployment"))

from deployment import Deployment, eventually

DAGS = Path(__file__).parent / "dags"
_SAMPLE = 0.1


@dataclass(frozen=True)
class Task:
    """A task instance that is over; epoch seconds."""

    task_id: str
    map_index: int
    state: str
    tries: int
    ended_at: float


@dataclass(frozen=True)
class Run:
    """A DAG's run that is over.

    :ivar seconds: from the moment it was asked for until its last task has ended.
    :ivar worker_seconds: the seconds that its tasks were running, summed up: what they held of the
        executor's slots, waits in the triggerer not included. Sampled.
    """

    tasks: list[Task]
    seconds: float
    worker_seconds: float

    def ended_at(self, map_index: int) -> float:
        """When the last of a mapped index' tasks was over."""
        return max(task.ended_at for task in self.tasks if task.map_index == map_index)


class Airflow(Deployment):
    """Airflow's components with one of the files in ``dags/``.

    :param file: its name without the suffix. It makes one DAG of every entry of the JSON file beside it.
    :param dags: the content of that JSON file.
    :param connections: what they talk to.
    :param slots: how many tasks run at once.
    """

    def __init__(
        self, home: Path, file: str, dags: dict[str, Any], connections: dict[str, Any], slots: int
    ) -> None:
        super().__init__(home, {})
        folder = home / "benchmark"
        folder.mkdir()
        (folder / f"{file}.py").write_text((DAGS / f"{file}.py").read_text("utf-8"), "utf-8")
        (folder / f"{file}.json").write_text(json.dumps(dags), "utf-8")
        self._dag_count = len(dags)
        self._environment |= {
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
            "AIRFLOW__CORE__PARALLELISM": str(slots),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(slots),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            # nothing is killed here, and a busy machine must not look like a dead worker
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "60",
        }
        for name, connection in connections.items():
            self._environment[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)

    def play(self, *dag_ids: str, within: float) -> dict[str, Run]:
        """Run these DAGs at once, to their end."""
        with psycopg2.connect(self._database.get_uri()) as database:
            database.autocommit = True
            cursor = database.cursor()
            with _Running(database.cursor(), dag_ids) as running:
                began = time.time()
                for dag_id in dag_ids:
                    self.run(dag_id)
                # asks the database, not the API server, which the tasks keep busy
                eventually(f"{dag_ids} are over", lambda: _are_over(cursor, dag_ids), within=within)
            return {dag_id: _run(cursor, dag_id, began, running.seconds[dag_id]) for dag_id in dag_ids}


class _Running:
    """Adds up how long the tasks of some DAGs are running, for the time of the block."""

    def __init__(self, cursor: Any, dag_ids: tuple[str, ...]) -> None:
        self.seconds = dict.fromkeys(dag_ids, 0.0)
        self._cursor = cursor
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_SAMPLE):
            self._cursor.execute(
                "select dag_id, count(*) from task_instance where state = 'running' group by dag_id"
            )
            counts, now = dict(self._cursor.fetchall()), time.monotonic()
            for dag_id in self.seconds:
                self.seconds[dag_id] += counts.get(dag_id, 0) * (now - before)
            before = now


def _are_over(cursor: Any, dag_ids: tuple[str, ...]) -> bool:
    cursor.execute(
        "select count(*) from dag_run where dag_id = any(%s) and state in ('success', 'failed')",
        (list(dag_ids),),
    )
    return bool(cursor.fetchone()[0] == len(dag_ids))


def _run(cursor: Any, dag_id: str, began: float, worker_seconds: float) -> Run:
    cursor.execute(
        "select task_id, map_index, state, try_number, extract(epoch from end_date)"
        " from task_instance where dag_id = %s",
        (dag_id,),
    )
    tasks = [Task(*row[:4], float(row[4] or 0.0)) for row in cursor.fetchall()]
    return Run(tasks, max(task.ended_at for task in tasks) - began, worker_seconds)


@contextmanager
def deployed(
    file: str, dags: dict[str, Any], exchanges: dict[str, Exchange], *, slots: int, timeout: float = 30.0
) -> Iterator[Airflow]:
    """Airflow for the time of the block. Every exchange has two connections, ``NAME`` and ``NAME_http``.

    :param timeout: seconds that every client waits for an answer.
    """
    with ExitStack() as stack:
        connections: dict[str, Any] = {}
        for name, exchange in exchanges.items():
            emulator = stack.enter_context(Emulator(exchange))
            ours = emulator.connection()
            ours["extra"] = {"timeout": timeout}  # without the Data API, which the others do not ask either
            connections[name] = ours
            connections[f"{name}_http"] = {**ours, "conn_type": "http"}
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="callapi-benchmark-"))
        airflow = Airflow(Path(home), file, dags, connections, slots)
        stack.callback(airflow.stop)
        airflow.start()
        try:
            yield airflow
        except Exception:
            for name in ("scheduler", "api-server"):
                print(airflow.output(name), file=sys.stderr)
            raise
