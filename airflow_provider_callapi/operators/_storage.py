"""Open and check the paths of files in Airflow's object storage, before a task sends its first request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.exceptions import CallApiFailure

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

_PASSWORD = re.compile(r"://[^/@:]*:[^@]*@")
"""Matches ``://user:password@`` in a path."""


def open_path(path: str, field: str) -> ObjectStoragePath:
    """Convert a path to an object of Airflow's storage. The file does not have to exist.

    :param field: the operator's parameter that contains the path, for error messages.
    :raises CallApiFailure: Airflow has no storage for the path.
    """
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415 - fsspec is heavy, and DAG files are parsed all day

    try:
        storage_path = ObjectStoragePath(path)
        storage_path.fs  # noqa: B018 - this looks the storage up
    except Exception as error:  # each storage provider raises its own exception classes
        if _PASSWORD.search(path):  # Airflow takes user:password for the id of a connection, and names it
            raise CallApiFailure(
                f"{field}: the path contains a password. Store the password in an Airflow connection, and "
                "write the id of the connection before the @, such as s3://my_conn@bucket/people.csv"
            ) from None
        raise CallApiFailure(f"{field}: {path} cannot be used: {error}") from error
    return storage_path


def prepare_output_path(path: str, field: str) -> ObjectStoragePath:
    """Check the path of a file that the task will write later, and return the path as an object.

    Create the folder of a local path.

    :param field: the operator's parameter that contains the path, for error messages.
    :raises CallApiFailure: the path cannot be used.
    """
    storage_path = open_path(path, field)
    if is_local(storage_path):
        try:
            storage_path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CallApiFailure(f"{field}: {path} cannot be written: {os_reason(error)}") from error
    return storage_path


def os_reason(error: OSError) -> str:
    """Return why the system refuses a file, such as ``No such file or directory``, without the path."""
    return error.strerror or str(error)


def version_of(path: ObjectStoragePath) -> Any:
    """Return a value that changes if the file changes. None: changes cannot be noticed."""
    try:
        return path.checksum()
    except Exception:  # each storage provider raises its own exception classes
        return None  # a read of the file raises an error with the reason


def is_local(path: ObjectStoragePath) -> bool:
    """Return whether a path leads to the disk of this machine."""
    return path.protocol in ("file", "local", "")
