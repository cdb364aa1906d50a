"""Marks the tests that run a DAG in a real Airflow. ``make test-examples`` runs the marked tests."""

from __future__ import annotations

from pathlib import Path

import pytest

RUNS_A_DAG = frozenset({"exchange", "run_dag", "run_yaml"})
"""The fixtures that only a test uses that runs a DAG."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.path.parent == Path(__file__).parent and not RUNS_A_DAG.isdisjoint(fixtures):
            item.add_marker(pytest.mark.example)
