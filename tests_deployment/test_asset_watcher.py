"""An inbound call starts a DAG run that tags the call: the example with its watcher in a real deployment."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from deployment import Deployment, eventually

pytestmark = pytest.mark.timeout(400, method="signal")

EXAMPLE = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags" / "inbound_call.py"
DAG_ID = "callapi_inbound_call"
PATIENCE = 90.0
FIRST, WITHOUT_TRIGGERER = "79161234567", "79160000008"
"""Two of the example's customers. The second one calls while no triggerer runs."""


class WithExample(Deployment):
    """A deployment whose only DAG is the example."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, {}, other_dags=1)
        shutil.copy(EXAMPLE, home / "dags")

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs that calls have started, oldest first."""
        runs: list[dict[str, Any]] = self.api("GET", f"dags/{DAG_ID}/dagRuns?order_by=id")["dag_runs"]
        return runs

    def call_in(self, contact: str) -> None:
        """Let a contact call. The employee's phone rings for a long time without an answer."""
        self.exchange.script([contact], employee_rings=600.0)
        requests.post(f"{self.exchange.url}/emulator/inbound", json={"contact": contact}, timeout=10)

    def tagged(self) -> list[tuple[str, str]]:
        """Return the tagged phone numbers with their tags, in order."""
        return [
            (entry["phone"], entry["detail"]) for entry in self.exchange.journal() if entry["kind"] == "tag"
        ]

    def polls(self) -> int:
        return sum(entry["method"] == "list.calls" for entry in self.exchange.journal())


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithExample]:
    deployment = WithExample(tmp_path_factory.mktemp("watcher"))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


def test_a_call_starts_a_run_that_tags_it_once_even_if_the_triggerer_is_killed(
    deployment: WithExample,
) -> None:
    eventually("the watcher polls", lambda: deployment.polls() >= 1, within=PATIENCE)
    deployment.call_in(FIRST)
    eventually("the caller is tagged", lambda: deployment.tagged() == [(FIRST, "254")], within=PATIENCE)

    deployment.end_triggerer(signal.SIGKILL)
    deployment.call_in(WITHOUT_TRIGGERER)
    deployment.start_triggerer()
    eventually("the second caller is tagged", lambda: len(deployment.tagged()) == 2, within=PATIENCE)
    eventually(
        "both runs end",
        lambda: all(run["state"] == "success" for run in deployment.runs()),
        within=PATIENCE,
    )

    assert deployment.tagged() == [(FIRST, "254"), (WITHOUT_TRIGGERER, "36")]
    assert [run["run_type"] for run in deployment.runs()] == ["asset_triggered"] * 2
    events = deployment.api("GET", "assets/events")["asset_events"]
    assert [event["extra"]["payload"]["event"] for event in events] == ["started"] * 2
    output = str(events) + deployment.output("triggerer")
    assert FIRST not in output
    assert WITHOUT_TRIGGERER not in output
