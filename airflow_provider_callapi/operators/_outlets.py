"""Add the result of a task to the events of the assets in its ``outlets``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Asset


def add_to_outlet_events(
    context: Mapping[str, Any], outlets: Iterable[Any], extra: Mapping[str, Any]
) -> None:
    """Add JSON values to the ``extra`` of the asset event of each outlet of a task.

    A DAG that the asset event starts can read the values.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(extra)
