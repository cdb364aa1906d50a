"""Add what a task has found out to the events of its outlet assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Asset


def add_to_outlet_events(
    context: Mapping[str, Any], outlets: Iterable[Any], extra: Mapping[str, Any]
) -> None:
    """Add values to the ``extra`` of the event of each outlet asset. A DAG that the asset starts reads them.

    :param outlets: the task's outlets. Outlets that are no assets are ignored.
    :param extra: plain JSON.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(extra)
