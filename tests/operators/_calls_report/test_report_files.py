"""Files of calls: each form with the same rows, on a disk and in a store, whole or not there."""

from __future__ import annotations

import csv
import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._calls_report.report_files import ReportFile

COLUMNS = ["id", "start_time", "is_lost", "search_query", "tags"]
ROWS: list[dict[str, Any]] = [
    {
        "id": 2**62,
        "start_time": "2026-03-02T09:00:00Z",
        "is_lost": True,
        "search_query": "=окна; «пластик»\n",
        "tags": [{"tag_id": 36, "tag_name": "Дозвон"}],
    },
    {"id": 2, "start_time": "2026-03-02T09:00:01Z", "is_lost": None, "search_query": None, "tags": []},
]


def write(path: str, portions: list[list[dict[str, Any]]]) -> None:
    with ReportFile(path, COLUMNS) as file:
        for rows in portions:
            file.write(rows)
        file.publish()


@pytest.fixture(params=["disk", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder on the disk, or in an object store."""
    if request.param == "disk":
        yield str(tmp_path)
    else:
        store = MemoryFileSystem()
        attach("memory", fs=store)
        yield "memory://bucket"
        store.store.clear()


def content(path: str) -> bytes:
    data: bytes = ObjectStoragePath(path).read_bytes()
    return data


def test_json_lines_contain_the_rows_unchanged(folder):
    write(f"{folder}/calls.jsonl", [ROWS[:1], ROWS[1:]])

    assert [json.loads(line) for line in content(f"{folder}/calls.jsonl").decode().splitlines()] == ROWS


def test_a_csv_file_has_a_heading_json_lists_and_no_formulas(folder):
    write(f"{folder}/calls.csv", [ROWS])

    heading, first, second = csv.reader(content(f"{folder}/calls.csv").decode().splitlines(keepends=True))
    assert heading == COLUMNS
    assert first[:4] == [str(2**62), "2026-03-02T09:00:00Z", "true", "'=окна; «пластик»\n"]
    assert json.loads(first[4]) == ROWS[0]["tags"]
    assert second == ["2", "2026-03-02T09:00:01Z", "", "", "[]"]


def test_parquet_has_typed_columns_and_times_in_utc(folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(f"{folder}/calls.parquet", [ROWS[:1], ROWS[1:]])

    copy = tmp_path / "copy.parquet"
    copy.write_bytes(content(f"{folder}/calls.parquet"))
    table = parquet.read_table(copy)
    assert [str(column.type) for column in table.schema] == [
        "int64",
        "timestamp[us, tz=UTC]",
        "bool",
        "string",
        "string",
    ]
    first, second = table.to_pylist()
    assert (first["id"], first["is_lost"], second["is_lost"]) == (2**62, True, None)
    assert first["start_time"] == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert json.loads(first["tags"]) == ROWS[0]["tags"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_report_without_rows_still_writes_a_file(folder, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    write(f"{folder}/empty.{suffix}", [])

    assert ObjectStoragePath(f"{folder}/empty.{suffix}").exists()


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_task_that_fails_between_two_portions_leaves_no_file(folder, suffix, tmp_path):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = f"{folder}/calls.{suffix}"

    with suppress(RuntimeError), ReportFile(path, COLUMNS) as file:
        file.write(ROWS)
        raise RuntimeError

    assert not ObjectStoragePath(path).exists()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a number of bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("rows", [0, 2, 2000])
@pytest.mark.parametrize("size", [0, 2000])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_full_disk_keeps_no_part_of_a_file_and_is_a_transient_error(suffix, size, rows, tmp_path):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    many = [{**ROWS[1], "id": number} for number in range(rows)]
    error = None

    with full_disk(size):
        try:
            write(f"{tmp_path}/calls.{suffix}", [many])
        except CallApiTrouble as trouble:
            error = str(trouble)

    assert [file.name for file in tmp_path.iterdir()] == ([] if error else [f"calls.{suffix}"])
    assert error is None or f"to: {tmp_path}/calls.{suffix} could not be written: " in error.replace(
        "file://", ""
    )
    assert error or rows < 2000


def test_a_storage_that_cannot_write_the_file_is_a_transient_error(monkeypatch):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(MemoryFileSystem, "put_file", fail)
    attach("memory", fs=MemoryFileSystem())

    with pytest.raises(CallApiTrouble, match=r"to: memory:.*a\.csv could not be written: OSError"):
        write("memory://bucket/a.csv", [ROWS])


def test_a_path_that_cannot_be_used_is_refused():
    with pytest.raises(CallApiFailure, match="to: nowhere://a"):
        ReportFile("nowhere://a/b.csv", COLUMNS)


def test_the_error_about_parquet_without_pyarrow_names_the_package_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(CallApiFailure, match=r"to: a \.parquet file needs pyarrow: install .*\[parquet\]"):
        ReportFile(str(tmp_path / "a.parquet"), COLUMNS)
    assert list(tmp_path.iterdir()) == []
