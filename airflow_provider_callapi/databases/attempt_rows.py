"""Converts attempts to rows of a SQL table, and the rows back to attempts: one row for each attempt."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcome import Outcome

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
_STATUSES = {status.value: status for status in Status}
_RESULTS: dict[str | None, Result | None] = {None: None, **{result.value: result for result in Result}}


def attempt_of_row(row: Any) -> Attempt:
    """Convert a row of the SQL ledger's call table to an `Attempt`.

    :param row: the row's values, in the order of `attempt_columns`.
    """
    (
        _,
        person,
        number,
        status,
        result,
        external_id,
        unrung,
        intended_at,
        result_known_at,
        refused_with,
        call_session_id,
        call_status,
        answered,
        started_at,
        answered_at,
        ended_at,
        observed,
        finish_reason,
        contact_finish_reason,
        talk_seconds,
        tags,
        operations,
        communication_id,
        source,
    ) = row
    call = None
    if call_session_id is not None:
        call = Outcome(
            call_session_id,
            external_id,
            call_status,
            answered,
            number,
            started_at,
            answered_at,
            ended_at,
            observed,
            finish_reason,
            contact_finish_reason,
            talk_seconds,
            tuple(tags or ()),
            None if operations is None else tuple(operations),
            communication_id,
            source,
        )
    return Attempt(
        person,
        number,
        _STATUSES[status],
        external_id,
        intended_at,
        unrung,
        _RESULTS[result],
        result_known_at,
        call,
        refused_with,
    )


def row_of_attempt(attempt: Attempt, campaign: str) -> dict[str, Any]:
    """Convert an attempt to call a person to a row for a SQL table.

    The row has a value for every column of an attempt. An unknown value is None. When the row replaces an
    older row of the same attempt, it therefore also replaces every old value.

    :param campaign: the campaign's name, for the column ``campaign``.
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
