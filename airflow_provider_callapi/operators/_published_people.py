"""Tells the map indexes of a mapped task which people the others call in the DAG run, through XCom."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.task_context.facts import TaskFacts
from airflow_provider_callapi.task_context.mapped_task import MappedTask

_KEY = "callapi_people"
"""The key of the XCom with the fingerprints of the people."""
_NEVER_RAN = frozenset({None, "scheduled", "queued", "upstream_failed"})
"""States of a map index that has called no one if it has published nothing."""
_LONGEST_WAIT = 120.0
_PAUSE = 1.0


@dataclass(frozen=True)
class _Entry:
    """The XCom of one map index: hashes of the people whom the index calls or has called in this DAG run."""

    map_index: int
    people: list[str]
    run_clears: int  # how often users had cleared tasks of the DAG run when the process began
    was_cleared: bool  # whether a user had cleared this map index when the process began


@dataclass(frozen=True)
class Others:
    """What the other map indexes of a task have stated about their people.

    :ivar people: map index → hashes of its people.
    :ivar silent: map indexes that may have called people in an earlier try, and have not stated whom.
    """

    people: dict[int, list[str]]
    silent: list[int]


class PublishedPeople:
    """The people of each map index of a mapped task, as XComs with hashes. They contain no phone number.

    An XCom lasts until the next try of its map index begins. So each try publishes at its beginning whom the
    map index has called before.
    """

    def __init__(self, facts: TaskFacts, mapped: MappedTask) -> None:
        self._facts = facts
        self._mapped = mapped

    def publish(self, people: list[str]) -> None:
        """Show the other map indexes the people of this one, instead of those that it has shown before.

        :param people: hashes of the people whom this map index calls, and whom it may have called before.
        """
        entry = _Entry(self._mapped.map_index, people, self._facts.run_clears, self._facts.was_cleared)
        self._mapped.publish(_KEY, asdict(entry))

    def read_others(self, *, has_moved: bool = False) -> Others:
        """Return the people of the other map indexes. Wait up to two minutes for those that run.

        :param has_moved: whether the list has certainly changed between two tries without a clear.
        :raises CallApiTrouble: a running map index has stated nothing after two minutes.
        """
        entries, silent = self._await_entries()
        entries.pop(self._mapped.map_index, None)
        ran_before = (
            has_moved
            or self._facts.was_cleared
            or any(
                entry.was_cleared or entry.run_clears < self._facts.run_clears for entry in entries.values()
            )
        )
        people = {index: entry.people for index, entry in entries.items()}
        return Others(people, silent if ran_before else [])

    def refuse_silent(self, others: Others) -> None:
        """Raise an error if a map index may have called people, and has not stated whom.

        :param others: the result of `read_others`.
        :raises CallApiTrouble: there is such a map index.
        """
        if others.silent:
            indexes = ", ".join(map(str, others.silent[:5])) + (" …" if len(others.silent) > 5 else "")
            raise CallApiTrouble(
                f"The list may have changed, and task {self._facts.owner[2]} has not stated whom it has "
                f"called at map index {indexes}. Clear this map index together with the others, or start a "
                "new DAG run. This try placed no call."
            )

    def _await_entries(self) -> tuple[dict[int, _Entry], list[int]]:
        """Wait for the XComs of the other map indexes, at most two minutes.

        :return: map index → XCom, and the map indexes that ended without an XCom.
        :raises CallApiTrouble: a running map index has no XCom after two minutes.
        """
        gives_up_at = system_clock.now() + _LONGEST_WAIT
        # A map index publishes before it skips itself. So the scheduler has skipped a silent one, if the
        # author has no code that runs before.
        never_ran = _NEVER_RAN if self._mapped.may_skip_early else _NEVER_RAN | {"skipped"}
        awaited: set[int] | None = None
        entries: dict[int, _Entry] = {}
        while True:
            # When a try begins, Airflow deletes the entry: one that was seen before still counts.
            before, states = self._published(), self._mapped.states()
            entries |= before | self._published()
            silent = {index for index, state in states.items() if state not in never_ran} - entries.keys()
            silent.discard(self._mapped.map_index)
            running = {index for index in silent if states[index] == "running"}
            awaited = running if awaited is None else awaited & running
            if not awaited:
                return entries, sorted(silent - running)  # these have stopped without publishing
            if system_clock.now() >= gives_up_at:
                raise CallApiTrouble(
                    f"Map index {min(awaited)} of task {self._facts.owner[2]} has not stated within "
                    f"{_LONGEST_WAIT:g} s whom it has called. A retry asks again. This try placed no call."
                )
            system_clock.sleep(_PAUSE)

    def _published(self) -> dict[int, _Entry]:
        return {entry["map_index"]: _Entry(**entry) for entry in self._mapped.published(_KEY)}
