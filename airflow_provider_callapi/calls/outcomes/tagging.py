"""The tags that a call gets, depending on the call's outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow_provider_callapi.calls.outcomes.outcome import Outcome

TagWhen = Literal["answered", "not_answered", "our_side_did_not_answer", "ended"]
"""The outcome for which a call gets a tag.

``our_side_did_not_answer`` means that no employee or operator was reached, and the contact did not answer.
Without a tag for this outcome, the call gets the tag for ``not_answered``. ``ended`` means every call that
has ended, answered or not.
"""
TagRules = Mapping[TagWhen, int]
"""Outcome → the id of the tag that a call with this outcome gets."""


def due_tags(call: Outcome, tag_rules: TagRules) -> list[int]:
    """Return the ids of the tags that a finished call needs and does not have yet.

    ``tag_rules`` states a tag for some of these cases:

    - ``ended``: every finished call.
    - ``answered``: the contact answered.
    - ``our_side_did_not_answer``: no employee or operator picked up, so the contact could not answer. If
      ``tag_rules`` has no tag for this case, the tag for ``not_answered`` is used.
    - ``not_answered``: the contact did not answer for another reason.

    If it is not known whether the contact answered, the call only needs the tag for ``ended``.
    """
    due: list[TagWhen] = ["ended"]
    if call.missed_our_side and "our_side_did_not_answer" in tag_rules:
        due.append("our_side_did_not_answer")
    elif call.answered is not None:
        due.append("answered" if call.answered else "not_answered")
    return [tag_rules[when] for when in due if when in tag_rules and tag_rules[when] not in call.tags]
