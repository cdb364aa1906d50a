"""The tags that an author wants on a call, by the call's outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_callapi.calls.outcome import Outcome

TagWhen = Literal["answered", "not_answered", "ended"]
"""The outcome that a tag is for. ``ended`` is for every call that has ended."""
TagRules = Mapping[TagWhen, int]
"""The id of the tag for each outcome that the author named."""


def due_tags(call: Outcome, tag_rules: TagRules) -> list[int]:
    """Return the ids of the tags that a finished call should have and does not have yet.

    A call without a known answer gets neither the ``answered`` nor the ``not_answered`` tag.
    """
    due: list[TagWhen] = ["ended"]
    if call.answered is not None:
        due.append("answered" if call.answered else "not_answered")
    return [tag_rules[when] for when in due if when in tag_rules and tag_rules[when] not in call.tags]
