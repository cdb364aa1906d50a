"""Checks that the map indexes of a mapped campaign call each shard of their list once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.shard import refuse_incomplete
from airflow_provider_callapi.operators._mapped_data import resolve_values
from airflow_provider_callapi.parameters.templates import is_template

_LIST = ("contacts", "campaign")
"""The parameters that distinguish the lists of the map indexes. Each list has shards of its own."""


def refuse_incomplete_shards(expanded: Mapping[str, Any] | Sequence[Any], context: Mapping[str, Any]) -> None:
    """Check that the map indexes with one contact list have the shards ``1/n``, ``2/n``, …, ``n/n``.

    If a shard is a template, the values of the other map indexes are not known, and nothing is checked.

    :param expanded: what the operator is mapped over, see `MappedDataIsNoTemplate.expanded`.
    :param context: Airflow's context of the running task.
    :raises ValueError: a shard is missing or repeated, or the shards have different counts.
    """
    for shards in _shards_of_lists(expanded, context):
        if not any(map(is_template, shards)):
            refuse_incomplete(shards)


def _shards_of_lists(
    expanded: Mapping[str, Any] | Sequence[Any], context: Mapping[str, Any]
) -> list[list[Any]]:
    """Return the shards of the map indexes that call one list, for each list. Empty: no shard is mapped."""
    if isinstance(expanded, Mapping):  # Airflow combines each shard with each list
        return [[*resolve_values(expanded["shard"], context)]] if "shard" in expanded else []
    # A row in the DAG file may be the output of a task.
    rows = [row if isinstance(row, Mapping) else row.resolve(context) for row in expanded]
    shards: dict[str, list[Any]] = {}
    for row in rows:
        shards.setdefault(repr([row.get(name) for name in _LIST]), []).append(row.get("shard"))
    return [of_list for of_list in shards.values() if any(of_list)]
