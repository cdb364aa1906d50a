"""Print the results, the errors and the questions of the ``airflow callapi`` commands."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from argparse import Namespace
from contextlib import redirect_stdout, suppress
from io import TextIOWrapper
from typing import Any, NoReturn, TextIO

from airflow.cli.simple_table import AirflowConsole, SimpleTable
from airflow.utils import yaml
from airflow.utils.helpers import ask_yesno
from rich.cells import cell_len
from rich.markup import escape
from tabulate import tabulate

from airflow_provider_callapi.api.times import parse_time
from airflow_provider_callapi.calls.texts.time_texts import iso_second, utc_text

_LEAST_WIDTH_OF_OTHERS = 64
"""How many characters a line of a table has at least for all columns except the first."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def print_rows(rows: list[dict[str, Any]], args: Namespace) -> None:
    """Print table rows in the form that the option ``--output`` names.

    - ``json`` and ``yaml``: numbers, lists and dicts keep their types.
    - ``table`` and ``plain``: all values become text. None becomes an empty text. A table never breaks a
      value of its first column, such as a campaign's name: a user copies it into the next command.

    :param rows: for each row of the table, a dict: column → value. All rows have the same columns.
    :param args: the arguments of the command. ``args.output`` is the form.
    """
    if args.output in ("json", "yaml"):
        print_data(rows, args)
        return
    to_text = _table_text if args.output == "table" else _plain_text
    rows = [{name: to_text(value) for name, value in row.items()} for row in rows]
    if args.output == "plain" and rows:
        # Airflow's own plain output would reformat ids that look like numbers
        cells = [list(row.values()) for row in rows]
        write(tabulate(cells, list(rows[0]), tablefmt="plain", disable_numparse=True), sys.stdout)
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, str]]) -> None:
    _replace_unknown_characters(sys.stdout)
    console = AirflowConsole()
    if not rows:
        console.print_as(rows, output="table")  # says that there are none
        return
    table = SimpleTable(show_header=True)
    for number, name in enumerate(rows[0]):
        table.add_column(name, no_wrap=number == 0)
    for row in rows:
        table.add_row(*row.values())
    first_width = max(cell_len(next(iter(row.values()))) for row in rows)
    # If this is more than the width of the terminal, the terminal breaks the lines of the table.
    console.width = max(console.width, first_width + _LEAST_WIDTH_OF_OTHERS)
    console.print(table)


def _table_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_table_text, value))
    return escape(_one_line(value))  # rich treats [brackets] as markup


def _plain_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain_text, value))
    return _one_line(value)


def _one_line(value: Any) -> str:
    """Return a value as text. A blank replaces each line end or other character that steers a terminal."""
    return "" if value is None else _CONTROL_CHARACTERS.sub(" ", str(value))


def show_time(text: str | None, timezone: str, args: Namespace, *, seconds: bool = False) -> str | None:
    """Convert a local time of the account to UTC: short text for a table, ISO 8601 text for other outputs.

    If ``text`` is None or is not a time, return it unchanged.

    :param timezone: IANA name of the account's time zone.
    """
    try:
        return text and show_moment(parse_time(text, timezone).timestamp(), args, seconds=seconds)
    except ValueError:
        return text


def show_moment(at: float, args: Namespace, *, seconds: bool = False) -> str:
    """Return a time in epoch seconds as text in UTC: short for a table, ISO 8601 for other outputs."""
    return utc_text(at, seconds=seconds) if args.output == "table" else iso_second(at)


def time_column(name: str, args: Namespace) -> str:
    """Return the heading of a column with times. In a table, it names the zone."""
    return f"{name} (UTC)" if args.output == "table" else name


def print_result(text: str, data: dict[str, Any], args: Namespace) -> None:
    """Print a command's result in the form that the option ``--output`` names.

    :param text: a sentence for a person, which ``--output text`` prints.
    :param data: the same result for a program, which ``--output json`` or ``yaml`` prints.
    """
    if args.output == "text":
        print_text(text, sys.stdout)
    else:
        print_data(data, args)


def print_data(data: Any, args: Namespace) -> None:
    """Print data as JSON or YAML, with escape sequences if stdout cannot write one of the characters."""
    as_text = _json_text if args.output == "json" else _yaml_text
    text = as_text(data, only_ascii=False)
    write(text if _can_encode(text, sys.stdout) else as_text(data, only_ascii=True), sys.stdout)


def _json_text(data: Any, *, only_ascii: bool) -> str:
    return json.dumps(data, ensure_ascii=only_ascii, indent=2)


def _yaml_text(data: Any, *, only_ascii: bool) -> str:
    return str(yaml.dump(data, allow_unicode=not only_ascii, sort_keys=False)).removesuffix("\n")


def _can_encode(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write(text: str, stream: TextIO) -> None:
    """Write a text with a line break at its end. A ``?`` replaces a character that the stream cannot write.

    The character may be the ``…`` of a shortened phone number. An error would keep back all session ids.
    """
    _replace_unknown_characters(stream)
    stream.write(f"{text}\n")
    stream.flush()


def _replace_unknown_characters(stream: TextIO) -> None:
    if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")


def print_text(text: str, stream: TextIO) -> None:
    """Print a text with a line break at its end.

    On a terminal, the function breaks long lines between two words. The terminal itself would break them
    inside a word. In a file or a pipe, every line stays as it is.
    """
    if stream.isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(
            textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
            for line in text.split("\n")
        )
    write(text, stream)


def say(text: str) -> None:
    """Print a text to stderr. Do nothing if stderr is closed: whether somebody reads decides no request.

    Example: Ctrl-C also kills ``tee``, to which the command writes. The command must still end its call.
    """
    with suppress(OSError, ValueError):
        print_text(text, sys.stderr)


def warn(text: str) -> None:
    """Print a warning to stderr, with the name of the command before it. See `say`."""
    say(f"airflow callapi: {text}")


def fail(text: str) -> NoReturn:
    """Print an error to stderr as `warn` does, and end the command with the exit code ``1``."""
    warn(text)
    sys.exit(1)


def confirm(question: str) -> bool:
    """Ask the user a yes-or-no question on stderr, and return whether the user agrees. Ctrl-D means no."""
    try:
        with redirect_stdout(sys.stderr):  # stdout may be read by a program
            return bool(ask_yesno(question))
    except EOFError:  # Ctrl-D
        sys.stderr.write("\n")
        return False
