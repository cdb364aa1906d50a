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
from rows import DAGS, OTHER_DAGS, OTHERS
from two_hosts import TwoHosts


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    hosts = TwoHosts(tmp_path_factory.mktemp("hosts"), DAGS, OTHERS, other_dags=OTHER_DAGS)
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.stop()
