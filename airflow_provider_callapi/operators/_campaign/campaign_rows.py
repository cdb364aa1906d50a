"""Write the results of a campaign to a table in the author's SQL database, while the campaign runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Plan, Skipped
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.databases.column_types import LONGEST_TEXT
from airflow_provider_callapi.databases.results_table import (
    ResultsTable,
    Row,
    open_results_table,
    position_in_list,
    row_of_result,
)
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.databases.table_writer import TableWriter
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble


class CampaignRows:
    """Writes a campaign's attempts and results to a table in the author's SQL database.

    :param list_number: the number of the contact list among several lists with the same campaign name. None:
        the campaign has one list.
    """

    def __init__(
        self,
        name: TableName,
        writer: TableWriter,
        campaign: str,
        plan: Plan,
        log: Any,
        *,
        list_number: int | None = None,
    ) -> None:
        self._name = name
        self._log = log
        self._list_number = list_number
        self._writer = writer
        self._campaign = campaign
        self._people = {person.key: person for person in plan.people}

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Queue a row for each given attempt, and return at once.

        A background thread writes the rows within seconds if the database answers.
        """
        self._writer.add([self._row(attempt) for attempt in attempts])

    def close(self) -> None:
        """Write the rows that are not in the table yet, and close the connections to the database.

        The method waits at most 5 seconds for the write. If the write fails, the method raises no error.
        """
        self._writer.close()  # if it fails: `write_all` or the task's next try writes the rows

    def write_all(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> list[str]:
        """Write all rows of the finished campaign, and replace the rows that this campaign wrote before.

        :return: the error texts. An empty list: the rows are in the table.
        """
        try:
            # This waits up to five minutes for the database.
            self._writer.finish(self._final_rows(endings, skipped))
        except CallApiTrouble as trouble:
            return [str(trouble)]
        self._log.info("Written: the results, table %s of connection %s", self._name, self._name.conn_id)
        return []

    def _final_rows(self, endings: Sequence[Ending], skipped: Sequence[Skipped]) -> Iterator[Row]:
        for ending in endings:
            for attempt in ending.attempts[:-1]:
                yield self._row(attempt)
            if ending.attempts:
                last = ending.attempts[-1]
                yield {**self._row(last), "result": _result_of_last(ending).value}
            else:
                person = ending.person.contact
                yield {**self._listed(ending.person), "person": person, "result": ending.result.value}
        for row in skipped:
            position = position_in_list(row.line, self._list_number)
            yield {**self._listed(row), "person": position, "result": row.result, "why": row.why}

    def _row(self, attempt: Attempt) -> Row:
        person = self._people[attempt.person]
        return {**self._listed(person), **row_of_result(attempt, self._campaign, person.contact)}

    def _listed(self, item: Person | Skipped) -> dict[str, Any]:
        return {"campaign": self._campaign, "attempt": 0, "contact": dict(item.row), "list_row": item.line}


def _result_of_last(ending: Ending) -> Result:
    # The result in the table's row of a person's last attempt. If the last call was not placed, the person's
    # result can be that of an earlier call, such as BUSY. It stands in the row of that call, and must not
    # appear twice.
    *earlier, last = ending.attempts
    if last.result is not None:
        return last.result
    is_of_earlier = any(attempt.result is ending.result for attempt in earlier)
    return Result.NOT_CALLED if is_of_earlier else ending.result


def open_results(
    name: TableName,
    campaign: str,
    plan: Plan,
    log: Any,
    *,
    task: str,
    ledger: Ledger | None = None,
    list_number: int | None = None,
) -> CampaignRows:
    """Open the table to which a campaign writes its results, and check that rows can be written.

    :param task: the ids of the task and its run, see `ResultsTable`. Tasks that call the shards of one list
        have the same ids.
    :param ledger: the campaign's ledger, if a try begins: the function then also checks that the campaign
        replaces no row of another call. None: the try has checked this before.
    :param list_number: the number of the contact list among several lists with the same campaign name. None:
        the campaign has one list.
    :raises CallApiFailure: the table cannot be used, or contains other calls of a campaign with this name.
    :raises CallApiTrouble: the database does not answer.
    """
    table = open_results_table(name, task=task, list_number=list_number)
    if ledger is not None:
        try:
            _refuse_other_calls(table, campaign, plan, ledger)
        except BaseException:
            table.close()
            raise
    writer = TableWriter(table, log)
    return CampaignRows(name, writer, campaign, plan, log, list_number=list_number)


def _refuse_other_calls(table: ResultsTable, campaign: str, plan: Plan, ledger: Ledger) -> None:
    """Check that the campaign will replace no row that describes a call of another task or run.

    :raises CallApiFailure: the table has such rows.
    """
    stored = table.read_ids(campaign)
    # The ledger is read after the table. So it has each call of the processes that share the ledger.
    people = {person.contact: person for person in plan.people}
    called = {person for person, _ in stored}
    own: dict[str, dict[int, str]] = {}
    for attempt in ledger.load(people[contact].key for contact in people.keys() & called):
        own.setdefault(attempt.person, {})[attempt.attempt] = attempt.external_id[:LONGEST_TEXT]
    others = {
        people[contact].line
        for (contact, number), external_id in stored.items()
        if contact in people and _will_replace(own.get(people[contact].key, {}), number, external_id)
    }
    if others:
        raise CallApiFailure(
            f"{table.named}: another task or DAG run with the campaign name {campaign!r} has written calls "
            f"to {count_text(len(others), 'person', 'people')} of this list (such as row {min(others)}), and "
            "this campaign would replace them. Insert {{ dag.dag_id }} and {{ run_id }} into campaign, as "
            "its default does, or name another table. Tasks that together call each person once need one "
            "ledger_conn_id"
        )


def _will_replace(own: Mapping[int, str], number: int, external_id: str | None) -> bool:
    """Return whether a row of the table describes another call with the number of a campaign's attempt.

    :param own: the person's attempts in the campaign's ledger: number → ``external_id``. The ledger may lack
        old attempts, which are not written again.
    :param number: the number of the attempt in the row.
    """
    return own[number] != external_id if number in own else number > max(own, default=0)
