"""Uses Airflow's metadata database, in the API server and on the command line. A task may not use it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

T = TypeVar("T")

METADATA_DATABASE = "Airflow's metadata database"
"""The name of the database in error messages."""


def use_metadata_database() -> None:
    """Let this command read the metadata database, as the command ``airflow connections test`` does."""
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"


def in_metadata_database(work: Callable[[Session], T]) -> T:
    """Call a function with a session of Airflow's metadata database, and commit what the function changes.

    :param work: the function. It gets the SQLAlchemy session.
    :return: the result of the function.
    :raises RuntimeError: this process may not use the metadata database.
    :raises CallApiTrouble: the metadata database does not answer, or refuses a statement. The message
        contains no phone numbers.
    """
    from airflow.utils.session import create_session  # noqa: PLC0415 - the metadata database is heavy

    from airflow_provider_callapi.databases.retries import mask_errors  # noqa: PLC0415

    def in_session() -> T:
        with create_session() as session:
            return work(session)

    return mask_errors(in_session, METADATA_DATABASE)
