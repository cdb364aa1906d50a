"""A distributed deployment on one machine: two hosts, each with an Airflow home, and CeleryExecutor.

Each host runs a scheduler, a worker and a triggerer. The first host also runs the API server and the DAG
processor. Redis and PostgreSQL are servers of Debian. The script ``start.sh`` starts every process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import requests
from deployment import (
    Deployment,
    descendants,
    eventually,
    free_port,
    is_alive,
    kill_all,
    messages,
    seconds_of,
)

HERE = Path(__file__).parent
HOSTS = ("north", "south")
ON_EACH_HOST = ("scheduler", "worker", "triggerer")
MANAGED = (*ON_EACH_HOST, "api-server", "dag-processor")
"""The components that a process manager would start again."""
SLOTS = 10
"""The tasks that one worker runs at the same time."""
IMPORTED_BEFORE_FORKS = (
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.bundles.manager",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.sensors.python",
    "airflow_provider_callapi.hooks.callapi",
    "airflow_provider_callapi.notifications.callapi",
    "airflow_provider_callapi.operators.campaign",
    "airflow_provider_callapi.operators.start_call",
    "airflow_provider_callapi.triggers.call_session",
)
"""What a worker imports once. Otherwise, each of its processes would import these modules for each task."""
HEARTBEAT_TIMEOUT = 20
"""The seconds after which a task without a worker counts as failed."""
FIRST_BEAT = 1.0
"""The seconds after its start for which a job may have only the heartbeat with which it began."""
TRIGGERER_TIMEOUT = 20
"""The seconds after which a silent triggerer loses its triggers.

While twenty tasks start on two cores, a healthy triggerer may be silent for ten seconds.
"""
PATIENCE = 420.0
"""The seconds that a loaded machine may need for all tasks of a row."""


class Postgres:
    """The URL of a PostgreSQL server of Debian. `TwoHosts` starts the server."""

    def __init__(self) -> None:
        self.data = Path(tempfile.mkdtemp("callapi"))  # short, because it is part of a socket's name
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")

    def get_uri(self, database: str = "postgres", driver: str | None = None) -> str:
        scheme = "postgresql" if driver is None else f"postgresql+{driver}"
        return f"{scheme}://postgres@127.0.0.1:{self.port}/{database}"

    def is_up(self) -> bool:
        try:
            psycopg2.connect(self.get_uri()).close()
        except psycopg2.OperationalError:
            return False
        return True

    def cleanup(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)


class TwoHosts(Deployment):
    """Airflow on two hosts.

    :param home: a folder for the homes of both hosts.
    :param dags: dag id → the task's options, for ``kill_matrix.py``.
    :param others: name of a JSON file → its content, for the other DAG files.
    :param other_dags: the number of all other DAGs.
    """

    _database: Postgres

    def __init__(
        self, home: Path, dags: dict[str, dict[str, Any]], others: dict[str, Any], *, other_dags: int
    ) -> None:
        self._redis_port, self._redis_data = free_port(), Path(tempfile.mkdtemp("callapi"))
        self.vault = home / "vault"
        self.revived: list[str] = []
        super().__init__(home, dags, other_dags=other_dags)
        self.vault.mkdir()
        for file in (HERE / "dags").glob("*.py"):
            shutil.copy(file, home / "dags")
        for name, content in others.items():
            (home / "dags" / name).write_text(json.dumps(content), "utf-8")
        for host in self.homes:
            shutil.copytree(home / "dags", host / "dags")

    @property
    def homes(self) -> list[Path]:
        return [self.home / name for name in HOSTS]

    def _open_database(self) -> Postgres:
        return Postgres()

    def _sections(self) -> dict[str, dict[str, Any]]:
        sections = super()._sections()
        url = self._database.get_uri(driver="psycopg2")
        own: dict[str, dict[str, Any]] = {
            "core": {"executor": "CeleryExecutor", "parallelism": 64, "max_active_tasks_per_dag": 64},
            "celery": {
                "broker_url": f"redis://127.0.0.1:{self._redis_port}/0",
                "result_backend": f"db+{url}",
                "worker_concurrency": SLOTS,
                "extra_celery_config": json.dumps(
                    # a worker whose Redis was restarted takes as many tasks as before
                    {"imports": IMPORTED_BEFORE_FORKS, "worker_enable_prefetch_count_reduction": False}
                ),
            },
            # Airflow's own intervals, or longer ones: two cores carry twenty processes
            "workers": {"min_heartbeat_interval": 5},
            "dag_processor": {
                "parsing_processes": 1,
                "min_file_process_interval": 600,
                "bundle_refresh_check_interval": 60,
            },
            "triggerer": {
                "max_trigger_to_select_per_loop": 5,
                "job_heartbeat_sec": 2,
                "triggerer_health_check_threshold": TRIGGERER_TIMEOUT,
            },
            "secrets": {"backend": "vault.Vault"},
            "scheduler": {
                "scheduler_idle_sleep_time": 2,
                "task_instance_heartbeat_timeout": HEARTBEAT_TIMEOUT,
                "task_instance_heartbeat_timeout_detection_interval": 5,
            },
        }
        return {name: sections.get(name, {}) | own.get(name, {}) for name in {*sections, *own}}

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {
            "PYTHON": sys.executable,
            "PYTHONPATH": str(HERE),
            "API_PORT": str(self._port),
            "PGDATA": str(self._database.data),
            "PGPORT": str(self._database.port),
            "REDIS_DATA": str(self._redis_data),
            "REDIS_PORT": str(self._redis_port),
            "CALLAPI_VAULT": str(self.vault),
        }

    # --- processes ---

    def run_component(self, component: str, host: str = HOSTS[0]) -> subprocess.Popen[bytes]:
        """Start a component with the script of the project."""
        home = str(self.home / host)
        environment = {**self._environment, "AIRFLOW_HOME": home, "HOST_NAME": host}
        environment["AIRFLOW__CORE__DAGS_FOLDER"] = f"{home}/dags"
        return self._spawn(f"{component}-{host}", [str(HERE / "start.sh"), component], environment)

    def end(self, component: str, host: str = HOSTS[0], number: signal.Signals = signal.SIGKILL) -> None:
        """End a component by its process id. SIGKILL also ends all its descendants, as a power cut does."""
        process = self._processes[f"{component}-{host}"]
        family = descendants(process.pid)
        process.send_signal(number)
        if number is signal.SIGKILL:
            kill_all(family)
        process.wait(60)
        eventually(
            f"the children of {component}-{host} end", lambda: not any(map(is_alive, family)), within=60
        )

    def signal_all(self, component: str, host: str, number: signal.Signals) -> None:
        """Send a signal to a component and to all its descendants, for example SIGSTOP."""
        parent = psutil.Process(self._processes[f"{component}-{host}"].pid)
        for process in (parent, *descendants(parent.pid)):
            process.send_signal(number)

    def await_api(self) -> None:
        """Wait until the API server is up."""
        eventually("the API server is up", self._log_in, within=PATIENCE)

    def await_health(self) -> None:
        """Wait until both hosts have a healthy scheduler and a healthy triggerer."""
        eventually("both hosts are healthy", self._healthy, within=PATIENCE)

    def restart_database(self, down_for: float) -> None:
        """End PostgreSQL at once, as a crash does, and start it again after some seconds."""
        self.end("postgres", number=signal.SIGQUIT)
        time.sleep(down_for)
        self.run_component("postgres")

    def restart_redis(self, down_for: float) -> None:
        """End Redis, and start it again after some seconds."""
        self.end("redis", number=signal.SIGTERM)
        time.sleep(down_for)
        self.run_component("redis")

    def _revive(self) -> None:
        """Start each component again that has ended by itself, as the process manager of a host does."""
        for name, process in list(self._processes.items()):
            component, _, host = name.rpartition("-")
            if component in MANAGED and process.poll() is not None:
                self.revived.append(name)
                self.run_component(component, host)

    def connection(self) -> dict[str, Any]:
        """Return the Airflow connection to the exchange."""
        return {
            "conn_type": "callapi",
            "host": "http://127.0.0.1",
            "port": int(self._environment["EXCHANGE_PORT"]),
            "password": "demo-key",
            "extra": {"data_api": True, "data_api_host": self.exchange.url},
        }

    def ledger(self) -> dict[str, Any]:
        """Return the Airflow connection to the database of ledgers."""
        where = {"host": "127.0.0.1", "port": self._database.port, "schema": "ledger"}
        return {"conn_type": "postgres", "login": "postgres", **where}

    def _start_components(self, emulator: int) -> None:
        assert shutil.which("redis-server"), "apt-get install redis-server postgresql"
        self._environment |= {"EXCHANGE_PORT": str(emulator), "EXCHANGE_PROFILE": str(HERE / "exchange.json")}
        self.run_component("postgres")
        self.run_component("redis")
        self.run_component("emulator")
        eventually("PostgreSQL is up", self._database.is_up, within=PATIENCE)
        self.query("CREATE DATABASE ledger")
        migration = self.run_component("migration")
        assert migration.wait(PATIENCE) == 0, self.output(f"migration-{HOSTS[0]}")
        for component in ("api-server", "dag-processor"):
            self.run_component(component)
        for host in HOSTS:
            for component in ON_EACH_HOST:
                self.run_component(component, host)

    def _log_in(self, component: str = f"api-server-{HOSTS[0]}") -> bool:
        return super()._log_in(component)

    def _healthy(self) -> bool:
        """Return whether the loops of both schedulers and of both triggerers run."""
        jobs = self.api("GET", "jobs?is_alive=true&limit=100")["jobs"]
        alive = Counter(job["job_type"] for job in jobs if _has_worked(job))
        return alive["SchedulerJob"] == len(HOSTS) == alive["TriggererJob"] and super()._healthy()

    # --- what has happened ---

    def rings_of(self, contacts: Iterable[str]) -> list[int]:
        """Return how often the phone of each contact has rung."""
        rings = Counter(entry["phone"] for entry in self.exchange.journal() if entry["kind"] == "ring")
        return [rings[contact] for contact in contacts]

    def calls(self) -> list[dict[str, Any]]:
        """Return all calls at the exchange."""
        calls: list[dict[str, Any]] = requests.get(f"{self.exchange.url}/emulator/calls", timeout=30).json()
        return calls

    def await_end(self, dag_id: str, run_id: str = "run") -> list[dict[str, Any]]:
        """Wait until all task instances of the run have ended. Return them by map index."""

        def ended() -> list[dict[str, Any]] | None:
            self._revive()
            try:
                return self.tasks(dag_id, run_id) if self.has_ended(dag_id, run_id) else None
            except (psycopg2.OperationalError, AssertionError, requests.RequestException):
                return None  # the database or the API server is down

        return eventually(f"all tasks of {dag_id} end", ended, within=PATIENCE, every=1.0)

    def lines(self, dag_id: str) -> dict[str, list[str]]:
        """Return host → the log lines of the DAG's tasks and triggers on this host."""
        return {
            home.name: [
                line
                for path in sorted((home / "logs" / f"dag_id={dag_id}").rglob("attempt=*.log"))
                for line in messages(path)
            ]
            for home in self.homes
        }


def _has_worked(job: dict[str, str]) -> bool:
    """Return whether a job's own loop runs: its newest heartbeat is not the one with which the job began."""
    return seconds_of(job["latest_heartbeat"]) - seconds_of(job["start_date"]) > FIRST_BEAT
