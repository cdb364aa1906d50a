"""The columns of the tables of attempts: the SQL ledger, and the table of results."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String

from airflow_provider_callapi.databases.column_types import LONGEST_NAME, LONGEST_TEXT, Moment

KEY = ("campaign", "person", "attempt")
"""The primary key of the ledger's call table. That of a table of results also has the column ``task``."""


def attempt_columns() -> list[Column[Any]]:
    """Return new SQLAlchemy columns for a table with one row for each attempt.

    The columns are the campaign's name and the fields of `Attempt` and `Outcome`. The function creates new
    objects each time, because a `Column` can belong to one table only.
    """
    return [
        Column("campaign", String(LONGEST_NAME), primary_key=True),
        Column("person", String(LONGEST_NAME), primary_key=True),
        Column("attempt", Integer, primary_key=True, autoincrement=False),
        Column("status", String(16), nullable=False),
        Column("result", String(32)),
        Column("external_id", String(LONGEST_TEXT), nullable=False),
        Column("unrung", Integer, nullable=False),
        Column("intended_at", Moment, nullable=False),
        Column("result_known_at", Moment),
        Column("refused_with", String(LONGEST_TEXT)),
        Column("call_session_id", BigInteger),
        Column("call_status", String(16)),
        Column("answered", Boolean),
        Column("started_at", Moment),
        Column("answered_at", Moment),
        Column("ended_at", Moment),
        Column("observed", Boolean),
        Column("finish_reason", String(LONGEST_TEXT)),
        Column("contact_finish_reason", String(LONGEST_TEXT)),
        Column("talk_seconds", Integer),
        Column("tags", JSON(none_as_null=True)),
        Column("operations", JSON(none_as_null=True)),
        Column("communication_id", BigInteger),
        Column("source", String(16)),
    ]
