"""No two map indexes of a mapped task write one file."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._mapped_files import refuse_files_of_others
from airflow_provider_callapi.task_context.mapped_task import MappedTask


class MapIndex:
    """The task instance of one map index. All map indexes share their XComs."""

    task_id = "report"

    def __init__(self, map_index: int, xcoms: dict[int, object]) -> None:
        self.map_index, self.xcoms = map_index, xcoms

    def xcom_push(self, *, key: str, value: object) -> None:
        self.xcoms[self.map_index] = value

    def xcom_pull(self, *, task_ids: str, key: str) -> list[object]:
        return list(self.xcoms.values())


def test_a_map_index_goes_on_in_a_retry_after_another_one_with_its_file_was_refused() -> None:
    xcoms: dict[int, object] = {}
    first, second = (MappedTask.of({"ti": MapIndex(index, xcoms)}) for index in range(2))
    refuse_files_of_others(first, ["calls.csv"])

    with pytest.raises(CallApiFailure, match="Map index 0 of this task writes the same file"):
        refuse_files_of_others(second, ["other.csv", "calls.csv"])

    refuse_files_of_others(first, ["calls.csv"])
    assert "calls" not in str(xcoms)
