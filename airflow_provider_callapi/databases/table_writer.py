"""Write rows to a table of results while calls take place.

A background thread writes the rows, so that a slow database never delays a call. If the database does not
answer, the rows wait in memory, and the thread tries again after 15 seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from airflow_provider_callapi.databases.attempt_columns import KEY
from airflow_provider_callapi.databases.connections import masked_text
from airflow_provider_callapi.databases.results_table import ResultsTable, Row
from airflow_provider_callapi.exceptions import CallApiTrouble

_PAUSE = 1.0
"""Seconds between two writes."""
_PAUSE_AFTER_FAILURE = 15.0
_CLOSES_WITHIN = 5.0
"""Seconds that `TableWriter.close` waits for the last write."""


class TableWriter:
    """Writes rows to a table of results in a background thread, about once a second.

    A row replaces the row with the same campaign, person and attempt, both in the table and among the rows
    that still wait to be written.

    :param table: the table, which must exist. `TableWriter.close` and `TableWriter.finish` close the table.
    :param log: the task's logger.
    """

    def __init__(self, table: ResultsTable, log: Any) -> None:
        self._table = table
        self._log = log
        self._waiting: dict[tuple[Any, ...], Row] = {}
        self._has_failed = False
        self._waiting_lock = threading.Lock()
        self._table_lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._write_regularly, name="callapi-results", daemon=True)

    def add(self, rows: Iterable[Row]) -> None:
        """Hand over rows to the background thread, which writes the rows within seconds.

        The method does not wait for the database.
        """
        with self._waiting_lock:
            self._waiting.update(_by_key(rows))
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """End the background thread after one last write of the waiting rows, and close the table.

        The method waits at most 5 seconds for the write. If the write fails, the rows stay in memory, and
        only `finish` can still write the rows.
        """
        self._end_thread()
        self._table.close()

    def finish(self, last: Iterable[Row] = ()) -> None:
        """End the background thread, write all rows that the thread has not written yet, and close the table.

        If the database is not available, the method repeats the write for up to five minutes.

        :param last: more rows, which the method writes after all other rows.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        self._end_thread()
        with closing(self._table), self._table_lock:
            self._table.write(self._take(), patient=True)
            self._table.write(last, patient=True)

    def _end_thread(self) -> None:
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSES_WITHIN)

    def _write_regularly(self) -> None:
        while not self._closed.wait(_PAUSE_AFTER_FAILURE if self._has_failed else _PAUSE):
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        with self._table_lock:
            rows = self._take()
            try:
                self._table.write(rows, patient=False)
            except Exception as error:  # after any other end of the thread, nobody would write the rows
                self._put_back(rows)
                if not self._has_failed:
                    text = error if isinstance(error, CallApiTrouble) else masked_text(error, "results")
                    self._log.warning("%s. The task continues, and writes the rows later", text)
                self._has_failed = True
            else:
                self._has_failed = False

    def _take(self) -> list[Row]:
        with self._waiting_lock:
            rows, self._waiting = list(self._waiting.values()), {}
        return rows

    def _put_back(self, rows: Iterable[Row]) -> None:
        with self._waiting_lock:
            self._waiting = _by_key(rows) | self._waiting


def _by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    """Return rows as a dict: (campaign, person, attempt) → row.

    If several rows have the same key, the dict contains the last of these rows.
    """
    return {tuple(row[name] for name in KEY): row for row in rows}
