"""The types of a campaign's files. The suffix of a path shows the type."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from airflow_provider_callapi.exceptions import InvalidParameter

CSV = (".csv", ".tsv", ".txt")
JSON_LINES = (".jsonl", ".ndjson", ".json")
XLSX = ".xlsx"
_LIST = (*CSV, XLSX, *JSON_LINES)
_TYPES = {
    "contacts": _LIST,
    "do_not_call": _LIST,
    "results": (".csv", *JSON_LINES),
    "report": (".html", ".htm"),
}
"""Parameter of the campaign operator → the suffixes that the path of its file may have."""


def suffix_of(path: str) -> str:
    """Return the suffix of a path in lower case, such as ``.csv``."""
    return PurePosixPath(path).suffix.lower()


def check_type(parameter: str, value: Any) -> None:
    """Check the suffix of the path in a campaign's parameter. A value that is no text is no path.

    :param parameter: ``contacts``, ``do_not_call``, ``results`` or ``report``.
    :raises InvalidParameter: the parameter allows no file with this suffix. The error does not contain the
        text, because it may be the list itself, with phone numbers.
    """
    types = _TYPES[parameter]
    if not isinstance(value, str) or suffix_of(value) in types:
        return
    if types is _LIST and value.lstrip()[:1] in ("[", "{"):
        raise InvalidParameter(
            f"{parameter}: the list is written as text; pass the list itself, e.g. the output of a task"
        )
    raise InvalidParameter(f"{parameter}: the path of a file is needed, {' or '.join(types)}")
