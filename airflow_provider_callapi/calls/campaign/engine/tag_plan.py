"""Determines which tags a campaign must still set on its calls, for example a tag for answered calls."""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.tagging import due_tags


class TagPlan:
    """Determines which tags a campaign must still set on a call.

    `Rules.tags` defines a tag for some outcomes, such as a tag for answered calls. The plan leaves out a
    tag that the call already has, and a tag that cannot be set (see `give_up`).
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._impossible: set[tuple[str, int]] = set()

    @property
    def tags_active_calls(self) -> bool:
        """Whether the campaign tags an answered call while the call is active.

        True: the author has set a tag for answered calls, and there is no Data API. With the Data API, the
        campaign tags calls after their end.
        """
        return not self._rules.has_data_api and "answered" in self._rules.tags

    def due_on_active(self, attempt: Attempt) -> int | None:
        """Return the id of the tag to set on an answered call while the call is active.

        :param attempt: an attempt with an active call.
        :return: the id. None: set no tag while the call is active, for example because the call has the tag
            already.
        """
        tag_id = self._rules.tags.get("answered") if self.tags_active_calls else None
        if tag_id is None or attempt.call is None or tag_id in attempt.call.tags:
            return None
        return None if self._is_impossible(attempt, tag_id) else tag_id

    def due_on_finished(self, attempt: Attempt) -> tuple[int, ...]:
        """Return the ids of the tags to set on a finished call.

        Tags that cannot be set, see `give_up`, are left out.
        """
        call = attempt.call
        if call is None or call.communication_id is None:
            return ()
        wanted = due_tags(call, self._rules.tags)
        return tuple(tag_id for tag_id in wanted if not self._is_impossible(attempt, tag_id))

    def lost_on_finished(self, attempt: Attempt) -> list[int]:
        """Return the ids of the tags that the finished call of an attempt should have and will never get.

        The Data API can tag a finished call only if it has reported the call's ``communication_id``. A
        campaign without a Data API does not plan any tags for finished calls: the list is then empty.
        """
        call = attempt.call
        if not self._rules.has_data_api or call is None or call.communication_id is not None:
            return []
        return due_tags(call, self._rules.tags)

    def give_up(self, attempt: Attempt, tag_id: int) -> None:
        """Record that a tag cannot be set on the call of an attempt. The campaign does not try again."""
        self._impossible.add((attempt.external_id, tag_id))

    def _is_impossible(self, attempt: Attempt, tag_id: int) -> bool:
        return (attempt.external_id, tag_id) in self._impossible
