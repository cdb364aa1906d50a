"""Workbooks: one sheet with values, whose cells all have values."""

from __future__ import annotations

import io
from typing import Any

import pytest

openpyxl = pytest.importorskip("openpyxl", reason="an extra of the package")

from airflow_provider_callapi.calls.lists.problems import ListUnreadable  # noqa: E402
from airflow_provider_callapi.calls.lists.xlsx_rows import read_xlsx  # noqa: E402


def workbook(*lines: list[Any], more_sheets: int = 0) -> io.BytesIO:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    for _ in range(more_sheets):
        book.create_sheet()
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def test_cells_keep_their_values_and_blank_lines_are_left_out() -> None:
    file = workbook([], ["phone", "Name", None], [79260000001.0, "Анна"], [], [None, "NaN"], more_sheets=2)

    assert list(read_xlsx(file)) == [{"phone": 79260000001, "Name": "Анна"}]


def test_a_line_of_failed_formulas_is_a_row_but_not_the_line_of_column_names() -> None:
    file = workbook(["#ССЫЛКА!", "#REF!"], ["phone", "name"], ["#N/A", "#ЗНАЧ!"])

    assert list(read_xlsx(file)) == [{"phone": "#N/A", "name": "#ЗНАЧ!"}]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "the workbook is empty"),
        ([["phone", "phone"], [1, 2]], "line 1: two columns are named 'phone'"),
        ([["phone"], [79260000001, "Анна"]], "line 2: more values than columns"),
        ([["phone", "name"], [79260000001, "=A1"]], "line 2: a formula has no stored result"),
        ([[79260000001, "Анна"]], "line 1: this line must name the columns"),
    ],
)
def test_a_damaged_workbook_is_refused(lines: list[list[Any]], why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        list(read_xlsx(workbook(*lines)))


@pytest.mark.parametrize("content", [b"", b"phone;name", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(ListUnreadable, match="not a readable"):
        list(read_xlsx(io.BytesIO(content)))
