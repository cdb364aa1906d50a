"""Read the operators' parameter ``tags``: event of a call → id of the tag that the call then gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_callapi.api.values.object_ids import ID_RANGE, read_object_id
from airflow_provider_callapi.calls.outcomes.tagging import TagRules, TagWhen
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kind import Kind
from airflow_provider_callapi.parameters.kinds import MAPPING
from airflow_provider_callapi.parameters.schema import read_parameter

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_TAG = Kind(f"the id of a tag ({ID_RANGE}; `airflow callapi tags` lists the ids)", read_object_id)


def check_tag_rules(tag_rules: TagRules, hook: CallApiHook) -> None:
    """Check that the connection of a hook can set the tags of an operator.

    :param tag_rules: the parameter ``tags``, as `read_tags` returns it.
    :raises InvalidParameter: an entry needs the Data API.
    """
    if not hook.has_data_api and (finished := tag_rules.keys() - {"answered"}):
        raise InvalidParameter(
            f"tags.{min(finished)}: a finished call can only be tagged through the Data API; set "
            f"extra.data_api of connection {hook.callapi_conn_id} to true"
        )


def read_tags(tags: Any) -> TagRules:
    """Return the parameter ``tags`` as event → tag id, e.g. ``{"answered": 36}``.

    :raises InvalidParameter: an entry cannot be used.
    """
    if tags is None:
        return {}
    rules: dict[TagWhen, int] = {}
    for when, tag_id in read_parameter("tags", tags, MAPPING).items():
        if when not in get_args(TagWhen):
            raise InvalidParameter(f"tags: only the events {', '.join(get_args(TagWhen))} are allowed")
        if tag_id is not None:
            rules[when] = read_parameter(f"tags.{when}", tag_id, _TAG)
    return rules
