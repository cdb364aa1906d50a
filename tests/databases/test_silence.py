"""A database that is silent: connections get the limits of their driver."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import sqlalchemy

from airflow_provider_callapi.databases import silence
from airflow_provider_callapi.databases.connections import open_engine
from airflow_provider_callapi.databases.silence import limit_silence


def test_a_connection_to_a_server_that_says_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(silence._OF_LIBPQ, "connect_timeout", 2)  # the shortest of libpq
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fields = {"host": "127.0.0.1", "port": silent.getsockname()[1], "login": "anna", "schema": "dwh"}
        monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "postgres", **fields}))
        engine = open_engine("dwh", "ledger_conn_id")

        with pytest.raises(sqlalchemy.exc.OperationalError, match="timeout"):
            engine.connect()


NEEDS_SQLALCHEMY_2 = pytest.mark.skipif(
    not hasattr(sqlalchemy, "Uuid"), reason="SQLAlchemy 1.4 does not know psycopg 3"
)
LIBPQ = {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
MYSQL = {"connect_timeout", "read_timeout", "write_timeout"}


def given_options(url: str, own: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which the driver of a URL would connect."""
    engine = sqlalchemy.create_engine(url)
    limit_silence(engine, own)
    given: dict[str, Any] = {}

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
        given.update(options)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        engine.connect()
    return given


@pytest.mark.parametrize(
    ("driver", "names"),
    [
        ("postgresql+psycopg2", LIBPQ | {"tcp_user_timeout"}),
        pytest.param("postgresql+psycopg", LIBPQ | {"tcp_user_timeout"}, marks=NEEDS_SQLALCHEMY_2),
        ("mysql+pymysql", MYSQL),
    ],
)
def test_each_driver_gets_limits_unless_the_author_sets_them(driver, names):
    url = f"{driver}://anna@db.example.org/dwh"

    assert names <= given_options(url, {}).keys()
    assert given_options(url, {"connect_timeout": 77})["connect_timeout"] == 77
    assert int(given_options(f"{url}?connect_timeout=78", {})["connect_timeout"]) == 78


def test_keepalives_find_a_lost_computer_within_the_longest_silence():
    options = silence._OF_LIBPQ
    probes = options["keepalives_interval"] * options["keepalives_count"]
    assert options["keepalives_idle"] + probes <= silence._LONGEST_SILENCE
    assert options["tcp_user_timeout"] == silence._LONGEST_SILENCE * 1000
