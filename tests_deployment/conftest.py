"""One deployment for most tests. All scenarios of the kill matrix run in it at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from deployment import Deployment
from measured_rows import (  # noqa: F401 - hooks and a fixture of this conftest
    Row,
    measured,
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
)
from scenarios import SCENARIOS, dags

EXAMPLE = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags" / "inbound_call.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules with a deployment of their own first: the session's deployment lasts until the end."""
    items.sort(key=lambda item: not hasattr(item.module, "deployment"))


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path_factory.mktemp("airflow"), dags(), other_dags=2)
    shutil.copy(EXAMPLE, deployment.home / "dags")
    (deployment.home / "dags" / "mapped_people.json").write_text("[]", "utf-8")
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


@pytest.fixture(scope="session")
def plays(deployment: Deployment, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Row]]]:
    """Start the selected scenarios and return scenario name → its future row."""
    wanted = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        yield {
            scenario.name: pool.submit(scenario.play, deployment)
            for scenario in SCENARIOS
            if scenario.name in wanted
        }
