"""The map indexes of a mapped campaign in task state: no person is called by two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow_fakes import PHONE, Task, TaskInstance, TaskState
from campaign_desk import campaign, rung
from known_numbers import ANNA, BORIS, CLARA

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

pytest_plugins = ["airflow_desk", "campaign_desk"]
pytestmark = pytest.mark.needs_airflow("3.3", "task state")


class MapIndex(TaskInstance):
    """The task instance of one map index. All map indexes see its XComs."""

    all: list[MapIndex]
    state: str | None = None
    after_push: Callable[[], None] = staticmethod(lambda: None)

    def xcom_push(self, key: str, value: Any) -> None:
        super().xcom_push(key, value)
        self.after_push()

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return [ti.xcoms[key] for ti in self.all if key in ti.xcoms]

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        return {run_ids[0]: {f"{task_ids[0]}_{ti.map_index}": ti.state for ti in self.all}}


class MappedCampaign:
    """One mapped campaign: each map index has its list. A list may change."""

    def __init__(self, desk: Any, *lists: list[str], **options: Any) -> None:
        self.desk, self.lists, self.options = desk, list(lists), options
        self.instances: list[MapIndex] = []
        self.tasks: list[Task] = []
        for index in range(len(lists)):
            self._add(index)

    def _add(self, index: int) -> None:
        ti = MapIndex(map_index=index)
        ti.all = self.instances
        self.instances.append(ti)
        task = campaign(self.desk, ti=ti)
        task.make = lambda: campaign(self.desk, contacts=self.lists[index], **self.options).make()
        self.tasks.append(task)

    def run(self, index: int) -> str:
        """Run one try of a map index, and return its error text or ``success``."""
        ti = self.instances[index]
        ti.state = "running"
        ti.xcoms.clear()  # Airflow deletes them when a try begins
        try:
            self.tasks[index].run()
        except (CallApiFailure, CallApiTrouble) as error:
            ti.state = "failed"
            return str(error)
        ti.state = "success"
        return "success"

    def clear(self, *lists: list[str]) -> None:
        """Clear all map indexes, and give the task other lists."""
        self.lists = list(lists)
        for task in self.tasks:
            task.ti.max_tries += 1
            task.ti.try_number += 1
            task.ti.state = None
        for index in range(len(self.tasks), len(lists)):
            self._add(index)
        for task in self.tasks:
            task.run_clears = 1


def test_a_map_index_with_a_person_of_another_one_calls_no_one(desk):
    calls = MappedCampaign(desk, [ANNA, BORIS], [CLARA, ANNA])

    assert calls.run(0) == "success"
    error = calls.run(1)

    assert "contacts: map index 0 of this task calls 1 person of this list, too (row 2)" in error
    assert "set ledger_conn_id" in error
    assert not PHONE.search(error)
    assert rung(desk) == [ANNA, BORIS]


def test_of_two_map_indexes_that_run_at_the_same_time_at_most_one_calls(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA])
    results = []

    def run_the_other() -> None:
        if len(calls.instances[0].xcoms["callapi_people"]["people"]) and not results:
            results.append("")
            results[0] = calls.run(1)

    calls.instances[0].after_push = run_the_other  # between its publication and its look at the others

    assert "map index 1" in calls.run(0) or "map index 0" in results[0]
    assert len(rung(desk)) <= 1


def test_a_map_index_goes_on_in_a_retry_after_another_one_with_its_people_was_refused(desk):
    calls = MappedCampaign(desk, [ANNA, BORIS], [ANNA])
    desk.exchange.account.blacklist.add(BORIS)
    assert [calls.run(0), "map index 0" in calls.run(1)] == ["success", True]

    calls.tasks[0].ti.try_number += 1

    assert calls.run(0) == "success"


def test_a_corrected_list_is_called_after_a_clear(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA, BORIS])
    calls.run(0)
    calls.run(1)

    calls.clear([ANNA], [BORIS])

    assert [calls.run(1), calls.run(0)] == ["success", "success"]
    assert rung(desk) == [ANNA, BORIS]


def test_a_person_who_has_moved_to_another_map_index_after_a_clear_is_not_called_again(desk):
    calls = MappedCampaign(desk, [ANNA], [BORIS])
    assert [calls.run(0), calls.run(1)] == ["success", "success"]

    calls.clear([CLARA], [BORIS], [ANNA])

    assert calls.run(0) == "success"
    assert "map index 0 of this task calls 1 person" in calls.run(2)
    assert rung(desk) == [ANNA, BORIS, CLARA]


def test_no_new_list_is_called_while_an_earlier_map_index_has_not_stated_whom_it_called(desk):
    calls = MappedCampaign(desk, [ANNA], [BORIS])
    assert [calls.run(0), calls.run(1)] == ["success", "success"]
    calls.clear([CLARA], [BORIS], [ANNA])
    calls.instances[0].state = "failed"
    calls.instances[0].xcoms.clear()

    assert "has not stated whom it has called at map index 0" in calls.run(2)
    assert calls.run(1) == "success"  # the list of this map index is as before
    assert rung(desk) == [ANNA, BORIS]


def test_a_map_index_waits_for_another_one_whose_try_has_begun(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA])
    calls.run(0)
    calls.instances[0].state = "running"
    calls.instances[0].xcoms.clear()

    assert "Map index 0 of task call has not stated within 120 s" in calls.run(1)
    assert rung(desk) == [ANNA]


def test_a_map_index_that_failed_before_it_called_anyone_does_not_stop_the_others(desk):
    calls = MappedCampaign(desk, [ANNA], [BORIS])
    calls.instances[0].state = "failed"

    assert calls.run(1) == "success"


def test_map_indexes_with_different_campaign_names_are_different_campaigns(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA])
    assert calls.run(0) == "success"
    calls.options = {"campaign": "autumn"}

    assert calls.run(1) == "success"
    assert rung(desk) == [ANNA, ANNA]


def test_a_sip_address_that_is_the_phone_number_of_a_person_is_the_same_person(desk):
    calls = MappedCampaign(desk, [ANNA], [f"{ANNA}@example.com"])
    assert calls.run(0) == "success"

    assert "map index 0 of this task calls 1 person" in calls.run(1)


def test_map_indexes_with_a_common_sql_ledger_call_each_person_once_and_publish_nothing(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA, BORIS], ledger_conn_id="ledger")

    assert [calls.run(0), calls.run(1)] == ["success", "success"]
    assert rung(desk) == [ANNA, BORIS]
    assert all("callapi_people" not in ti.xcoms for ti in calls.instances)


def test_a_dry_run_keeps_no_map_index_from_calling(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA])
    calls.options = {"dry_run": True}
    assert calls.run(0) == "success"
    calls.options = {}

    assert calls.run(1) == "success"


def test_no_phone_number_is_published(desk):
    calls = MappedCampaign(desk, [ANNA, BORIS])
    calls.run(0)

    published = calls.instances[0].xcoms["callapi_people"]
    assert len(published["people"]) == 2
    assert not PHONE.search(str(published["people"]).replace(calls.instances[0].run_id, ""))


def test_a_deferred_map_index_keeps_its_people(desk):
    calls = MappedCampaign(desk, [ANNA], [ANNA], deferrable=True)
    assert calls.run(0) == "success"
    assert calls.tasks[0].deferrals

    assert "map index 0" in calls.run(1)
    assert rung(desk) == [ANNA]


def test_no_one_is_called_at_another_map_index_after_airflow_has_deleted_the_ledger(desk, monkeypatch):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    calls = MappedCampaign(desk, [ANNA], [CLARA])
    assert [calls.run(0), calls.run(1)] == ["success", "success"]
    calls.tasks[0].state = TaskState()
    calls.clear([BORIS], [CLARA], [ANNA])

    assert "clear_on_success" in calls.run(0)
    assert "has not stated whom it has called at map index 0" in calls.run(2)
    assert rung(desk) == [ANNA, CLARA]
