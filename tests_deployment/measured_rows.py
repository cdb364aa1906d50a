"""The measured rows of a suite, which the option ``--table`` writes as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Row:
    """One row of the measured table."""

    title: str
    rings: str
    state: str
    logged: str
    seconds: float


_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", metavar="FILE", type=Path, help="write the measured rows, as Markdown")


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


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Return a function that adds a row to the table."""
    return request.config.stash[_ROWS].append
