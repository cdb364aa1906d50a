"""Real databases for the tests of the SQL ledger."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy
from real_databases import mariadb, postgres, url
from sqlalchemy.engine import Engine

__all__ = ["mariadb", "postgres", "url"]


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], Engine]]:
    """Return a function that makes engines. They share only the database."""
    engines: list[Engine] = []

    def connect() -> Engine:
        engines.append(sqlalchemy.create_engine(url))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(connect: Callable[[], Engine]) -> Engine:
    return connect()
