"""Paths in Airflow's object storage."""

from __future__ import annotations

import traceback

import pytest

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._storage import (
    open_path,
    prepare_output_path,
    refuse_files_of_others,
)
from airflow_provider_callapi.task_context.mapped_task import MappedTask


@pytest.mark.parametrize("open_it", [open_path, prepare_output_path])
@pytest.mark.parametrize("scheme", ["s3", "sftp", "https", "file+unknown"])
@pytest.mark.parametrize("user", ["user:pa55word", ":pa55word", "user:pa/55word", "user:1234/pa55word"])
def test_an_error_about_a_path_with_a_password_names_the_parameter_but_not_the_password(
    open_it, scheme, user
) -> None:
    with pytest.raises(CallApiFailure, match="results: the path contains a password") as failure:
        open_it(f"{scheme}://{user}@host/people.csv", "results")

    assert "55word" not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize("path", ["unknown://my_conn@host/people.csv", "unknown://host:22/people.csv"])
def test_an_error_about_a_path_without_a_password_shows_the_path(path) -> None:
    with pytest.raises(CallApiFailure, match=f"contacts: {path} cannot be used"):
        open_path(path, "contacts")


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
