"""Which tags an author wants on a call, by what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_callapi.calls.outcome import Outcome

TagWhen = Literal["answered", "not_answered", "ended"]
TagWishes = Mapping[TagWhen, int]
"""Ids of tags, by when to set them."""


def due_tags(call: Outcome, wishes: TagWishes) -> list[int]:
    """The tags that a finished call still lacks; whether it was answered may not be known."""
    whens: list[TagWhen] = ["ended"]
    if call.answered is not None:
        whens.append("answered" if call.answered else "not_answered")
    return [wishes[when] for when in whens if when in wishes and wishes[when] not in call.tags]
