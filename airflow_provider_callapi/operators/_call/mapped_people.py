"""Remembers which people a mapped task has called, so that it does not call them again after a clear.

A person may have another map index after the clear, because the list of people has changed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Self

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.task_context.facts import DELETED_STATE, TaskFacts, lost_its_state
from airflow_provider_callapi.task_context.mapped_task import MappedTask
from airflow_provider_callapi.task_context.task_state import TaskState

# Example: map index 3 called Anna. Then a row was deleted from the list, and a user cleared the task. Now
# Anna belongs to map index 2, which has no record of the call to Anna. Therefore, with task state
# (Airflow 3.3+), each map index publishes whom it has called. After a clear, a map index reads this before it
# calls a person.

_KEY = "callapi_people"
"""The key of the XCom and of the task state with the fingerprints of the called people."""
_NEVER_RAN = frozenset({None, "scheduled", "queued", "removed"})
"""States of a map index that has published nothing and has called no one."""
_LONGEST_WAIT = 120.0
_PAUSE = 1.0


@dataclass(frozen=True)
class _Entry:
    """The XCom of one map index: hashes of the people whom the index may have called in this DAG run."""

    map_index: int
    people: list[str]
    run_clears: int  # how often users had cleared tasks of the DAG run when the process began
    was_cleared: bool  # whether a user had cleared this map index when the process began


class PeopleOfIndex:
    """The people whom one map index of a mapped task has called in one DAG run.

    The class stores hashes, and no phone numbers.
    """

    def __init__(self, facts: TaskFacts, mapped: MappedTask, state: TaskState) -> None:
        self._facts = facts
        self._mapped = mapped
        self._state = state

    @classmethod
    def of(cls, facts: TaskFacts) -> Self | None:
        """Return the people whom the running map index has called.

        None: the task is not mapped, or this Airflow has no task state.
        """
        if facts.mapped is None or facts.state is None:
            return None
        return cls(facts, facts.mapped, facts.state)

    def publish(self) -> None:
        """Publish whom this map index has called, as an XCom that the task's other map indexes read.

        If Airflow has deleted the task state that contained the called people, publish nothing.
        """
        # After the loss of the record, an XCom without people would wrongly mean that no one was called.
        if not lost_its_state(self._facts):
            self._mapped.publish(_KEY, asdict(self._own_entry()))

    def claim(self, contact: str, *, is_known: bool) -> None:
        """Store that this map index is about to call a person. The other map indexes can read this record.

        :param contact: the person's number.
        :param is_known: True: the newest call of this map index went to this person, or may have. The method
            then does not read the records of the other map indexes.
        :raises CallApiFailure: another map index may have called the person before, or Airflow has deleted
            this map index's record.
        :raises CallApiTrouble: another map index has not stated whom it has called.
        """
        if lost_its_state(self._facts):
            raise CallApiFailure(DELETED_STATE)
        # is_known: the newest call in this map index's own journal went to the person, or may have.
        if self._facts.follows_clear and not is_known:
            self._refuse_called_person(contact)
        called = self._called()
        if not any(self._may_be(person, contact) for person in called):
            self._state.set(_KEY, [*called, self._facts.deployment.fingerprint(*self._scope, contact)])
            self.publish()

    def withdraw(self, contact: str) -> None:
        """Allow other map indexes to call a person, because this map index has certainly placed no call.

        :param contact: the person's number.
        """
        people = [person for person in self._called() if not self._may_be(person, contact)]
        self._state.set(_KEY, people)
        self.publish()

    def _refuse_called_person(self, contact: str) -> None:
        task = f"task {self._facts.owner[2]}"
        entries, silent = self._await_entries()
        entries[self._mapped.map_index] = self._own_entry()
        for index, entry in sorted(entries.items()):
            if any(self._may_be(person, contact) for person in entry.people):
                raise CallApiFailure(
                    f"{task} has called this person at map index {index} of this DAG run, or may have called "
                    "the person. The list has changed since then. To call the person again, start a new DAG "
                    "run. This try placed no call."
                )
        ran_before = any(
            entry.was_cleared or entry.run_clears < self._facts.run_clears for entry in entries.values()
        )
        if silent and ran_before:
            indexes = ", ".join(map(str, silent[:5])) + (" …" if len(silent) > 5 else "")
            raise CallApiTrouble(
                f"The list has changed, and {task} has not stated whom it has called at map index {indexes}. "
                "Clear this map index together with the others. This try placed no call."
            )

    def _await_entries(self) -> tuple[dict[int, _Entry], list[int]]:
        """Wait for the XComs of the other map indexes, at most two minutes.

        :return: map index → XCom, and the map indexes that ended without an XCom.
        :raises CallApiTrouble: a running map index has no XCom after two minutes.
        """
        gives_up_at = time.time() + _LONGEST_WAIT
        awaited: set[int] | None = None
        entries: dict[int, _Entry] = {}
        while True:
            # When a try begins, Airflow deletes the entry: one that was seen before still counts.
            before, states = self._published(), self._mapped.states()
            entries |= before | self._published()
            silent = {index for index, state in states.items() if state not in _NEVER_RAN} - entries.keys()
            silent.discard(self._mapped.map_index)
            running = {index for index in silent if states[index] == "running"}
            awaited = running if awaited is None else awaited & running
            if not awaited:
                return entries, sorted(silent - running)  # these have stopped without publishing
            if time.time() >= gives_up_at:
                raise CallApiTrouble(
                    f"Map index {min(awaited)} of task {self._facts.owner[2]} has not stated within "
                    f"{_LONGEST_WAIT:g} s whom it has called. A retry asks again. This try placed no call."
                )
            time.sleep(_PAUSE)

    def _published(self) -> dict[int, _Entry]:
        return {entry["map_index"]: _Entry(**entry) for entry in self._mapped.published(_KEY)}

    def _own_entry(self) -> _Entry:
        return _Entry(self._mapped.map_index, self._called(), self._facts.run_clears, self._facts.was_cleared)

    @property
    def _scope(self) -> tuple[str, ...]:
        dag_id, run_id, task_id, _ = self._facts.owner
        return (dag_id, run_id, task_id)

    def _called(self) -> list[str]:
        return list(self._state.get(_KEY) or [])

    def _may_be(self, person: str, contact: str) -> bool:
        """Return whether the stored hash ``person`` may be the hash of ``contact``.

        Also True if the secret key of the hash was deleted.
        """
        return self._facts.deployment.is_fingerprint_of(person, *self._scope, contact) is not False
