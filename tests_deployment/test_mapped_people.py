"""A user clears a mapped task after its list has changed, in a real deployment: no one is rung twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from deployment import OVER, Deployment, eventually

pytestmark = pytest.mark.timeout(400, method="signal")

DAG_ID = "mapped_people"
PATIENCE = 120.0
ANNA, BORIS, CLARA, ZOYA = "79160000001", "79160000002", "79160000003", "79160000009"


def write_list(deployment: Deployment, people: list[str]) -> None:
    (deployment.home / "dags" / "mapped_people.json").write_text(json.dumps(people), "utf-8")


def clear_all(deployment: Deployment, *, map_indexes: bool = True) -> None:
    """Clear the mapped task; with ``map_indexes=False``, only the failed map indexes of it."""
    body: dict[str, Any] = {"dry_run": False, "dag_run_id": "run", "only_failed": not map_indexes}
    body["task_ids"] = ["people", "call"] if map_indexes else ["call"]
    deployment.api("POST", f"dags/{DAG_ID}/clearTaskInstances", body)


def await_end(deployment: Deployment) -> dict[int, str]:
    """Wait for the run's end, and return map index → state of the mapped task."""
    eventually("the run ends", lambda: deployment.run_state(DAG_ID) in OVER, within=PATIENCE)
    calls = [task for task in deployment.tasks(DAG_ID) if task["task_id"] == "call"]
    return {task["map_index"]: task["state"] for task in calls}


def rings(deployment: Deployment) -> dict[str, int]:
    counted = {person: deployment.exchange.rings(person) for person in (ANNA, BORIS, CLARA, ZOYA)}
    return {person: number for person, number in counted.items() if number}


def test_people_who_move_on_the_list_are_not_called_again_after_a_clear(deployment: Deployment) -> None:
    write_list(deployment, [ANNA, "no number", CLARA])
    deployment.run(DAG_ID)
    assert await_end(deployment) == {0: "success", 1: "failed", 2: "success"}
    assert rings(deployment) == {ANNA: 1, CLARA: 1}

    write_list(deployment, [ZOYA, ANNA, BORIS, CLARA])
    clear_all(deployment)
    states = await_end(deployment)
    assert (states[1], states[3]) == ("failed", "failed"), "Anna and Clara were called at other map indexes"
    assert Counter(rings(deployment)) <= Counter([ANNA, BORIS, CLARA, ZOYA])

    for _ in range(3):  # a map index that could not know yet whom the others have called
        if rings(deployment) == Counter([ANNA, BORIS, CLARA, ZOYA]):
            break
        clear_all(deployment, map_indexes=False)
        await_end(deployment)
    assert rings(deployment) == {ANNA: 1, BORIS: 1, CLARA: 1, ZOYA: 1}
    logs = [path.read_text("utf-8", "replace") for path in (deployment.home / "logs").rglob("attempt=*.log")]
    assert sum("has called this person at map index" in log for log in logs) >= 2
