"""Remembers which people a mapped task has called, so that no other map index calls them again.

In a retry, and after a clear, a person may have another map index, because the list of people has changed.
"""

from __future__ import annotations

from typing import Self

from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._published_people import PublishedPeople
from airflow_provider_callapi.task_context.facts import DELETED_STATE, TaskFacts, lost_its_state
from airflow_provider_callapi.task_context.mapped_task import MappedTask
from airflow_provider_callapi.task_context.task_state import TaskState

# Example: map index 3 called Anna. Then a row was deleted from the list. Now Anna belongs to map index 2,
# which has no record of the call to Anna. Therefore, with task state (Airflow 3.3+), each map index publishes
# whom it has called. If the list may have changed, a map index reads this before it calls a person.

_KEY = "callapi_people"
"""The key of the task state with the fingerprints of the called people, the newest last."""
_FIRST_KEY = "callapi_first_person"
"""The key of the task state with the fingerprint of the person of the first try."""


class CalledPeople:
    """The people whom one map index of a mapped task has called in one DAG run.

    The class stores hashes, and no phone numbers.
    """

    def __init__(self, facts: TaskFacts, mapped: MappedTask, state: TaskState) -> None:
        self._facts = facts
        self._published = PublishedPeople(facts, mapped)
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
            self._published.publish(self._called())

    def claim(self, contact: str, *, is_known: bool) -> None:
        """Store that this map index is about to call a person. The other map indexes can read this record.

        :param contact: the person's number.
        :param is_known: True: the newest call of this map index went to this person, or may have. The method
            then does not read the records of the other map indexes.
        :raises CallApiFailure: a map index, also this one, may have called the person before, or Airflow has
            deleted this map index's record.
        :raises CallApiTrouble: another map index has not stated whom it has called.
        """
        if lost_its_state(self._facts):
            raise CallApiFailure(f"{DELETED_STATE}. This try placed no call.")
        person = self._facts.deployment.fingerprint(*self._scope, contact_key(contact))
        if self._facts.try_number == 1:
            self._state.set(_FIRST_KEY, person)
        if not is_known:
            self._refuse_called_person(contact)
        called = self._called()
        if not (called and self._may_be(called[-1], contact)):
            others = [each for each in called if self._is(each, contact) is not True]
            self._state.set(_KEY, [*others, person])
            self.publish()

    def withdraw(self, contact: str) -> None:
        """Allow other map indexes to call a person, because this map index has certainly placed no call.

        :param contact: the person's number.
        """
        people = [person for person in self._called() if not self._may_be(person, contact)]
        self._state.set(_KEY, people)
        self.publish()

    def _refuse_called_person(self, contact: str) -> None:
        """Raise an error if a map index may have called a person whom the journal does not contain."""
        own = self._called()
        # If the newest claim is of this person, it never became a call: the process was killed, or a service
        # failed, before the journal could store the call.
        if own and self._is(own[-1], contact):
            own = own[:-1]
        self._refuse_if_among(own, contact, self._facts.owner[-1])
        # Without a clear, the list can change only if it does not come from another task, but e.g. from a
        # file that the DAG file reads.
        first = self._state.get(_FIRST_KEY)
        has_moved = first is not None and not self._may_be(first, contact)
        may_have_moved = self._facts.try_number > 1 and (first is None or has_moved)
        if self._facts.follows_clear or may_have_moved:
            others = self._published.read_others(has_moved=has_moved)
            for index, people in sorted(others.people.items()):
                self._refuse_if_among(people, contact, index)
            self._published.refuse_silent(others)

    def _refuse_if_among(self, people: list[str], contact: str, map_index: int | str) -> None:
        if any(self._may_be(person, contact) for person in people):
            raise CallApiFailure(
                f"task {self._facts.owner[2]} has called this person at map index {map_index} of this DAG "
                "run, or may have called the person. To call the person again, start a new DAG run. This try "
                "placed no call."
            )

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
        return self._is(person, contact) is not False

    def _is(self, person: str, contact: str) -> bool | None:
        parts = (*self._scope, contact_key(contact))
        return self._facts.deployment.is_fingerprint_of(person, *parts)
