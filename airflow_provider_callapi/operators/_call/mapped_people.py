"""Call no person twice if a user clears a mapped task, and the list has changed meanwhile.

Airflow keeps task state for each map index. If a person stands at another place in the new list, the map
index of that place has no record of the person's call. So each map index publishes whom it has called in this
DAG run, and reads what the others have published before it calls a person who is new at this place.

A map index publishes at the beginning of each try, before it reads. Airflow deletes what an earlier try has
published. So a running map index that has published nothing may have called anybody, and the others wait for
it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Self

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.task_context import (
    DELETED_STATE,
    MappedTask,
    TaskFacts,
    TaskState,
    lost_its_state,
)

_KEY = "callapi_people"
"""The key of the XCom and of the task state with the fingerprints of the called people."""
_NEVER_RAN = frozenset({None, "scheduled", "queued", "removed"})
"""States of a map index that has published nothing and has called no one."""
_LONGEST_WAIT = 120.0
_PAUSE = 1.0


@dataclass(frozen=True)
class _Entry:
    """What one map index has published.

    :ivar people: fingerprints of the people whom the map index has called.
    :ivar run_clears: how often a user had cleared tasks of the DAG run.
    :ivar was_cleared: whether a user had cleared the map index.
    """

    map_index: int
    people: list[str]
    run_clears: int
    was_cleared: bool


class PeopleOfIndex:
    """The people whom one map index of a task has called in one DAG run."""

    def __init__(self, facts: TaskFacts, mapped: MappedTask, state: TaskState) -> None:
        self._facts = facts
        self._mapped = mapped
        self._state = state

    @classmethod
    def of(cls, facts: TaskFacts) -> Self | None:
        """Return the people of the running map index.

        None: the task is not mapped, or this Airflow has no task state.
        """
        if facts.mapped is None or facts.state is None:
            return None
        return cls(facts, facts.mapped, facts.state)

    def publish(self) -> None:
        """Show the other map indexes whom this map index has called.

        If Airflow has deleted the record of a successful try, publish nothing.
        """
        if not lost_its_state(self._facts):
            self._mapped.publish(_KEY, asdict(self._own_entry()))

    def claim(self, contact: str, *, is_known: bool) -> None:
        """Record and publish that this map index calls a person now.

        :param is_known: whether this map index has called the person before, as its newest call.
        :raises CallApiFailure: the person was called at another place of the list. Or Airflow has deleted the
            record of the people whom this map index has called.
        :raises CallApiTrouble: it is not known yet whom another map index has called. A retry may know.
        """
        if lost_its_state(self._facts):
            raise CallApiFailure(DELETED_STATE)
        if self._facts.run_clears and not is_known:
            self._refuse_called_person(contact)
        called = self._called()
        if not self._contains(called, contact):
            self._state.set(_KEY, [*called, self._facts.deployment.fingerprint(*self._scope, contact)])
            self.publish()

    def withdraw(self, contact: str) -> None:
        """Record that a person was certainly not called after all."""
        people = [person for person in self._called() if not self._contains([person], contact)]
        self._state.set(_KEY, people)
        self.publish()

    def _refuse_called_person(self, contact: str) -> None:
        task = f"task {self._facts.owner[2]}"
        entries, silent = self._await_entries()
        entries[self._mapped.map_index] = self._own_entry()
        for index, entry in sorted(entries.items()):
            if self._contains(entry.people, contact):
                raise CallApiFailure(
                    f"{task} has called this person at map index {index} of this DAG run, or may have called "
                    "the person. The list has changed since then. To call the person again, start a new DAG "
                    "run. No call was placed."
                )
        ran_before = any(
            entry.was_cleared or entry.run_clears < self._facts.run_clears for entry in entries.values()
        )
        if silent and ran_before:
            indexes = ", ".join(map(str, silent[:5])) + (" …" if len(silent) > 5 else "")
            raise CallApiTrouble(
                f"The list has changed, and {task} has not stated whom it has called at map index {indexes}. "
                "Clear this map index together with the others. No call was placed."
            )

    def _await_entries(self) -> tuple[dict[int, _Entry], list[int]]:
        """Wait until each running map index has published, and return map index → entry.

        A map index that begins to run later reads what this map index has published.

        :return: the entries, and the map indexes that have run and have published nothing.
        :raises CallApiTrouble: a running map index publishes nothing.
        """
        gives_up_at = time.time() + _LONGEST_WAIT
        awaited: set[int] | None = None
        while True:
            states = self._mapped.states()
            entries = {entry["map_index"]: _Entry(**entry) for entry in self._mapped.published(_KEY)}
            silent = {index for index, state in states.items() if state not in _NEVER_RAN} - entries.keys()
            silent.discard(self._mapped.map_index)
            running = {index for index in silent if states[index] == "running"}
            awaited = running if awaited is None else awaited & running
            if not awaited:
                return entries, sorted(silent - running)
            if time.time() >= gives_up_at:
                raise CallApiTrouble(
                    f"Map index {min(awaited)} has not stated whom it has called. No call was placed."
                )
            time.sleep(_PAUSE)

    def _own_entry(self) -> _Entry:
        return _Entry(self._mapped.map_index, self._called(), self._facts.run_clears, self._facts.was_cleared)

    @property
    def _scope(self) -> tuple[str, ...]:
        dag_id, run_id, task_id, _ = self._facts.owner
        return (dag_id, run_id, task_id)

    def _called(self) -> list[str]:
        return list(self._state.get(_KEY) or [])

    def _contains(self, people: Iterable[str], contact: str) -> bool:
        """Return whether a person is among the called people, or may be, because a key is gone."""
        deployment = self._facts.deployment
        return any(
            deployment.is_fingerprint_of(person, *self._scope, contact) is not False for person in people
        )
