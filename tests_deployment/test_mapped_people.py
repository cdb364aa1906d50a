"""A user clears a mapped task after its list has changed, in a real deployment: no one is rung twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deployment import OVER, Deployment, eventually

pytestmark = pytest.mark.timeout(400, method="signal")

DAG_ID = "mapped_people"
PATIENCE = 120.0
ANNA, BORIS, CLARA, ZOYA = "79160000001", "79160000002", "79160000003", "79160000009"


class WithList(Deployment):
    """A deployment whose only DAG calls the people of a list."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, {})
        self._dag_count = 1
        self.write_list([ANNA, "no number", CLARA])

    def write_list(self, people: list[str]) -> None:
        (self.home / "dags" / "mapped_people.json").write_text(json.dumps(people), "utf-8")

    def clear_all(self, *, map_indexes: bool = True) -> None:
        """Clear the mapped task; with ``map_indexes=False``, only the failed map indexes of it."""
        body: dict[str, Any] = {"dry_run": False, "dag_run_id": "run", "only_failed": not map_indexes}
        body["task_ids"] = ["people", "call"] if map_indexes else ["call"]
        self.api("POST", f"dags/{DAG_ID}/clearTaskInstances", body)

    def await_end(self) -> dict[int, str]:
        """Wait for the run's end, and return map index → state of the mapped task."""
        eventually("the run ends", lambda: self.run_state(DAG_ID) in OVER, within=PATIENCE)
        return {each["map_index"]: each["state"] for each in self.tasks(DAG_ID) if each["task_id"] == "call"}

    def rings(self) -> Counter[str]:
        return Counter(
            entry["phone"] for entry in self.exchange.journal() if entry["kind"] == "ring" and entry["phone"]
        )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithList]:
    deployment = WithList(tmp_path_factory.mktemp("mapped"))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


def test_people_who_move_on_the_list_are_not_called_again_after_a_clear(deployment: WithList) -> None:
    deployment.run(DAG_ID)
    assert deployment.await_end() == {0: "success", 1: "failed", 2: "success"}
    assert deployment.rings() == {ANNA: 1, CLARA: 1}

    deployment.write_list([ZOYA, ANNA, BORIS, CLARA])
    deployment.clear_all()
    states = deployment.await_end()
    assert (states[1], states[3]) == ("failed", "failed"), "Anna and Clara were called at other map indexes"
    rings = deployment.rings()
    assert rings <= Counter([ANNA, BORIS, CLARA, ZOYA])

    for _ in range(3):  # a map index that could not know yet whom the others have called
        if deployment.rings() == Counter([ANNA, BORIS, CLARA, ZOYA]):
            break
        deployment.clear_all(map_indexes=False)
        deployment.await_end()
    assert deployment.rings() == {ANNA: 1, BORIS: 1, CLARA: 1, ZOYA: 1}
    logs = [path.read_text("utf-8", "replace") for path in (deployment.home / "logs").rglob("attempt=*.log")]
    assert sum("has called this person at map index" in log for log in logs) >= 2
