"""Read the operators' parameter ``tags``: event of a call → id of the tag that the call then gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_callapi.api.values.object_ids import ID_RANGE, read_object_id
from airflow_provider_callapi.api.values.value_parts import check_keys
from airflow_provider_callapi.calls.outcomes.tagging import TagRules, TagWhen
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kind import Kind, read_mapping

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_TAG = Kind(f"the id of a tag ({ID_RANGE}; `airflow callapi tags` lists the ids)", read_object_id)


def _read_tags(value: Any) -> TagRules:
    tags = {} if value is None else read_mapping(value)
    check_keys(tags, known=get_args(TagWhen))
    return {when: _TAG.read_named(when, tag_id) for when, tag_id in tags.items() if tag_id is not None}


TAGS = Kind("a dict", _read_tags)
"""The kind of the parameter ``tags``. It converts None to a dict without entries."""


def check_tag_rules(tag_rules: TagRules, hook: CallApiHook) -> None:
    """Check that the connection of a hook can set the tags of an operator.

    :param tag_rules: the parameter ``tags``, as `TAGS` converts it.
    :raises InvalidParameter: an entry needs the Data API.
    """
    if not hook.has_data_api and (finished := tag_rules.keys() - {"answered"}):
        raise InvalidParameter(
            f"tags.{min(finished)}: a finished call can only be tagged through the Data API; set "
            f"extra.data_api of connection {hook.callapi_conn_id} to true"
        )
