"""The address of Airflow's API server, as far as it concerns the page *Calls*."""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf


def root_path() -> str:
    """Return the path in the URL of Airflow's API server, such as ``/airflow``, or ``""`` for no path."""
    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
