"""A real Airflow for a benchmark: the deployment of the tests, with a benchmark's DAGs and exchanges.

The emulated exchanges run in the process of the benchmark, so that the benchmark reads the requests and calls
directly from the exchanges.
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
    """A finished task instance of a benchmark's DAG run. Times are epoch seconds."""

    task_id: str
    map_index: int
    state: str
    tries: int
    ended_at: float


@dataclass(frozen=True)
class Run:
    """A finished run of a benchmark's DAG.

    :ivar seconds: from the request for the run until the end of the run's last task.
    :ivar worker_seconds: the total seconds in which the run's tasks ran and occupied slots of the executor.
        Waits in the triggerer do not count. The value is sampled.
    """

    tasks: list[Task]
    seconds: float
    worker_seconds: float

    def ended_at(self, map_index: int) -> float:
        """Return when the last task instance with a map index ended, in epoch seconds."""
        return max(task.ended_at for task in self.tasks if task.map_index == map_index)


class Airflow(Deployment):
    """A running Airflow (all components) with one of the DAG files in ``benchmarks/dags/``.

    :param file: the file's name without the suffix. The file defines one DAG per entry of the JSON file
        with the same name.
    :param dags: the content of the JSON file.
    :param connections: connection id → the connection's fields.
    :param slots: the number of tasks that run at once.
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
            # no worker dies here, and a busy machine must not count as a dead worker
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "60",
        }
        for name, connection in connections.items():
            self._environment[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)

    def play(self, *dag_ids: str, within: float) -> dict[str, Run]:
        """Run several DAGs at the same time and wait for the end of all. Return DAG id → run of the DAG."""
        with psycopg2.connect(self._database.get_uri()) as database:
            database.autocommit = True
            cursor = database.cursor()
            with _Running(database.cursor(), dag_ids) as running:
                began = time.time()
                for dag_id in dag_ids:
                    self.run(dag_id)
                # query the database: the tasks keep the API server busy
                eventually(f"{dag_ids} are over", lambda: _are_over(cursor, dag_ids), within=within)
            return {dag_id: _run(cursor, dag_id, began, running.seconds[dag_id]) for dag_id in dag_ids}


class _Running:
    """Sums, inside a ``with`` block, the seconds in which tasks of some DAGs run."""

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
    tasks = [
        Task(task_id, map_index, state, tries, ended_at=float(end or 0.0))
        for task_id, map_index, state, tries, end in cursor.fetchall()
    ]
    return Run(tasks, max(task.ended_at for task in tasks) - began, worker_seconds)


@contextmanager
def deployed(
    file: str, dags: dict[str, Any], exchanges: dict[str, Exchange], *, slots: int, timeout: float = 30.0
) -> Iterator[Airflow]:
    """Run Airflow inside a ``with`` block. Each exchange has two connections, ``NAME`` and ``NAME_http``.

    :param timeout: the seconds that each client waits for an answer.
    """
    with ExitStack() as stack:
        connections: dict[str, Any] = {}
        for name, exchange in exchanges.items():
            emulator = stack.enter_context(Emulator(exchange))
            ours = emulator.connection()
            ours["extra"] = {"timeout": timeout}  # no Data API, because the other variants do not use it
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
