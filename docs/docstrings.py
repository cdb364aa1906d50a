"""Reads the reStructuredText in docstrings as Markdown; loaded by mkdocstrings, see mkdocs.yml."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

_CODE = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
_LITERAL = re.compile(r"^::\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
_TABLE = re.compile(r"^=+ +=+\n(.*\n)=+ +=+\n((?:.*\n)+?)=+ +=+$", re.MULTILINE)
_CODE_QUOTES = re.compile(r"(?<!`)``(?!`)")  # not the three of a fence
_NAME = re.compile(r"(?<!`)`(?:airflow_provider_callapi[\w.]*\.)?(\w+)`(?!`)")


def to_markdown(text: str) -> str:
    """Code blocks, literal blocks, tables and names."""
    text = _CODE.sub(lambda found: _fenced(found[1], found[2]), f"{text}\n")
    text = _LITERAL.sub(lambda found: _fenced("text", found[1]), text)
    text = _TABLE.sub(_table, text)
    return _NAME.sub(r"`\1`", _CODE_QUOTES.sub("`", text)).rstrip()


def _fenced(language: str, code: str) -> str:
    if language == "text":  # where a literal's quotes would be shown
        code = code.replace("``", "")
    return f"```{language}\n{textwrap.dedent(code).strip()}\n```\n"


def _table(found: re.Match[str]) -> str:
    """Columns are two or more blanks apart."""
    rows = [re.split(r" {2,}", line.strip()) for line in (found[1] + found[2]).splitlines()]
    merged: list[list[str]] = []
    for row in rows:
        if len(row) == 1 and merged:  # a cell's second line
            merged[-1][-1] += f" {row[0]}"
        else:
            merged.append(row)
    head, *body = (f"| {' | '.join(row)} |" for row in merged)
    return "\n".join([head, f"|{'---|' * len(merged[0])}", *body])


class Markdown(griffe.Extension):
    """Before a docstring is parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Every module, class, function and attribute has been read: turn what it says of itself."""
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)
