"""Write a start operator's call, and later changes of the call, to a table in the author's database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result, result_of
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_record import Record, Stage
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.databases.results_table import ResultsTable, open_results_table, row_of_result
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.databases.table_writer import TableWriter
from airflow_provider_callapi.exceptions import CallApiTrouble

_STATUS = {
    Stage.NOTHING: Status.NOT_PLACED,
    Stage.STARTING: Status.DIALLING,
    Stage.STARTED: Status.ACTIVE,
    Stage.ENDED: Status.ENDED,
    Stage.DONE: Status.FINISHED,
    Stage.REDIAL: Status.FINISHED,
    Stage.UNRESOLVED: Status.FINISHED,
}


class CallRows:
    """Writes the calls of one task into a table of results: one row for each attempt."""

    def __init__(self, writer: TableWriter, campaign: str, person: str) -> None:
        self._writer = writer
        self._campaign = campaign  # the column `campaign`, e.g. my_dag.my_task.<run id>
        self.person = person  # the phone number that the task calls

    def watch(self, store: KeyValueStore) -> KeyValueStore:
        """Return a store that passes each record to ``store``, and also adds it to the table of results.

        :param store: the store of the task's journal.
        """
        return _StoreWithTable(store, self)

    def add(self, record: Record) -> None:
        """Queue a row for the table, made from the stored record of the call.

        A background thread writes the row within a few seconds.
        """
        self._add(_attempt_of(record))

    def add_refused(self, attempt: int, external_id: str, at: float, mnemonic: str | None) -> None:
        """Write a row with the result ``refused`` for a call that the service refused to place.

        :param at: when the service refused the call, epoch seconds.
        :param mnemonic: the name of the service's error.
        """
        refused = Attempt("", attempt, Status.DIALLING, external_id, intended_at=at)
        self._add(refused.with_status(Status.FINISHED, result=Result.REFUSED, refused_with=mnemonic))

    def _add(self, attempt: Attempt) -> None:
        self._writer.add([row_of_result(attempt, self._campaign, self.person)])


class _StoreWithTable:
    """A journal's store that also writes each stored record to the table of results."""

    def __init__(self, store: KeyValueStore, results: CallRows) -> None:
        self._store = store
        self._results = results

    def get(self, key: str) -> Any:
        return self._store.get(key)

    def set(self, key: str, value: Mapping[str, Any]) -> None:
        self._store.set(key, value)
        self._results.add(Record.from_json(dict(value)))


def _attempt_of(record: Record) -> Attempt:
    call = None if record.call is None else Outcome.from_xcom(record.call)
    result = None
    if record.stage is Stage.UNRESOLVED:
        result = Result.UNRESOLVED
    elif call is not None and call.status == "ended" and record.stage is not Stage.ENDED:
        result = result_of(call)
    # The journal takes back the number of an attempt that was not placed.
    attempt = record.attempt + 1 if record.stage is Stage.NOTHING else record.attempt
    return Attempt(
        person="",
        attempt=attempt,
        status=_STATUS[record.stage] if call is None or call.status == "ended" else Status.ACTIVE,
        external_id=record.external_id,
        intended_at=record.intended_at,
        result=result,
        result_known_at=call.ended_at if call is not None and result else None,
        call=call,
    )


@contextmanager
def written_to_table(
    name: TableName, owner: tuple[str, str, str, str], person: str, log: Any, *, is_new: bool
) -> Iterator[CallRows]:
    """Yield the object that writes one try's call to a table.

    After the ``with`` block, repeat a failed write for up to five minutes, except after a deferral or a kill.

    :param person: the phone number that the task calls.
    :param is_new: True: the try may place the call, so first check that rows can be written.
    :raises CallApiFailure: the table cannot be used.
    :raises CallApiTrouble: the row could not be written, or the database does not answer.
    """
    # Before a call (is_new), first check that the table can be written.
    table = open_results_table(name) if is_new else ResultsTable(name)
    writer = TableWriter(table, log)
    try:
        yield CallRows(writer, _campaign_of(owner), person)
    except Exception:
        try:
            writer.finish()
        except CallApiTrouble as trouble:  # the first error ends the task
            log.error("%s. The table lacks the last state of the call", trouble)
        raise
    except BaseException:  # a deferral or a kill
        writer.close()
        raise
    try:
        writer.finish()
    except CallApiTrouble as trouble:
        raise CallApiTrouble(f"{trouble}. The call is not repeated: a retry only writes the row") from None


def _campaign_of(owner: tuple[str, str, str, str]) -> str:
    dag_id, run_id, task_id, map_index = owner
    return f"{dag_id}.{task_id}.{run_id}" + ("" if map_index == "-1" else f".{map_index}")
