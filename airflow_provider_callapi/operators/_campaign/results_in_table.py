"""Write the results of a campaign to a table while the campaign runs.

A thread of its own writes the rows, so that a slow database never delays a call. If the database does not
answer, the rows wait. After the last call, the campaign writes the rows of all people once more.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import Duplicate, Person, Plan, Skipped
from airflow_provider_callapi.calls.campaign.results import DUPLICATE
from airflow_provider_callapi.calls.campaign.summary import Ending
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.results_table import ResultsTable, Row, open_results_table
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiTrouble

_PAUSE = 1.0
"""Seconds between two writes while the campaign runs."""
_PAUSE_AFTER_FAILURE = 15.0
_CLOSES_WITHIN = 5.0
"""Seconds that the end of a try waits for the last write."""


class ResultsInTable:
    """The rows that one try of a campaign writes to a table of results.

    :param campaign: the campaign's name.
    :param log: the task's logger.
    """

    def __init__(self, table: ResultsTable, campaign: str, plan: Plan, log: Any) -> None:
        self._table = table
        self._campaign = campaign
        self._people = {person.key: person for person in plan.people}
        self._log = log
        self._waiting: dict[tuple[str, int], Attempt] = {}
        self._has_failed = False
        self._waiting_lock = threading.Lock()
        self._table_lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._write_regularly, name="callapi-results", daemon=True)

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Write these attempts within seconds. The method does not wait for the database."""
        with self._waiting_lock:
            self._waiting.update({(attempt.person, attempt.attempt): attempt for attempt in attempts})
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """Write what is left, and end the thread. A database that does not answer delays this by seconds."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSES_WITHIN)

    def watch(self, ledger: Ledger) -> Ledger:
        """Return the ledger in a form that also writes each attempt to the table."""
        return _LedgerWithTable(ledger, self)

    def write_all(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> list[str]:
        """Write the final row of each attempt, and a row for each person or list row without an attempt.

        If the database is not available, wait for up to five minutes.

        :param skipped: the invalid rows and the duplicates.
        :return: an error text if the rows could not be written.
        """
        self.close()
        try:
            with self._table_lock:
                self._table.write(self._final_rows(endings, skipped), patient=True)
        except CallApiTrouble as trouble:
            return [str(trouble)]
        return []

    def _write_regularly(self) -> None:
        while not self._closed.wait(_PAUSE_AFTER_FAILURE if self._has_failed else _PAUSE):
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        with self._table_lock:
            with self._waiting_lock:
                attempts, self._waiting = self._waiting, {}
            try:
                self._table.write(map(self._row, attempts.values()), patient=False)
            except CallApiTrouble as trouble:
                with self._waiting_lock:
                    self._waiting = attempts | self._waiting
                if not self._has_failed:
                    self._log.warning("%s. The campaign continues, and writes the results later", trouble)
                self._has_failed = True
            else:
                self._has_failed = False

    def _final_rows(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> Iterator[Row]:
        for ending in endings:
            for attempt in ending.attempts[:-1]:
                yield self._row(attempt)
            if ending.attempts:
                last = ending.attempts[-1]
                yield self._row(last) | {"result": last.result or ending.result.value}
            else:
                person = ending.person.contact
                yield {**self._listed(ending.person), "person": person, "result": ending.result.value}
        for row in skipped:
            result = DUPLICATE if isinstance(row, Duplicate) else Result.INVALID.value
            yield {**self._listed(row), "person": f"row {row.line}", "result": result, "why": row.why}

    def _row(self, attempt: Attempt) -> dict[str, Any]:
        person = self._people[attempt.person]
        row = row_of_attempt(attempt, self._campaign)
        del row["unrung"]
        return {**self._listed(person), **row, "person": person.contact}

    def _listed(self, item: Person | Skipped) -> dict[str, Any]:
        row = json.loads(json.dumps(item.row, default=str))
        return {"campaign": self._campaign, "attempt": 0, "contact": row, "list_row": item.line}


@dataclass
class _LedgerWithTable:
    """A campaign's ledger that also writes each attempt to the table of results."""

    ledger: Ledger
    results: ResultsInTable

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        return self.ledger.load(people)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        claims = self.ledger.claim(intents)
        self.results.add(intent for intent, claim in zip(intents, claims, strict=True) if claim.granted)
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        self.ledger.record(attempts)
        self.results.add(attempts)


def open_results(name: TableName, campaign: str, plan: Plan, log: Any) -> ResultsInTable:
    """Open the table to which a campaign writes its results.

    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """
    return ResultsInTable(open_results_table(name), campaign, plan, log)
