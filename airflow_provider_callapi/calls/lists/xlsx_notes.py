"""Refuses an Excel workbook in which a note of a cell forbids calls. Such a note belongs to no column."""

from __future__ import annotations

from typing import IO, BinaryIO
from xml.etree.ElementTree import iterparse
from zipfile import ZipFile

from airflow_provider_callapi.calls.lists.objections import has_ban_tag, is_objection
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_TEXTS = ("}t", "}text")
"""The ends of the names of the XML elements with the text of a note, and of a comment in newer versions."""


def refuse_forbidding_notes(file: BinaryIO) -> None:
    """Raise an error if a note of a cell forbids calls, such as ``не звонить``.

    :param file: the ``.xlsx`` file, opened in binary mode. openpyxl has already read it.
    :raises ListUnreadable: there is such a note. The error message names its cell.
    """
    with ZipFile(file) as parts:
        for name in parts.namelist():
            if "comment" not in name.lower() or not name.endswith(".xml"):
                continue
            with parts.open(name) as part:
                _refuse_in(part)


def _refuse_in(part: IO[bytes]) -> None:
    texts: list[str] = []
    for _, element in iterparse(part):  # noqa: S314 - openpyxl has already parsed the workbook
        if element.tag.endswith(_TEXTS):
            texts.append(element.text or "")
        elif "ref" in element.attrib:
            text = "".join(texts).strip()
            texts = []
            own = text.partition("\n")[2].strip() or text  # Excel writes the author in the first line
            if any(is_objection("", each) or has_ban_tag(each) for each in (text, own)):
                raise ListUnreadable(
                    f"the note of the cell {element.attrib['ref']} seems to forbid the call. Put such people "
                    "into do_not_call, and delete the note"
                )
