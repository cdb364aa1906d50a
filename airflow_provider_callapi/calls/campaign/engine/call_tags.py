"""Finds the calls of a campaign that lack a tag, and records which tags were set."""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonStage
from airflow_provider_callapi.calls.campaign.engine.tag_plan import TagPlan
from airflow_provider_callapi.calls.campaign.ledger import Attempt


class CallTags:
    """Finds the calls of a campaign that lack a tag, and records which tags were set.

    :param plan: determines which tags each call needs.
    :ivar plan: the same plan.
    """

    def __init__(self, index: PersonIndex, progress: AttemptProgress, plan: TagPlan) -> None:
        self.plan = plan
        self._index = index
        self._progress = progress

    @property
    def has_answered_call_to_tag(self) -> bool:
        """Whether the campaign must still tag an answered call before the call ends.

        If the connection uses the Data API, the value is False, because the campaign then tags each call
        after the call's end.
        """
        return self.plan.tags_active_calls and any(
            state.current_watch.observation.answered_at is not None
            and self.plan.due_on_active(state.current_attempt) is not None
            for state in self._index.in_stage(PersonStage.ACTIVE)
        )

    @property
    def has_finished_call_to_tag(self) -> bool:
        """Whether a finished call lacks a tag."""
        return self._index.count(PersonStage.TAGS_DUE) > 0

    def finished_calls_to_tag(self) -> list[tuple[Attempt, int]]:
        """Return the finished calls that lack a tag, as pairs (attempt, id of the first missing tag)."""
        return [
            (state.current_attempt, state.due_tags[0]) for state in self._index.in_stage(PersonStage.TAGS_DUE)
        ]

    def record(self, attempt: Attempt, tag_id: int, now: float, *, done: bool = True) -> Attempt:
        """Record whether a tag was set on the call of an attempt. Return the attempt to store in the ledger.

        :param tag_id: id of the tag.
        :param now: epoch seconds.
        :param done: True: the tag was set. False: the tag cannot be set, so the campaign does not try again.
        """
        state = self._index[attempt.person]
        if not done:
            self.plan.give_up(state.current_attempt, tag_id)
        call = state.current_call
        return self._progress.tag(state, call.tagged(tag_id) if done else call, now)
