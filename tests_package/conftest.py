"""The option that chooses the versions in the fresh environment."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pins",
        metavar="FILE",
        type=lambda name: Path(name).absolute(),
        default="constraints.txt",
        help="the pinned versions, for example matrix/airflow-3.1.txt",
    )
