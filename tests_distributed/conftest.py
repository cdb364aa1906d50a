"""One distributed deployment for the session. The tests use it one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from measured_rows import (  # noqa: F401 - hooks and a fixture of this conftest
    measured,
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
)
from rows import DAG_COUNT, DAGS, OTHERS
from two_hosts import TwoHosts


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    hosts = TwoHosts(tmp_path_factory.mktemp("hosts"), DAGS, OTHERS, dag_count=DAG_COUNT)
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.stop()
