"""Lets an ``airflow callapi`` command read connections from Airflow's metadata database."""

from __future__ import annotations

import os


def use_metadata_database() -> None:
    """Let this process read the metadata database, as the command ``airflow connections test`` does."""
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
