"""Write rows to a file as JSON Lines, CSV or Parquet. The file appears only when it contains all rows."""

from __future__ import annotations

import csv
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self

from airflow_provider_callapi.calls.reports.csv_cell import csv_cell
from airflow_provider_callapi.calls.reports.report_fields import FieldKind, kind_of_field
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._storage import is_local, prepare_output_path

Rows = Sequence[Mapping[str, Any]]


class _Writer(Protocol):
    def write(self, rows: Rows) -> None:
        """Add rows to the file."""

    def close(self) -> None:
        """Write the end of the file, and close the file. The file is complete only after this method."""


class ReportFile:
    """A file of calls as JSON Lines, CSV or Parquet. The file appears only when `publish` is called."""

    def __init__(self, path: str, columns: Sequence[str]) -> None:
        self._path = prepare_output_path(path, "to")
        # Until `publish`, the rows are in a file of another name. If the task fails before, an older file at
        # the path therefore stays unchanged.
        name = f".{self._path.name}.{uuid.uuid4().hex}.partial"
        folder = self._path.parent.path if is_local(self._path) else tempfile.gettempdir()
        self._partial = Path(folder, name)
        try:
            with self._translate(OSError):
                self._writer = _open_writer(self._partial, self._path.suffix.lower(), columns)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    def write(self, rows: Rows) -> None:
        """Add rows to the temporary file on the worker's disk.

        :raises CallApiTrouble: the disk does not accept the rows, e.g. because it is full.
        """
        with self._translate(OSError):
            self._writer.write(rows)

    def publish(self) -> None:
        """Finish the temporary file, and move or upload it to its path.

        :raises CallApiTrouble: the storage does not accept the file.
        """
        with self._translate(Exception):  # each storage provider raises its own exception classes
            self._writer.close()
            if is_local(self._path):
                self._partial.replace(self._path.path)
            else:
                self._path.fs.put_file(str(self._partial), self._path.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            with self._translate(OSError):
                self._writer.close()
        finally:  # a full disk must not keep what was written
            self._partial.unlink(missing_ok=True)

    @contextmanager
    def _translate(self, kind: type[Exception]) -> Iterator[None]:
        try:
            yield
        except kind as error:
            raise CallApiTrouble(
                f"to: {self._path} could not be written: {type(error).__name__}: {error}"
            ) from error


def _open_writer(file: Path, suffix: str, columns: Sequence[str]) -> _Writer:
    if suffix == ".parquet":
        return _Parquet(file, columns)
    return _Csv(file, columns) if suffix == ".csv" else _JsonLines(file)


class _JsonLines:
    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8", newline="\n")

    def write(self, rows: Rows) -> None:
        self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def close(self) -> None:
        self._file.close()


class _Csv:
    """Writes CSV in UTF-8 with the line ends of RFC 4180 (CR LF). A list in a cell is JSON text."""

    def __init__(self, file: Path, columns: Sequence[str]) -> None:
        self._file = file.open("w", encoding="utf-8", newline="")
        self._columns = columns
        self._writer = csv.writer(self._file)
        self._writer.writerow(columns)

    def write(self, rows: Rows) -> None:
        self._writer.writerows([csv_cell(row[name]) for name in self._columns] for row in rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Writes Parquet with one row group for each `write`. Times are UTC timestamps. Lists are JSON text."""

    def __init__(self, file: Path, columns: Sequence[str]) -> None:
        try:
            import pyarrow  # noqa: PLC0415 - an extra of this package
            from pyarrow import parquet  # noqa: PLC0415 - an extra of this package
        except ImportError:
            raise CallApiFailure(
                "to: a .parquet file needs pyarrow: install airflow-provider-callapi[parquet], or "
                "write a .jsonl or .csv file"
            ) from None
        types = {
            FieldKind.INTEGER: pyarrow.int64(),
            FieldKind.MOMENT: pyarrow.timestamp("us", tz="UTC"),
            FieldKind.FLAG: pyarrow.bool_(),
            FieldKind.TEXT: pyarrow.string(),
            FieldKind.JSON: pyarrow.string(),
        }
        self._make_table = pyarrow.Table.from_pylist
        self._schema = pyarrow.schema([(name, types[kind_of_field(name)]) for name in columns])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, rows: Rows) -> None:
        values = [{name: _parquet_value(name, value) for name, value in row.items()} for row in rows]
        self._writer.write_table(self._make_table(values, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _parquet_value(name: str, value: Any) -> Any:
    kind = kind_of_field(name)
    if value is not None and kind is FieldKind.MOMENT:
        return datetime.fromisoformat(value)
    if value is not None and kind is FieldKind.JSON:
        return json.dumps(value, ensure_ascii=False)
    return value
