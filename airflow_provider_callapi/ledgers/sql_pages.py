"""Reads the attempts of a campaign from its SQL ledger page by page.

A campaign may have many attempts. With pages, only a few thousand attempts are in memory at the same time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_

from airflow_provider_callapi.databases.retries import RETRY_OUTAGE, mask_errors
from airflow_provider_callapi.ledgers.sql_tables import DATABASE, calls

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, CursorResult, Engine
    from sqlalchemy.sql import Select

_PAGE = 5000
"""How many rows a page has."""


class AttemptPages:
    """Reads the rows of a query on the SQL ledger page by page. A page is a list of up to 5000 rows.

    If the connection to the database breaks, the object opens a new connection, and continues after the last
    row that was read.

    :param engine: the SQLAlchemy engine of the ledger.
    :param query: a query for attempts of one campaign. Its rows must be in the order of person and attempt.
    """

    def __init__(self, engine: Engine, query: Select[Any]) -> None:
        self._engine = engine.execution_options(stream_results=True, max_row_buffer=_PAGE)
        self._query = query
        # Other databases need one statement for each page: in SQLite, an open cursor keeps all writers out.
        self._keeps_cursor = engine.dialect.name == "postgresql"
        self._db: Connection | None = None
        self._rows: CursorResult[Any] | None = None
        self._last: tuple[str, int] | None = None
        """Person and attempt of the last row that was read; None: no row was read."""

    def __iter__(self) -> Generator[Sequence[Any], None, None]:
        """Yield the pages: lists of rows.

        :raises CallApiTrouble: the database did not answer for five minutes, or refused the query.
        """
        try:
            while page := mask_errors(lambda: RETRY_OUTAGE(self._next_page), DATABASE):
                yield page
        finally:
            self._close()

    def _next_page(self) -> Sequence[Any]:
        try:
            if self._rows is None:
                self._db = self._engine.connect()
                self._rows = self._db.execute(self._rest())
            page = self._rows.fetchmany(_PAGE)
        except BaseException:
            self._close()
            raise
        if page:
            self._last = page[-1].person, page[-1].attempt
        if not self._keeps_cursor:
            self._close()
        return page

    def _rest(self) -> Select[Any]:
        """Return the query for the rows after the last row that was read."""
        query = self._query if self._keeps_cursor else self._query.limit(_PAGE)
        if self._last is None:
            return query
        person, attempt = self._last
        return query.where(calls.c.person >= person, or_(calls.c.person > person, calls.c.attempt > attempt))

    def _close(self) -> None:
        db, self._db, self._rows = self._db, None, None
        if db is not None:
            db.close()
