"""Reads the operators' parameter ``tags``: event of a call → id of the tag that the call then gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from airflow_provider_callapi.calls.tagging import TagRules, TagWhen
from airflow_provider_callapi.exceptions import CallApiFailure


def read_tag_rules(tags: Mapping[Any, Any] | None, *, has_data_api: bool, callapi_conn_id: str) -> TagRules:
    """Check the parameter ``tags`` of an operator.

    Return event → id of the tag that a call gets at the event.

    :param tags: the parameter, e.g. ``{"answered": 36, "ended": "38"}``. None instead of an id: the event
        sets no tag.
    :raises CallApiFailure: an entry cannot be used; no one was dialled. The text names the entry.
    """
    rules: dict[TagWhen, int] = {}
    if not isinstance(tags or {}, Mapping):
        raise CallApiFailure(f"tags: a dict of {get_args(TagWhen)} is needed. Nothing was sent.")
    for when, tag_id in (tags or {}).items():
        if when not in get_args(TagWhen):
            raise CallApiFailure(f"tags: {when!r} is not one of {get_args(TagWhen)}. Nothing was sent.")
        if tag_id is None:
            continue
        try:
            rules[when] = int(str(tag_id))
        except ValueError:
            raise CallApiFailure(f"tags.{when}: the id of a tag is needed. Nothing was sent.") from None
    if not has_data_api and (finished := rules.keys() - {"answered"}):
        raise CallApiFailure(
            f"tags.{min(finished)}: a finished call can only be tagged through the Data API; set "
            f"extra.data_api of connection {callapi_conn_id} to true. Nothing was sent."
        )
    return rules
