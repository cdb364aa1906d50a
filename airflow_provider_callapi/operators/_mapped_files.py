"""Prevents that two map indexes of a mapped task write one file, through XCom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.task_context.mapped_task import MappedTask

_KEY = "callapi_files"
"""The key of the XCom with which a map index publishes which files it writes."""


def refuse_files_of_others(mapped: MappedTask | None, paths: Iterable[str]) -> None:
    """Check that a map index of a mapped task does not write the same file as another map index.

    The function stores the paths of this map index where the other map indexes find them. It stores them as
    hashes, because a path may contain names of customers.

    :param mapped: the mapped task. None: the task is not mapped.
    :param paths: the paths of the files that this map index will write.
    :raises CallApiFailure: another map index writes one of the files.
    """
    own = [hashlib.sha256(path.encode(errors="replace")).hexdigest()[:32] for path in paths]
    if mapped is None or not own:
        return
    mapped.publish(_KEY, {"map_index": mapped.map_index, "files": own})
    for entry in mapped.published(_KEY):
        if entry["map_index"] != mapped.map_index and not set(own).isdisjoint(entry["files"]):
            # A retry of the other map index must go on: only this one writes nothing.
            mapped.publish(_KEY, {"map_index": mapped.map_index, "files": []})
            raise CallApiFailure(
                f"Map index {entry['map_index']} of this task writes the same file, and one of the two would "
                "overwrite it. Insert {{ ti.map_index }} into the path"
            )
