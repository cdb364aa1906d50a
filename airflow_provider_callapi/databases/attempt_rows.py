"""Converts attempts to rows of a SQL table with one row for each attempt, and rows to attempts."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.databases.columns import attempt_columns

_OF_THE_CALL = (
    "answered",
    "started_at",
    "answered_at",
    "ended_at",
    "finish_reason",
    "contact_finish_reason",
    "talk_seconds",
    "communication_id",
    "source",
)
"""Columns that have the same name as a field of `Outcome`, and the same value."""
CALL_COLUMNS = ("call_session_id", "call_status", "observed", "tags", "operations", *_OF_THE_CALL)
_NAMES = tuple(column.name for column in attempt_columns())


def attempt_of_row(row: Any) -> Attempt:
    """Convert a row of the SQL ledger's call table to an `Attempt`.

    :param row: the row's values, in the order of `attempt_columns`.
    """
    known = dict(zip(_NAMES, row, strict=True))  # twice as fast as reading the row's attributes
    call = None
    if known["call_session_id"] is not None:
        call = Outcome(
            call_session_id=known["call_session_id"],
            external_id=known["external_id"],
            attempt=known["attempt"],
            status=known["call_status"],
            observed=known["observed"],
            tags=tuple(known["tags"] or ()),
            operations=None if known["operations"] is None else tuple(known["operations"]),
            **{name: known[name] for name in _OF_THE_CALL},
        )
    return Attempt(
        person=known["person"],
        attempt=known["attempt"],
        status=Status(known["status"]),
        external_id=known["external_id"],
        intended_at=known["intended_at"],
        unrung=known["unrung"],
        result=None if known["result"] is None else Result(known["result"]),
        result_known_at=known["result_known_at"],
        refused_with=known["refused_with"],
        call=call,
    )


def row_of_attempt(attempt: Attempt, campaign: str) -> dict[str, Any]:
    """Convert an `Attempt` to a row with every column of `attempt_columns`.

    If a value is unknown, the column contains None. Another process may take over an attempt whose call was
    not placed. This process replaces the whole row, and no old value remains.

    :param campaign: the campaign's name.
    :return: column → value, such as ``{"campaign": "reminders", "attempt": 2, "status": "active", …}``.
    """
    call = attempt.call
    return {
        "campaign": campaign,
        "person": attempt.person,
        "attempt": attempt.attempt,
        "status": attempt.status.value,
        "result": attempt.result and attempt.result.value,
        "external_id": attempt.external_id,
        "unrung": attempt.unrung,
        "intended_at": attempt.intended_at,
        "result_known_at": attempt.result_known_at,
        "refused_with": attempt.refused_with,
        "call_session_id": call and call.call_session_id,
        "call_status": call and call.status,
        "observed": call and call.observed,
        "tags": list(call.tags) or None if call else None,
        "operations": list(call.operations) if call and call.operations is not None else None,
        **{name: call and getattr(call, name) for name in _OF_THE_CALL},
    }
