"""A note of a cell that forbids calls refuses the workbook: it belongs to a person, and to no column."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment

from airflow_provider_callapi.calls.lists.xlsx_rows import read_xlsx
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


def with_notes(**notes: str) -> Any:
    """Return a workbook of two people: cell → its note."""
    book = openpyxl.Workbook()
    for line in (["phone", "name"], ["79260000001", "Anna"], ["79260000002", "Boris"]):
        book.active.append(line)
    for cell, text in notes.items():
        book.active[cell].comment = Comment(text, "author")
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


@pytest.mark.parametrize("note", ["не звонить", "Мария:\nне звонить", "NO CALLS", "Мария:\nумер", "ЧС"])
def test_a_note_that_forbids_calls_is_refused(note: str) -> None:
    with pytest.raises(ListUnreadable, match=r"^the note of the cell A3 seems to forbid the call") as refusal:
        list(read_xlsx(with_notes(B2="VIP", A3=note)))
    assert note not in str(refusal.value)


@pytest.mark.parametrize("note", ["VIP", "Мария:\nперезвонить", "не звонить до 10:00", ""])
def test_another_note_changes_nothing(note: str) -> None:
    assert len(list(read_xlsx(with_notes(A2=note)))) == 2
