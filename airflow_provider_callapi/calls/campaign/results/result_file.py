"""Writes the results of a campaign as CSV or JSON Lines: the rows of the contact list with added columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any, Literal, TextIO, TypeAlias

from airflow_provider_callapi.calls.campaign.contact_list.people import Duplicate, Person, Skipped
from airflow_provider_callapi.calls.campaign.ledger import Status
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.lists.result_columns import RESULT_COLUMNS
from airflow_provider_callapi.calls.reports.csv_cell import csv_cell
from airflow_provider_callapi.calls.texts.time_texts import iso_time

_Listed: TypeAlias = Ending | Skipped


def write_results(
    file: TextIO,
    endings: Sequence[Ending],
    skipped: Sequence[Skipped],
    *,
    file_format: Literal["csv", "jsonl"],
    separator: str = ",",
    bom: bool = False,
) -> None:
    """Write one row for each person, invalid row and duplicate, in the order of the contact list.

    CSV shows a nested value as JSON text, and None as an empty cell. A text that a spreadsheet would run as a
    formula gets a ``'`` before it: ``=1+1`` becomes ``'=1+1``.

    :param file: a text file, opened with ``encoding="utf-8"`` and ``newline=""``.
    :param endings: the result and the attempts of each person.
    :param skipped: the invalid rows and the duplicates.
    :param file_format: ``csv``, or ``jsonl`` for JSON Lines.
    :param separator: the character between two columns of CSV.
    :param bom: whether CSV begins with a byte order mark, which Excel needs to recognise UTF-8.
    """
    listed: list[_Listed] = [*endings, *skipped]
    listed.sort(key=lambda item: _in_list(item).line)
    if file_format == "csv":
        _write_csv(file, listed, separator, bom)
    else:
        _write_json_lines(file, listed)


def _in_list(item: _Listed) -> Person | Skipped:
    """Return the person or the skipped row, which has the row of the contact list and its line."""
    return item.person if isinstance(item, Ending) else item


def _result_columns(item: _Listed) -> dict[str, Any]:
    if isinstance(item, Ending):
        return _person_columns(item)
    contact = item.contact if isinstance(item, Duplicate) else None
    return _columns(call_contact=contact, call_result=item.result, call_why=item.why, call_attempts=0)


def _person_columns(ending: Ending) -> dict[str, Any]:
    dialled = [attempt for attempt in ending.attempts if attempt.status is not Status.NOT_PLACED]
    last = dialled[-1] if dialled else None
    call = last.call if last else None
    added = _columns(
        call_contact=ending.person.contact,
        call_result=ending.result.value,
        call_why=ending.why,
        call_attempts=ending.placed_calls,
        call_external_id=last.external_id if last else None,
    )
    if call is not None:
        added |= {
            "call_session_id": call.call_session_id,
            "call_started_at": _iso_or_none(call.started_at),
            "call_answered_at": _iso_or_none(call.answered_at),
            "call_ended_at": _iso_or_none(call.ended_at),
            "call_talk_seconds": call.talk_seconds,
            "call_finish_reason": call.contact_finish_reason or call.finish_reason,
            "call_tags": list(call.tags),
            "call_operations": None if call.operations is None else list(call.operations),
        }
    return added


def _columns(**known: Any) -> dict[str, Any]:
    return {**dict.fromkeys(RESULT_COLUMNS), **known}


def _iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso_time(at)


def _write_json_lines(file: TextIO, listed: Sequence[_Listed]) -> None:
    for item in listed:
        own = {name: value for name, value in _in_list(item).row.items() if name not in RESULT_COLUMNS}
        file.write(json.dumps({**own, **_result_columns(item)}, ensure_ascii=False, default=str) + "\n")


def _write_csv(file: TextIO, listed: Sequence[_Listed], separator: str, bom: bool) -> None:
    met = dict.fromkeys(name for item in listed for name in _in_list(item).row)
    own_columns = [name for name in met if name not in RESULT_COLUMNS]
    if bom:
        file.write("\ufeff")
    writer = csv.writer(file, delimiter=separator)
    writer.writerow([*map(csv_cell, own_columns), *RESULT_COLUMNS])
    for item in listed:
        own, added = _in_list(item).row, _result_columns(item)
        writer.writerow([*(csv_cell(own.get(name)) for name in own_columns), *map(csv_cell, added.values())])
