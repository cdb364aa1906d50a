"""Converts attempts to rows of a SQL table, and the rows back to attempts: one row for each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.databases.column_types import LONGEST_TEXT
from airflow_provider_callapi.exceptions import CallApiFailure

T = TypeVar("T")

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
_FROM_SERVICE = ("external_id", "refused_with", "finish_reason", "contact_finish_reason")
"""Columns with a text whose length the service or the author decides."""
CALL_COLUMNS = ("call_session_id", "call_status", "observed", "tags", "operations", *_OF_THE_CALL)
_STATUSES: dict[str | None, Status] = {status.value: status for status in Status}
_NEEDED = {Status.ACTIVE: "call_session_id", Status.ENDED: "call_session_id", Status.FINISHED: "result"}
"""Status → the column that has a value in each row with the status."""
_RESULTS: dict[str | None, Result | None] = {None: None, **{result.value: result for result in Result}}


def attempt_of_row(row: Any) -> Attempt:
    """Convert a row of the SQL ledger's call table to an `Attempt`.

    :param row: the row's values, in the order of `attempt_columns`.
    :raises CallApiFailure: this version of the package does not know the row's status or result.
    :raises CallApiFailure: a column is null, but must have a value in a row with this status. For example,
        ``result`` must have a value if the attempt has finished.
    :raises CallApiFailure: a column that must contain a list, such as ``tags``, contains another value.
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
    known_status, known_result = _known(_STATUSES, "status", status), _known(_RESULTS, "result", result)
    needed = _NEEDED.get(known_status)
    if needed and {"result": result, "call_session_id": call_session_id}[needed] is None:
        raise _unreadable(f"the status is {status}, but the column {needed} is null")
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
            _items("tags", tags) or (),
            _items("operations", operations),
            communication_id,
            source,
        )
    return Attempt(
        person,
        number,
        known_status,
        external_id,
        intended_at,
        unrung,
        known_result,
        result_known_at,
        call,
        refused_with,
    )


def _known(kinds: Mapping[str | None, T], column: str, stored: str | None) -> T:
    """Return the `Status` or `Result` for which a column of the call table stores a text.

    :param kinds: stored text → `Status` or `Result`.
    :param column: the name of the column, for the error message.
    :param stored: the stored text, or None for an empty cell. If it is not in ``kinds``, the function raises
        an error.
    """
    if stored in kinds:
        return kinds[stored]
    raise _unreadable(f"{mask_phones(repr(stored))} in the column {column} is unknown")


def _items(column: str, stored: Any) -> tuple[Any, ...] | None:
    """Return the list in a column of the call table, as a tuple. None: the column is null."""
    if stored is None:
        return None
    if isinstance(stored, list):
        return tuple(stored)
    raise _unreadable(f"{mask_phones(repr(stored))} in the column {column} is not a list")


def _unreadable(problem: str) -> CallApiFailure:
    return CallApiFailure(
        f"the ledger's table callapi_campaign_call: {problem}: another version of airflow-provider-callapi "
        "has stored the row, or somebody has edited it. Finish the campaign with the other version, or "
        "correct the row"
    )


def row_of_attempt(attempt: Attempt, campaign: str) -> dict[str, Any]:
    """Convert an attempt to call a person to a row for a SQL table.

    The row has a value for every column of an attempt. An unknown value is None. When the row replaces an
    older row of the same attempt, it therefore also replaces every old value. A text that is too long for its
    column is shortened, and loses the character NUL.

    :param campaign: the campaign's name, for the column ``campaign``.
    :return: column → value, such as ``{"campaign": "reminders", "attempt": 2, "status": "active", …}``.
    """
    call = attempt.call
    row: dict[str, Any] = {
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
        "operations": list(map(_storable, call.operations)) if call and call.operations is not None else None,
        **{name: call and getattr(call, name) for name in _OF_THE_CALL},
    }
    return {**row, **{name: row[name] and _storable(row[name]) for name in _FROM_SERVICE}}


def _storable(text: str) -> str:
    """Return a text of the service or the author in a form that every database accepts."""
    # One row that the database refuses would prevent the others. PostgreSQL refuses the character NUL.
    return text.replace("\0", "")[:LONGEST_TEXT]
