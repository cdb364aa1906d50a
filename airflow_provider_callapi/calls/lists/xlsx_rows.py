"""Reads rows from an Excel workbook (``.xlsx``) with openpyxl, which the extra ``[excel]`` installs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile
from typing import Any, BinaryIO

from airflow_provider_callapi.calls.lists.empty_values import clean, has_no_value, is_empty
from airflow_provider_callapi.calls.lists.problems import ListUnreadable
from airflow_provider_callapi.calls.lists.table import Table


def read_xlsx(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Excel workbook: column → value, or None for an empty cell.

    The first line with a value contains the column names.

    :param file: the ``.xlsx`` file, opened in binary mode.
    :raises ListUnreadable: openpyxl is not installed.
    :raises ListUnreadable: the workbook is damaged, is empty, or has values in several sheets.
    :raises ListUnreadable: a line cannot be read. The error message contains the number of the line.
    """
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra of this package
    except ImportError:
        raise ListUnreadable(
            "an .xlsx file needs openpyxl: install airflow-provider-callapi[excel], or save the file as "
            "CSV UTF-8"
        ) from None
    try:
        workbook = load_workbook(file, read_only=True, data_only=True)
        formulas = load_workbook(file, read_only=True)
        pairs = zip(workbook.worksheets, formulas.worksheets, strict=True)
        sheets = [list(dropwhile(_has_no_value, _lines(*pair))) for pair in pairs]
    except ListUnreadable:
        raise
    except Exception as error:  # openpyxl raises many kinds for a damaged workbook
        raise ListUnreadable(f"not a readable .xlsx workbook ({type(error).__name__})") from None
    filled = [sheet for sheet in sheets if sheet]
    if not filled:
        raise ListUnreadable("the workbook is empty")
    if len(filled) > 1:
        raise ListUnreadable("several sheets have values. Keep one sheet, because only one list is read")
    yield from _rows(filled[0])


def _lines(sheet: Any, formulas: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the pair (line number, values) for each line of a sheet that is not empty.

    :raises ListUnreadable: a formula has no stored result.
    """
    # A cell with a formula contains the formula's stored result in sheet, and the formula itself in formulas.
    for page in (sheet, formulas):
        page.reset_dimensions()  # some programs store wrong dimensions
    pairs = zip(sheet.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=True)
    for number, (values, written) in enumerate(pairs, start=1):
        if any(value is None and text is not None for value, text in zip(values, written, strict=True)):
            raise ListUnreadable(
                f"line {number}: a formula has no stored result. Open and save the file in Excel"
            )
        if not all(map(is_empty, values)):
            yield number, values


def _has_no_value(line: tuple[int, tuple[Any, ...]]) -> bool:
    return all(map(has_no_value, line[1]))


def _rows(lines: list[tuple[int, tuple[Any, ...]]]) -> Iterator[dict[str, Any]]:
    number, heading = lines[0]
    try:
        table = Table(_trimmed(heading))
        for line in lines[1:]:
            number, values = line
            yield table.row(values, _cell)
    except ListUnreadable as error:
        raise ListUnreadable(f"line {number}: {error}") from None


def _trimmed(heading: tuple[Any, ...]) -> list[Any]:
    names = list(heading)
    while names and is_empty(names[-1]):
        names.pop()
    return names


def _cell(value: Any) -> Any:
    value = clean(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
