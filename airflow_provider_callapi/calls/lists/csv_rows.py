"""Reads rows from the lines of a CSV file. If a quotation mark is out of place, the whole file is refused.

A quotation mark in the wrong place can turn the following lines into one value. The people on these lines
would then be missing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits
from airflow_provider_callapi.calls.lists.table import CheckNames, Table, accept_names
from airflow_provider_callapi.calls.texts.empty_values import is_empty_text, text_or_none
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_SEPARATORS = ";,\t|"
_NO_SEPARATOR = "\x1f"
"""The separator for a list with only one column: each line is one value.

A control character, which practically never occurs in a list.
"""
_SEPARATOR_LINE = re.compile(r'\s*"?sep ?= ?(\\t|\t|\S)"?[;,\t]*\s*', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_SIP = re.compile(r'"?(?=.*[0-9])[A-Za-z0-9_.@*#-]{3,64}"?')
"""Matches a value that may be a SIP number, such as ``sip25``."""
_SIP_NAME = re.compile(r'"?(?=.*[0-9])(?=.{5}|.*@)[A-Za-z][A-Za-z0-9_.@*#-]{2,63}"?')
"""Matches a SIP number that begins with a letter, and is no short word of an address, such as ``Apt5``."""
_OPEN = re.compile(rf'(?:^|[{_SEPARATORS}])"')
"""Matches a quotation mark that opens a value, in a text without the quoted values."""
_LINES_OF_A_HEADING = 20
"""The largest number of lines that the names of the columns may have."""
_DIGITS_OF_A_ROW = 5
"""The number of digits from which a line or a value may contain another person's phone number."""


def read_csv(lines: Iterator[str], check_empty: CheckNames = accept_names) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file: column → text, or None for an empty cell. A blank line is an empty row.

    :param lines: the lines with their line ends.
    :param check_empty: a function that is called with the column names if all rows are empty, or if there are
        none. It may raise `ListUnreadable`.
    :raises ListUnreadable: the file is damaged. The error message names the line.
    """
    separator, before, lines = _find_separator(lines)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    line = before
    try:
        table: Table | None = None
        is_list_empty = True
        for values in reader:
            first, line = line + 1, before + reader.line_num
            if line > first:
                _refuse_swallowed_lines(values, separator)
            _refuse_lone_quotation_marks(values)
            if table is None:
                table = Table(values)
            else:
                if len(values) < len(table.names):
                    _refuse_missing_values(values, table.names, separator)
                is_list_empty = is_list_empty and not any(values)
                yield table.row(values, text_or_none)
            first = line
        if table and is_list_empty:
            check_empty(table.names)
    except csv.Error as error:
        raise ListUnreadable(f"line {line + 1}: {_describe(error)}") from None
    except ListUnreadable as error:
        raise ListUnreadable(f"line {first}: {error}") from None


def find_separator(lines: Iterator[str]) -> str:
    """Return the character that separates the values in a CSV file, such as ``;``.

    If the first line contains no separator, return ``,``.

    :param lines: the lines of the file. Only the lines with the column names are read.
    :raises ListUnreadable: two characters are equally likely to be the separator.
    """
    separator = _find_separator(lines)[0]
    return "," if separator == _NO_SEPARATOR else separator


def _find_separator(lines: Iterator[str]) -> tuple[str, int, Iterator[str]]:
    """Return the separator, the number of lines before the column names, and the lines from the names on."""
    heading = _read_heading(lines)
    first, lines = heading[0], chain(heading, lines)
    if match := _SEPARATOR_LINE.fullmatch(first):  # such as sep=;
        return match[1].replace("\\t", "\t"), 1, islice(lines, 1, None)
    bare = _QUOTED.sub("", "".join(heading))
    if _OPEN.search(bare):  # the quotation mark is never closed
        bare = _QUOTED.sub("", first)
    counts = sorted(((bare.count(separator), separator) for separator in _SEPARATORS), reverse=True)
    (most, separator), (second, _) = counts[:2]
    if most and most == second:
        raise ListUnreadable(
            "line 1: what separates the values is not certain. Add a first line such as sep=;"
        )
    return (separator if most else _NO_SEPARATOR), 0, lines


def _read_heading(lines: Iterator[str]) -> list[str]:
    """Return the first line, and further lines until each quotation mark that opens a value is closed."""
    heading = [next(lines, "")]
    while len(heading) < _LINES_OF_A_HEADING and _OPEN.search(_QUOTED.sub("", "".join(heading))):
        line = next(lines, None)
        if line is None:
            break
        heading.append(line)
    return heading


def _refuse_swallowed_lines(values: Sequence[str], separator: str) -> None:
    """Raise `ListUnreadable` if a misplaced quotation mark seems to have joined lines of a CSV file."""
    for value in values:
        # The digits may be the phone number of a person who would then not be called.
        begin, *inner = re.split(r"\r\n|\r|\n", value)
        if inner and (
            _may_end_a_row(begin, separator) or any(_may_be_a_row(line, separator) for line in inner)
        ):
            raise ListUnreadable(
                "a quotation mark opens here, and the quoted value contains another row. Close the quotation "
                "mark, or write the value on one line"
            )


def _may_end_a_row(line: str, separator: str) -> bool:
    """Return whether the first line of a quoted value may be the end of a row, such as ``Anna;sip25``.

    The first line of an ordinary text, such as ``Paris, 75001``, is none.
    """
    _, *others = line.split(separator)
    return any(_SIP_NAME.fullmatch(other.strip()) or count_digits(other) >= FEWEST_DIGITS for other in others)


def _may_be_a_row(line: str, separator: str) -> bool:
    """Return whether a line inside a quoted value may be a row of the list, such as ``sip25;Anna``.

    If so, a quotation mark before this line was probably never closed.
    """
    first, found, _ = line.partition(separator)
    is_sip = bool(found) and _SIP.fullmatch(first.strip()) is not None
    return is_sip or count_digits(line) >= _DIGITS_OF_A_ROW


def _refuse_lone_quotation_marks(values: Sequence[str]) -> None:
    """Raise `ListUnreadable` if a value with at least five digits has an odd number of quotation marks."""
    for value in values:
        # The digits may be a phone number that is in the wrong column.
        if '"' in value and value.count('"') % 2 and count_digits(value) >= _DIGITS_OF_A_ROW:
            raise ListUnreadable(
                "a quotation mark is out of place beside a number. Check the quotation marks"
            )


def _refuse_missing_values(values: Sequence[str], names: Sequence[str], separator: str) -> None:
    """Raise `ListUnreadable` for a row with fewer values than columns, and describe the probable cause.

    A blank row raises no error, and neither does a row that lacks only the values of unnamed columns.
    """
    # A misplaced quotation mark can join several values to one.
    if any(separator in value for value in values):
        raise ListUnreadable(
            "fewer values than columns, and a quoted value contains the separator. Check the quotation marks"
        )
    # The missing value may be a time zone, behind a lost separator or the end of a file that is cut off.
    if any(names[len(values) :]) and not all(map(is_empty_text, values)):
        raise ListUnreadable(
            "fewer values than columns. Check whether the line is cut off, and write a separator before each "
            "empty value"
        )


def _describe(error: csv.Error) -> str:
    text = str(error)
    if "NUL" in text:
        return "a character that no text contains (NUL)"
    if "field larger" in text:
        return (
            f"a value has more than {csv.field_size_limit():,} characters. If a quotation mark opens here "
            'and is never closed, close it, or write it twice ("")'
        )
    if "unexpected end" in text:
        return 'a quotation mark opens here and is never closed. Close it, or write it twice ("")'
    return 'a quotation mark is out of place here. Write a quotation mark inside a quoted value twice ("")'
