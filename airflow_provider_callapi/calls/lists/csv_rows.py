"""Reads rows from the lines of a CSV file. If a quotation mark is out of place, the whole file is refused.

A quotation mark in the wrong place can turn the following lines into one value. The people on these lines
would then be missing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.lists.empty_values import is_empty_text
from airflow_provider_callapi.calls.lists.problems import ListUnreadable
from airflow_provider_callapi.calls.lists.table import Table

_SEPARATORS = ";,\t|"
_NO_SEPARATOR = "\x1f"
"""The separator for a list with only one column: each line is one value.

A control character, which practically never occurs in a list.
"""
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[;,\t]*\s*', re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"')
_DIGITS_OF_A_ROW = 5
"""The number of digits from which a line or a value may contain another person's phone number."""


def read_csv(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file: column → text, or None for an empty cell. A blank line is an empty row.

    :param lines: the lines with their line ends.
    :raises ListUnreadable: the file is damaged. The error message names the line.
    """
    separator, before, lines = _find_separator(lines)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    line = before
    try:
        table: Table | None = None
        for values in reader:
            first, line = line + 1, before + reader.line_num
            if line > first:
                _refuse_swallowed_lines(values)
            _refuse_lone_quotation_marks(values)
            if table is None:
                table = Table(values)
            else:
                if len(values) < len(table.names):
                    _refuse_swallowed_values(values, separator)
                yield table.row(values, _cell)
            first = line
    except csv.Error as error:
        raise ListUnreadable(f"line {line + 1}: {_describe(error)}") from None
    except ListUnreadable as error:
        raise ListUnreadable(f"line {first}: {error}") from None


def find_separator(lines: Iterator[str]) -> str:
    """Return the character that separates the values in a CSV file, such as ``;``.

    If the first line contains no separator, return ``,``.

    :param lines: the lines of the file. At most the first line is read.
    :raises ListUnreadable: two characters are equally likely to be the separator.
    """
    separator = _find_separator(lines)[0]
    return "," if separator == _NO_SEPARATOR else separator


def _find_separator(lines: Iterator[str]) -> tuple[str, int, Iterator[str]]:
    """Return the separator, the number of lines before the heading (0 or 1), and the remaining lines.

    The heading is the line that names the columns. Only a line such as ``sep=;`` can come before the heading.
    The remaining lines begin with the heading.
    """
    heading = next(lines, "")
    if match := _SEPARATOR_LINE.fullmatch(heading):
        return match[1], 1, lines
    bare = _QUOTED.sub("", heading)
    counts = sorted(((bare.count(separator), separator) for separator in _SEPARATORS), reverse=True)
    (most, separator), (second, _) = counts[:2]
    if most and most == second:
        raise ListUnreadable(
            "line 1: what separates the values is not certain. Add a first line such as sep=;"
        )
    return (separator if most else _NO_SEPARATOR), 0, chain([heading], lines)


def _cell(text: str) -> str | None:
    return None if is_empty_text(text) else text


def _refuse_swallowed_lines(values: Sequence[str]) -> None:
    """Raise an error if a misplaced quotation mark seems to have joined several lines of a CSV file.

    The lines of other people would then be part of one value, and these people would not be called.

    :raises ListUnreadable: the second or a later line of a value has at least five digits.
    """
    for value in values:
        _, *inner = re.split(r"\r\n|\r|\n", value)
        if any(len(re.findall(r"\d", fold(line))) >= _DIGITS_OF_A_ROW for line in inner):
            raise ListUnreadable(
                "a quotation mark opens here, and the quoted value contains another row. Close the quotation "
                "mark, or write the value on one line"
            )


def _refuse_lone_quotation_marks(values: Sequence[str]) -> None:
    """Raise an error if a value with at least five digits contains an odd number of quotation marks.

    An odd number suggests that a quotation mark is in the wrong place. The digits may then be a phone number
    that is in the wrong column.

    :param values: the values of one row.
    :raises ListUnreadable: a value has both an odd number of quotation marks and at least five digits.
    """
    for value in values:
        if '"' in value and value.count('"') % 2 and len(re.findall(r"\d", fold(value))) >= _DIGITS_OF_A_ROW:
            raise ListUnreadable(
                "a quotation mark is out of place beside a number. Check the quotation marks"
            )


def _refuse_swallowed_values(values: Sequence[str], separator: str) -> None:
    """Raise an error if a value of a row that is too short seems to contain the missing values.

    A quotation mark in the wrong place can join several values to one value.

    :param values: the values of a row that has fewer values than the heading has columns.
    :param separator: the character that separates the values in the file.
    :raises ListUnreadable: a value contains the separator.
    """
    if any(separator in value for value in values):
        raise ListUnreadable(
            "fewer values than columns, and a quoted value contains the separator. Check the quotation marks"
        )


def _describe(error: csv.Error) -> str:
    text = str(error)
    if "NUL" in text:
        return "a character that no text contains (NUL)"
    if "unexpected end" in text or "field larger" in text:
        return 'a quotation mark opens here and is never closed. Close it, or write it twice ("")'
    return 'a quotation mark is out of place here. Write a quotation mark inside a quoted value twice ("")'
