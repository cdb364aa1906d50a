"""A retried or cleared mapped task whose list has changed: no person of the DAG run is rung twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import RETRIES, TTS, VNUMBER, Desk, Task, TaskInstance, TaskState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known_numbers import ANNA, BORIS, CLARA

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallNotAnswered
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.task_context.mapped_task import MappedTask

pytest_plugins = ["airflow_desk"]
pytestmark = pytest.mark.needs_airflow("3.3", "task state")

ZOYA = "79160000009"
BAD = "no number"


class MapIndex(TaskInstance):
    """The task instance of one map index. Its XComs are visible to the others."""

    run: Run
    state: str | None = None

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        values = [ti.xcoms[key] for ti in self.run.instances if key in ti.xcoms]
        self.run.answered()
        return values[0] if len(values) == 1 else values or None

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        states = {f"{task_ids[0]}_{ti.map_index}": ti.state for ti in self.run.instances}
        self.run.answered()
        return {run_ids[0]: states}


@dataclass
class Run:
    """One DAG run with a mapped task, over clears with other lists."""

    desk: Desk
    clears: int = 0
    tasks: list[Task] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    events: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    """Number of a question to Airflow, from 1 → what happens after its answer."""
    questions: int = 0

    def answered(self) -> None:
        self.questions += 1
        for happen in self.events.get(self.questions, []):
            happen()

    @property
    def instances(self) -> list[Any]:
        return [task.ti for task in self.tasks]

    def expand(self, contacts: list[str]) -> None:
        """Give the task a list, as Airflow does when the task before the mapped task has run."""
        self.contacts = contacts
        for index in range(len(self.tasks), len(contacts)):
            ti = MapIndex(map_index=index)
            ti.run = self
            make = self._maker(index)
            self.tasks.append(Task(self.desk, make, ti=ti, state=TaskState()))

    def _maker(self, index: int) -> Any:
        return lambda: CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact="{{ contact }}" if self.contacts[index] == BAD else self.contacts[index],
            contact_message=TTS,
            wait_for_completion=True,
            require_answer=True,
            retries=RETRIES,
        )

    def execute(self, index: int) -> str:
        """Run one try of a map index, and return what became of it."""
        task = self.tasks[index]
        task.run_clears = self.clears
        task.ti.state = "running"
        task.ti.xcoms.clear()  # Airflow deletes them when a try begins
        try:
            task.run()
        except (CallApiFailure, CallApiTrouble, CallApiError, CallNotAnswered) as error:
            task.ti.state = "failed"
            return str(error)
        task.ti.state = "success"
        return "called"

    def clear(self, contacts: list[str]) -> None:
        """Clear all tasks of the run. The list is another list afterwards."""
        self.clears += 1
        for task in self.tasks:
            task.ti.max_tries += 1
            task.ti.try_number += 1
            task.ti.state = None
        self.expand(contacts)

    def retry(self, contacts: list[str]) -> list[int]:
        """Begin the next try of each failed map index. The DAG file has another list, which is not longer.

        :return: the map indexes that run.
        """
        self.contacts = contacts
        for task in self.tasks[len(contacts) :]:
            task.ti.state = "removed"
        failed = [index for index, task in enumerate(self.tasks) if task.ti.state == "failed"]
        for index in failed:
            self.tasks[index].ti.try_number += 1
        return failed

    def rings(self) -> dict[str, int]:
        return {person: self.desk.exchange.rings(person) for person in (ANNA, BORIS, CLARA, ZOYA)}


@pytest.fixture
def run(desk: Desk) -> Run:
    desk.exchange.default_script = Script(rings=1, talks=30)
    return Run(desk)


def test_only_the_new_people_are_called_after_a_list_has_grown_at_its_beginning(run: Run) -> None:
    run.expand([ANNA, BAD, CLARA])
    assert [run.execute(index) == "called" for index in range(3)] == [True, False, True]
    run.desk.clock.advance(60)

    run.clear([ZOYA, ANNA, BORIS, CLARA])
    first = [run.execute(index) for index in range(4)]
    assert "has called this person at map index 0" in first[1]
    assert "has called this person at map index 2" in first[3]
    assert [first[0], first[2]] == ["called", "called"]
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 1, ZOYA: 1}


def test_people_who_have_changed_places_are_not_called_again_after_a_clear_that_airflow_does_not_count(
    run: Run,
) -> None:
    run.expand([ANNA, BORIS])
    assert [run.execute(index) for index in range(2)] == ["called", "called"]
    run.desk.clock.advance(60)

    run.clear([BORIS, ANNA])
    run.clears = 0  # Airflow's REST API with reset_dag_runs=false
    assert all("has called this person" in run.execute(index) for index in range(2))
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 0, ZOYA: 0}


def test_a_sip_number_in_another_case_is_the_same_person(run: Run) -> None:
    run.expand(["sip25", BORIS])
    assert run.execute(0) == "called"
    run.clear([BORIS, "SIP25"])
    assert "has called this person at map index 0" in run.execute(1)


def test_the_same_list_after_a_clear_is_called_again(run: Run) -> None:
    for _ in range(2):
        run.expand([ANNA, BORIS]) if not run.tasks else run.clear([ANNA, BORIS])
        assert [run.execute(index) for index in range(2)] == ["called", "called"]
        run.desk.clock.advance(60)
    assert run.rings() == {ANNA: 2, BORIS: 2, CLARA: 0, ZOYA: 0}


def test_a_corrected_row_is_called_after_a_clear_of_its_map_index(run: Run) -> None:
    run.expand([ANNA, BAD, CLARA])
    assert [run.execute(index) == "called" for index in range(3)] == [True, False, True]
    run.clear([ANNA, BORIS, CLARA])
    assert run.execute(1) == "called"
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 1, ZOYA: 0}


def test_a_map_index_waits_for_another_one_whose_try_has_begun(run: Run, desk: Desk) -> None:
    run.expand([ANNA])
    assert run.execute(0) == "called"
    run.clear([ZOYA, ANNA])
    first = run.tasks[0]
    first.ti.state = "running"
    first.ti.xcoms.clear()
    assert "has not stated within 120 s whom it has called" in run.execute(1)
    assert sum(desk.slept) >= 120
    assert run.execute(0) == "called"
    assert "has called this person at map index 0" in run.execute(1)
    assert run.rings() == {ANNA: 1, BORIS: 0, CLARA: 0, ZOYA: 1}


@pytest.mark.parametrize("begins_after", range(1, 8))
@pytest.mark.parametrize("stated_after", range(1, 8))
def test_a_map_index_whose_try_begins_meanwhile_hides_no_call(
    run: Run, begins_after: int, stated_after: int
) -> None:
    """The new try of map index 0 deletes the XCom that shows Anna. Map index 1 is silent at first."""
    run.expand([ANNA, BORIS])
    assert [run.execute(index) for index in range(2)] == ["called", "called"]
    run.clear([ZOYA, BORIS, ANNA])
    first, second = run.tasks[0].ti, run.tasks[1].ti
    first.state = "queued"
    second.state = "running"
    stated = dict(second.xcoms)
    second.xcoms.clear()

    def begin() -> None:
        first.state = "running"
        first.xcoms.clear()

    def state_people() -> None:
        second.xcoms.update(stated)

    run.events = {begins_after: [begin]}
    run.events.setdefault(stated_after, []).append(state_people)
    run.questions = 0
    assert run.execute(2) != "called"
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 0, ZOYA: 0}


def test_no_new_person_is_called_while_an_earlier_map_index_has_not_stated_whom_it_called(run: Run) -> None:
    """Its newest try has failed before it stated whom the map index has called."""
    run.expand([ANNA, BAD])
    assert [run.execute(index) == "called" for index in range(2)] == [True, False]
    run.clear([BORIS, ANNA])
    run.tasks[0].ti.state = "failed"
    run.tasks[0].ti.xcoms.clear()
    assert "has not stated whom it has called at map index 0" in run.execute(1)
    assert run.execute(0) == "called"
    assert "has called this person at map index 0" in run.execute(1)
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 0, ZOYA: 0}


def test_the_first_run_after_a_clear_of_an_earlier_task_calls_each_person(run: Run) -> None:
    run.clears = 1
    run.expand([ANNA, BORIS, BAD, CLARA])
    assert [run.execute(index) == "called" for index in range(4)] == [True, True, False, True]


def test_a_person_whom_the_service_refused_is_called_at_another_map_index(run: Run, desk: Desk) -> None:
    desk.exchange.account.blacklist.add(ANNA)
    run.expand([ANNA])
    assert run.execute(0) != "called"
    desk.exchange.account.blacklist.clear()
    run.clear([BORIS, ANNA])
    assert [run.execute(index) for index in range(2)] == ["called", "called"]


def test_a_person_may_be_on_the_list_twice_without_a_clear(run: Run) -> None:
    run.expand([ANNA, ANNA])
    assert [run.execute(index) for index in range(2)] == ["called", "called"]


def test_no_phone_number_is_published(run: Run) -> None:
    run.expand([ANNA])
    run.execute(0)
    published = str(run.instances[0].xcoms)
    assert "callapi_people" in published
    assert ANNA[1:] not in published


def test_no_one_is_called_after_airflow_has_deleted_the_record_of_a_successful_try(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    run.expand([ANNA, BAD, CLARA])
    for index, task in enumerate(run.tasks):
        if run.execute(index) == "called":
            task.state = TaskState()
    run.clear([ZOYA, ANNA, CLARA])
    for _ in range(2):
        texts = [run.execute(index) for index in range(3)]
        assert "clear_on_success" in texts[0]
        assert "has not stated whom" in texts[1]
        assert "clear_on_success" in texts[2]
    assert run.rings() == {ANNA: 1, BORIS: 0, CLARA: 1, ZOYA: 0}


def test_a_person_who_has_moved_before_a_retry_is_not_called_again(run: Run, desk: Desk) -> None:
    """The list comes from a file that the DAG file reads. Anna left the list before the retry of her call."""
    desk.exchange.script(ANNA, Script.busy())
    run.expand([ANNA, BORIS, CLARA])
    assert [run.execute(index) == "called" for index in range(3)] == [False, True, True]
    assert run.retry([BORIS, CLARA]) == [0]
    assert "has called this person at map index 1" in run.execute(0)
    run.retry([BORIS, CLARA])
    assert "has called this person at map index 1" in run.execute(0)
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 1, ZOYA: 0}


def test_a_retry_calls_the_second_entry_of_a_person_who_is_on_the_list_twice(run: Run, desk: Desk) -> None:
    run.expand([ANNA, ANNA])
    desk.exchange.account.blacklist.add(ANNA)
    assert run.execute(0) != "called"
    desk.exchange.account.blacklist.clear()
    assert run.execute(1) == "called"
    assert run.retry([ANNA, ANNA]) == [0]
    assert run.execute(0) == "called"


@pytest.mark.parametrize("state", ["skipped", "upstream_failed"])
def test_a_map_index_that_the_scheduler_has_skipped_hinders_no_call_after_a_clear(
    run: Run, state: str
) -> None:
    run.expand([BAD, CLARA])
    run.tasks[1].ti.state = state
    assert run.execute(0) != "called"
    run.clear([ANNA, CLARA])
    run.tasks[1].ti.state = state
    assert run.execute(0) == "called"


@pytest.mark.parametrize("fails", ["store_intent", "publish"])
def test_a_person_who_was_claimed_and_not_called_is_called_after_a_clear(
    run: Run, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    run.expand([ANNA])
    place = Journal if fails == "store_intent" else MappedTask

    def fail(self: Any, *values: Any) -> None:
        if fails == "store_intent" or values[1]["people"]:
            raise OSError("no connection")

    with monkeypatch.context() as patch:
        patch.setattr(place, fails, fail)
        with pytest.raises(OSError, match="no connection"):
            run.execute(0)
    run.clear([ANNA])
    assert run.execute(0) == "called"
    run.clear([BORIS])
    assert run.execute(0) == "called"
    run.clear([ANNA])
    assert "has called this person at map index 0" in run.execute(0)
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 0, ZOYA: 0}


def test_the_first_person_is_not_called_again_after_another_one(run: Run, desk: Desk) -> None:
    for person in (ANNA, BORIS):
        desk.exchange.script(person, Script.busy())
    run.expand([ANNA])
    for contacts in ([ANNA], [BORIS], [ANNA]):
        if run.rings()[ANNA]:
            run.retry(contacts)
        answer = run.execute(0)
    assert "has called this person at map index 0" in answer
    assert run.rings() == {ANNA: 1, BORIS: 1, CLARA: 0, ZOYA: 0}


def test_a_map_index_that_airflow_has_removed_may_have_called_a_person(run: Run) -> None:
    """Its last try ended before it stated whom it has called, and the list became shorter."""
    run.expand([ANNA, BORIS, CLARA])
    assert [run.execute(index) for index in range(3)] == ["called"] * 3
    run.clear([ANNA, CLARA, CLARA])
    run.tasks[2].ti.xcoms.clear()
    run.tasks[2].ti.state = "removed"
    assert "has not stated whom it has called at map index 2" in run.execute(1)
    assert run.rings()[CLARA] == 1


@pytest.mark.parametrize("state", ["up_for_retry", "failed"])
def test_a_retry_of_a_changed_list_calls_no_one_while_a_map_index_is_silent(run: Run, state: str) -> None:
    """Its second try was killed before it stated whom the first try has called."""
    run.expand([ANNA, BORIS])
    run.desk.exchange.script(BORIS, Script.busy())
    assert [run.execute(index) == "called" for index in range(2)] == [True, False]
    run.tasks[0].ti.xcoms.clear()
    run.retry([ZOYA, ANNA])
    run.tasks[0].ti.state = state
    assert "has not stated whom it has called at map index 0" in run.execute(1)
    assert run.rings()[ANNA] == 1


def test_a_map_index_that_the_authors_code_may_have_skipped_hinders_the_calls_of_the_others(run: Run) -> None:
    run.expand([ANNA, BORIS])
    assert [run.execute(index) for index in range(2)] == ["called", "called"]
    run.clear([ZOYA, ANNA])
    run.tasks[0].ti.state = "skipped"
    run.tasks[0].ti.xcoms.clear()
    run.tasks[1].more_context["task"] = SimpleNamespace(retries=RETRIES, _pre_execute_hook=print)
    assert "has not stated whom it has called at map index 0" in run.execute(1)
    assert run.rings()[ANNA] == 1


LISTS = st.lists(st.sampled_from([ANNA, BORIS, CLARA, ZOYA, BAD]), min_size=1, max_size=4, unique=True)


@pytest.mark.no_cover
@given(first=LISTS, later=st.lists(LISTS, min_size=1, max_size=3), data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_moved_person_is_never_rung_twice_with_any_lists_and_tries(
    desk: Desk, first: list[str], later: list[list[str]], data: st.DataObject
) -> None:
    run = Run(desk)
    desk.exchange.default_script = Script(rings=1, talks=30)
    for person in data.draw(st.sets(st.sampled_from([ANNA, BORIS, CLARA, ZOYA]))):
        desk.exchange.script(person, Script.busy())
    before = run.rings()
    places: dict[str, set[int]] = {person: set() for person in before}
    run.expand(first)
    for contacts in [first, *later]:
        is_cleared = contacts is not first and data.draw(st.booleans())
        if is_cleared:
            run.clear(contacts)
        is_retry = contacts is not first and not is_cleared
        indexes = run.retry(contacts[: len(run.contacts)]) if is_retry else list(range(len(contacts)))
        order = data.draw(st.permutations(indexes))
        lost = [index for index in order if is_cleared and data.draw(st.booleans())]
        for index in lost:
            run.tasks[index].ti.xcoms.clear()
            run.tasks[index].ti.state = "running"
        for index in order:
            rung = run.rings()
            run.execute(index)
            if run.rings() != rung:
                places[contacts[index]].add(index)
        desk.clock.advance(60)
    assert all(len(at) <= 1 for at in places.values()), places
