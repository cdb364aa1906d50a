"""Prevents that two map indexes of a campaign call one person, if each has a ledger of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.ledger import ClosableLedger
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.ledgers.paged import PagedLedger
from airflow_provider_callapi.operators._published_people import PublishedPeople
from airflow_provider_callapi.task_context.facts import TaskFacts, lost_its_state

# Each map index first publishes its people, and then reads the people of the others. So of two map indexes
# with one person, at least one sees the other, also if both run at the same time. A map index that sees the
# person of another one calls no one. The published keys contain the name of the campaign in their hash, so
# map indexes with different campaign names do not meet.


class ListedPeople:
    """The people of one map index of a mapped campaign whose ledger is in Airflow's task state."""

    def __init__(self, published: PublishedPeople, ledger: PagedLedger) -> None:
        self._published = published
        self._ledger = ledger

    @classmethod
    def of(cls, facts: TaskFacts, ledger: ClosableLedger) -> Self | None:
        """Return the people of the running map index.

        None: the task is not mapped, the map indexes share a SQL ledger, or Airflow has deleted the ledger.
        """
        if facts.mapped is None or not isinstance(ledger, PagedLedger) or lost_its_state(facts):
            return None
        return cls(PublishedPeople(facts, facts.mapped), ledger)

    def publish_called(self) -> None:
        """Publish the people whom earlier tries of this map index have called, or may have called.

        Use this method at the beginning of a try, because Airflow has then deleted what the last try has
        published.
        """
        self._published.publish(sorted(self._ledger.people))

    def claim(self, people: Sequence[Person], *, are_known: bool) -> None:
        """Publish whom this map index calls, and check that no other map index calls one of these people.

        :param people: the people of the contact list.
        :param are_known: True: an earlier try of this map index has claimed the same people.
        :raises CallApiFailure: another map index calls one of the people, or has called the person.
        :raises CallApiTrouble: another map index has not stated whom it has called.
        """
        rows = {person.key: person.line for person in people}
        self._published.publish(sorted(self._ledger.people | rows.keys()))
        others = self._published.read_others()
        for index, theirs in sorted(others.people.items()):
            if shared := sorted(rows[key] for key in rows.keys() & theirs):
                self.publish_called()  # a retry of the other map index must go on
                raise CallApiFailure(_refusal(index, shared))
        if not are_known:
            self._published.refuse_silent(others)


def _refusal(map_index: int, rows: list[int]) -> str:
    first = ", ".join(map(str, rows[:5])) + (" …" if len(rows) > 5 else "")
    return (
        f"contacts: map index {map_index} of this task calls {count_text(len(rows), 'person', 'people')} of "
        f"this list, too (row {first}), and each map index has a ledger of its own, so a phone would ring "
        "twice. Give each person to one map index only, or set ledger_conn_id: map indexes that share a SQL "
        "ledger call each person once"
    )
