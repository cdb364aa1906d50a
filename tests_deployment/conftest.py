"""One deployment for the session. All scenarios run in it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from deployment import Deployment
from scenarios import SCENARIOS, Row, dags

_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", metavar="FILE", type=Path, help="write the measured kill matrix, as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    file: Path | None = session.config.getoption("--table")
    if file is None:
        return
    lines = ["| event | rings | final state | log lines | seconds |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.title} | {row.rings} | {row.state} | {row.logged or '–'} | {row.seconds:.0f} |"
        for row in session.config.stash[_ROWS]
    ]
    file.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path_factory.mktemp("airflow"), dags())
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


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Return a function that adds a row to the table."""
    return request.config.stash[_ROWS].append
