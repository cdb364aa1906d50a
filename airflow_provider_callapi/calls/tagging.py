"""Which tags an author wants on a call, by what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_callapi.calls.outcome import Outcome

TagWhen = Literal["answered", "not_answered", "ended"]
TagRules = Mapping[TagWhen, int]
"""Ids of tags, by when to set them."""


def due_tags(call: Outcome, tag_rules: TagRules) -> list[int]:
    """The tags that a finished call still lacks; whether it was answered may not be known."""
    whens: list[TagWhen] = ["ended"]
    if call.answered is not None:
        whens.append("answered" if call.answered else "not_answered")
    return [tag_rules[when] for when in whens if when in tag_rules and tag_rules[when] not in call.tags]
