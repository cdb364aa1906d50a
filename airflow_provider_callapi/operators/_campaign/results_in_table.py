"""Write the results of a campaign to a table in the author's SQL database, while the campaign runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import Duplicate, Person, Plan, Skipped
from airflow_provider_callapi.calls.campaign.results import DUPLICATE
from airflow_provider_callapi.calls.campaign.summary import Ending
from airflow_provider_callapi.databases.results_table import Row, open_results_table, row_of_result
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.databases.table_writer import TableWriter
from airflow_provider_callapi.exceptions import CallApiTrouble


class ResultsInTable:
    """Writes the attempts and results of one try of a campaign to a table of results.

    :param writer: writes rows to the table in the background.
    :param campaign: the campaign's name, for the column ``campaign``.
    :param plan: the people on the contact list, with their rows.
    :param log: the task's logger.
    """

    def __init__(self, writer: TableWriter, campaign: str, plan: Plan, log: Any) -> None:
        self._log = log
        self._writer = writer
        self._campaign = campaign
        self._people = {person.key: person for person in plan.people}

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Queue a row for each given attempt, and return at once.

        A background thread writes the rows within seconds if the database answers.
        """
        self._writer.add([self._row(attempt) for attempt in attempts])

    def close(self) -> None:
        """Write the rows that are not in the table yet. Wait at most 5 seconds for the database.

        If the write fails, the method raises no error. `write_all` or the task's next try writes these rows.
        """
        self._writer.close()

    def write_all(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> list[str]:
        """Write all rows of the finished campaign to the table. Replace rows from earlier writes.

        There is a row for each attempt, each person without an attempt, and each skipped row of the contact
        list. The method waits up to five minutes for the database.

        :param endings: the person, the attempts and the result of each person.
        :param skipped: the invalid rows and the duplicates of the contact list.
        :return: a list with one error text. Empty: all rows are written.
        """
        try:
            self._writer.finish(self._final_rows(endings, skipped))
        except CallApiTrouble as trouble:
            return [str(trouble)]
        self._log.info("Written: the results, to a table")
        return []

    def _final_rows(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> Iterator[Row]:
        for ending in endings:
            for attempt in ending.attempts[:-1]:
                yield self._row(attempt)
            if ending.attempts:
                last = ending.attempts[-1]
                yield {**self._row(last), "result": (last.result or ending.result).value}
            else:
                person = ending.person.contact
                yield {**self._listed(ending.person), "person": person, "result": ending.result.value}
        for row in skipped:
            result = DUPLICATE if isinstance(row, Duplicate) else Result.INVALID.value
            yield {**self._listed(row), "person": f"row {row.line}", "result": result, "why": row.why}

    def _row(self, attempt: Attempt) -> Row:
        person = self._people[attempt.person]
        return {**self._listed(person), **row_of_result(attempt, self._campaign, person.contact)}

    def _listed(self, item: Person | Skipped) -> dict[str, Any]:
        return {"campaign": self._campaign, "attempt": 0, "contact": dict(item.row), "list_row": item.line}


def open_results(name: TableName, campaign: str, plan: Plan, log: Any) -> ResultsInTable:
    """Open the table to which a campaign writes its results, and check that rows can be written.

    :param campaign: the campaign's name, for the column ``campaign``.
    :param plan: the people on the contact list, with their rows.
    :param log: the task's logger.
    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """
    return ResultsInTable(TableWriter(open_results_table(name), log), campaign, plan, log)
