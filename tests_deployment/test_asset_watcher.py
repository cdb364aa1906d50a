"""An inbound call starts a DAG run that tags the call: the example with its watcher in a real deployment."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from deployment import Deployment, eventually

pytestmark = pytest.mark.timeout(400, method="signal")

DAG_ID = "callapi_inbound_call"
PATIENCE = 90.0
FIRST, WITHOUT_TRIGGERER = "79161234567", "79160000008"
"""Two of the example's customers. The second one calls while no triggerer runs."""
NO_EMPLOYEE = 600.0
"""The seconds for which the employee's phone rings without an answer."""


def runs(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the runs that calls have started, oldest first."""
    found: list[dict[str, Any]] = deployment.api("GET", f"dags/{DAG_ID}/dagRuns?order_by=id")["dag_runs"]
    return found


def tagged(deployment: Deployment) -> list[tuple[str, str]]:
    """Return the tagged phone numbers with their tags, in order."""
    journal = deployment.exchange.journal()
    return [(entry["phone"], entry["detail"]) for entry in journal if entry["kind"] == "tag"]


def test_a_call_starts_a_run_that_tags_it_once_even_if_the_triggerer_is_killed(
    deployment: Deployment,
) -> None:
    eventually("the watcher polls", deployment.exchange.polls, within=PATIENCE)
    deployment.exchange.call_in(FIRST, employee_rings=NO_EMPLOYEE)
    eventually("the caller is tagged", lambda: tagged(deployment) == [(FIRST, "254")], within=PATIENCE)

    deployment.end_triggerer(signal.SIGKILL)
    deployment.exchange.call_in(WITHOUT_TRIGGERER, employee_rings=NO_EMPLOYEE)
    deployment.start_triggerer()
    eventually("the second caller is tagged", lambda: len(tagged(deployment)) == 2, within=PATIENCE)
    eventually(
        "both runs end",
        lambda: all(run["state"] == "success" for run in runs(deployment)),
        within=PATIENCE,
    )

    assert tagged(deployment) == [(FIRST, "254"), (WITHOUT_TRIGGERER, "36")]
    assert [run["run_type"] for run in runs(deployment)] == ["asset_triggered"] * 2
    events = deployment.api("GET", "assets/events")["asset_events"]
    assert [event["extra"]["payload"]["event"] for event in events] == ["started"] * 2
    output = str(events) + deployment.output("triggerer")
    assert FIRST not in output
    assert WITHOUT_TRIGGERER not in output
