"""Add the result of a task to the events of the assets in its ``outlets``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Asset


def add_to_outlet_events(
    context: Mapping[str, Any], outlets: Iterable[Any], extra: Mapping[str, Any]
) -> None:
    """Add values to the ``extra`` of the asset event of each outlet of a task.

    A DAG that the asset event starts can read the values.

    :param context: Airflow's context of the running task.
    :param outlets: the task's outlets. Outlets that are not assets are ignored.
    :param extra: the values, as plain JSON, e.g. ``{"callapi_campaign": {"people": 120, …}}``.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(extra)
