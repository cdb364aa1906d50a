"""Reads rows from an Excel workbook (``.xlsx``) with openpyxl, which the extra ``[excel]`` installs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from itertools import dropwhile
from typing import Any, BinaryIO
from warnings import catch_warnings, simplefilter
from xml.etree.ElementTree import XMLParser

from airflow_provider_callapi.calls.lists.date_formats import date_text, shows_date
from airflow_provider_callapi.calls.lists.number_formats import (
    decimal_text,
    may_show_other_digits,
    shown_text,
)
from airflow_provider_callapi.calls.lists.table import CheckNames, Table, accept_names
from airflow_provider_callapi.calls.lists.xlsx_notes import refuse_forbidding_notes
from airflow_provider_callapi.calls.texts.empty_values import clean, has_no_value, is_empty
from airflow_provider_callapi.calls.texts.number_texts import MOST_DIGITS
from airflow_provider_callapi.calls.texts.shown_values import LongNumber, shown_as
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_PART = 65536
"""How many bytes of a sheet's XML are read at once."""
_ZERO = re.compile(r"0+(?:\.0+)?")
"""Matches the height of a line that Excel does not show."""
_NO_DATE = ""
"""The empty value of a cell with the date 0, or with a time of day in place of a date.

Excel shows ``00.01.1900``. None would be a formula without a result.
"""
_Line = tuple[int, tuple[Any, ...]]
"""The number of a line in a sheet, and the values of its cells."""


def read_xlsx(file: BinaryIO, check_empty: CheckNames = accept_names) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Excel workbook: column → value, or None for an empty cell.

    The first line with a value contains the column names. If the number format of a cell shows further
    digits, such as ``+7 926 000-00-01`` for the number 9260000001, the value is the shown text. All other
    numbers, dates, times and durations stay such values, but their text is the text that the cell shows, see
    `ShownValue`. A whole number with more than 15 digits is a `LongNumber`.

    :param file: the ``.xlsx`` file, opened in binary mode.
    :param check_empty: a function that is called with the column names if all rows are empty, or if there are
        none. It may raise `ListUnreadable`.
    :raises ListUnreadable: openpyxl is not installed.
    :raises ListUnreadable: the workbook is damaged, is empty, or has values in several sheets.
    :raises ListUnreadable: the sheet has merged cells. Only the first cell of merged cells has their value.
    :raises ListUnreadable: a row with a value is hidden, for example by a filter. It is not certain whether
        the author wants it.
    :raises ListUnreadable: a cell with a value is struck through, or its note forbids calls.
    :raises ListUnreadable: the lines or cells are not in order, so openpyxl would leave out some of them.
    :raises ListUnreadable: a line cannot be read. The error message contains the number of the line.
    """
    lines, marks = _only_sheet(_read_sheets(file))
    _refuse_marks(marks, lines)
    yield from _rows(lines, check_empty)


def _read_sheets(file: BinaryIO) -> list[tuple[list[_Line], _Marks]]:
    """Return the lines and the marks of each sheet with values. The lines begin with the column names.

    :raises ListUnreadable: openpyxl is not installed, or the workbook or a line cannot be read.
    """
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra of this package
    except ImportError:
        raise ListUnreadable(
            "an .xlsx file needs openpyxl: install airflow-provider-callapi[excel], or save the file as "
            "CSV UTF-8"
        ) from None
    try:
        with catch_warnings():
            simplefilter("ignore")  # a warning of openpyxl may contain the value of a cell
            workbook = load_workbook(file, read_only=True, data_only=True)
            formulas = load_workbook(file, read_only=True)
            pairs = zip(workbook.worksheets, formulas.worksheets, strict=True)
            sheets = [(pair[0], list(dropwhile(_has_no_value, _lines(*pair)))) for pair in pairs]
        filled = [(lines, _read_marks(sheet)) for sheet, lines in sheets if lines]
        refuse_forbidding_notes(file)
    except ListUnreadable:
        raise
    except Exception as error:  # openpyxl raises many kinds for a damaged workbook
        raise ListUnreadable(f"not a readable .xlsx workbook ({type(error).__name__})") from None
    if not sheets:  # openpyxl does not know the names in such a file
        raise ListUnreadable(
            "no readable sheet. Save the file as an Excel workbook, not as a Strict Open XML Spreadsheet"
        )
    return filled


def _only_sheet(sheets: list[tuple[list[_Line], _Marks]]) -> tuple[list[_Line], _Marks]:
    if not sheets:
        raise ListUnreadable("the workbook is empty")
    if len(sheets) > 1:
        raise ListUnreadable("several sheets have values. Keep one sheet, because only one list is read")
    return sheets[0]


def _refuse_marks(marks: _Marks, lines: list[_Line]) -> None:
    """Raise an error if a sheet has merged cells, hidden lines with values, or lines out of their order.

    :raises ListUnreadable: the error message contains the number of the line.
    """
    if marks.merged:
        raise ListUnreadable(
            f"line {min(marks.merged)}: merged cells. Unmerge the cells, and write the value into each cell"
        )
    if hidden := marks.hidden.intersection(number for number, _ in lines):
        raise ListUnreadable(
            f"line {min(hidden)}: a hidden row. Show all rows, and delete the rows that nobody needs"
        )
    if marks.disordered:
        raise ListUnreadable(
            f"line {marks.disordered}: a line or cell is stored in a wrong place, so it would be missing. "
            "Open and save the file in Excel, or save it as CSV UTF-8"
        )


def _lines(sheet: Any, formulas: Any) -> Iterator[_Line]:
    """Yield (line number, values) for each line of a sheet, except empty lines.

    :raises ListUnreadable: a formula has no stored result or an empty one, or a number format cannot be read.
    :raises ListUnreadable: a number that is no date has the format of a date, so Excel shows ``########``.
    :raises ListUnreadable: a cell is struck through. It is not certain whether the author wants the line.
    """
    # A cell with a formula contains the formula's stored result in sheet, and the formula itself in formulas.
    for page in (sheet, formulas):
        page.reset_dimensions()  # some programs store wrong dimensions
    pairs = zip(sheet.iter_rows(), formulas.iter_rows(values_only=True), strict=True)
    for number, (cells, written) in enumerate(pairs, start=1):
        values = tuple(_value(cell, number) for cell in cells)
        if any(map(_is_lost_number, cells, written)):
            raise ListUnreadable(
                f"line {number}: a number has the format of a date, and is no date. Format the column as "
                "text, and write each number whole"
            )
        if any(value is None and text is not None for value, text in zip(values, written, strict=True)):
            raise ListUnreadable(
                f"line {number}: a formula has no stored result, or an empty one. Open and save the file in "
                "Excel, or save it as CSV UTF-8, which contains no formulas"
            )
        if not all(map(is_empty, values)):
            if any(map(_is_struck, cells)):
                raise ListUnreadable(
                    f"line {number}: a struck-through cell. Delete the rows that nobody needs, or remove "
                    "the line through the text"
                )
            yield number, values


class _Marks:
    """Reads the XML of a sheet, and records merged cells, hidden lines, and lines out of their order.

    :ivar merged: the first line of each range of merged cells, such as 2 of ``C2:C4``.
    :ivar hidden: the lines that Excel does not show, for example because of a filter.
    :ivar disordered: the first line at a wrong place in the XML. Its number is smaller than that of the line
        before it, or its cells are not in the order of the columns. openpyxl leaves out such lines and cells.
        None: there is no such line.
    """

    def __init__(self) -> None:
        self.merged: list[int] = []
        self.hidden: set[int] = set()
        self.disordered: int | None = None
        self._line = 0
        self._column = (0, "")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Record what an XML element tells of hidden rows, merged cells, or the order of rows and cells."""
        if tag.endswith("}row"):
            before, self._line = self._line, int(attributes.get("r", self._line + 1))
            self._column = (0, "")
            if self._line <= before:
                self.disordered = self.disordered or self._line
            if attributes.get("hidden") in ("1", "true") or _ZERO.fullmatch(attributes.get("ht", "")):
                self.hidden.add(self._line)
        elif tag.endswith("}c") and "r" in attributes:
            name = attributes["r"].rstrip("0123456789")
            before_cell, self._column = self._column, (len(name), name)  # A, B, … Z, AA, …
            if self._column <= before_cell:
                self.disordered = self.disordered or self._line
        elif tag.endswith("}mergeCell"):
            first = re.search(r"\d+", attributes["ref"])
            self.merged.append(int(first[0]) if first else 1)  # A:B begins in line 1


def _read_marks(sheet: Any) -> _Marks:
    # openpyxl's read-only sheets do not have these marks. The parser of the XML keeps no elements.
    marks = _Marks()
    parser = XMLParser(target=marks)  # noqa: S314 - openpyxl has already parsed this XML
    with sheet._get_source() as file:
        while part := file.read(_PART):
            parser.feed(part)
    parser.close()
    return marks


def _has_no_value(line: _Line) -> bool:
    return all(map(has_no_value, line[1]))


def _rows(lines: list[_Line], check_empty: CheckNames) -> Iterator[dict[str, Any]]:
    number, heading = lines[0]
    try:
        table = Table(_trimmed(heading))
        if all(map(_has_no_value, lines[1:])):
            check_empty(table.names)
        for line in lines[1:]:
            number, values = line
            # A workbook does not store the empty cells at the end of a line.
            missing = (None,) * (len(table.names) - len(values))
            yield table.row((*values, *missing), clean)
    except ListUnreadable as error:
        raise ListUnreadable(f"line {number}: {error}") from None


def _trimmed(heading: tuple[Any, ...]) -> list[Any]:
    names = list(heading)
    while names and is_empty(names[-1]):
        names.pop()
    return names


def _is_struck(cell: Any) -> bool:
    return cell.value is not None and cell.has_style and bool(cell.font.strike)


def _is_lost_number(cell: Any, written: Any) -> bool:
    """Return whether openpyxl has replaced a number by an error, because the number is too large for a date.

    :param written: the formula of the cell, or else its value. openpyxl replaces this value, too.
    """
    if not cell.value == written == "#VALUE!":
        return False
    from openpyxl.styles.numbers import is_date_format  # noqa: PLC0415 - an extra of this package

    return bool(is_date_format(cell.number_format))


def _value(cell: Any, line: int) -> Any:
    """Return a cell's value. Its text is the text that the cell shows, if this text is certain.

    :raises ListUnreadable: the number format may add digits, but cannot be read.
    """
    value = cell.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, time) and shows_date(cell.number_format):
        return _NO_DATE
    if isinstance(value, date | time | timedelta):
        return shown_as(value, date_text(value, cell.number_format))
    if isinstance(value, float):
        return shown_as(value, decimal_text(value, cell.number_format))
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value  # the word that stands for a boolean depends on the language of the program
    if may_show_other_digits(value, cell.number_format):
        raise ListUnreadable(
            f"line {line}: a number format that may show further digits of a phone number. Format the column "
            "as text, and write each number whole"
        )
    return value if isinstance(value, str) else _whole_number(value, cell.number_format)


def _whole_number(value: int, number_format: str) -> int | str:
    if abs(value) >= 10**MOST_DIGITS:
        return LongNumber(value)
    if text := shown_text(value, number_format):
        return text
    shown: int = shown_as(value, decimal_text(value, number_format))
    return shown
