"""Finds out, from snapshots, which active calls of a campaign were answered, have ended or need a tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.engine.tag_plan import TagPlan
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.watching.absence_history import ENDED_AFTER
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, Phase, SessionWatch


@dataclass
class WatchNews:
    """What one snapshot has shown of a campaign's active calls.

    :ivar changed: the attempts whose calls were answered or have ended, to store in the ledger.
    :ivar to_tag: active calls that were answered and need a tag now, as pairs (attempt, tag id).
    :ivar untagged: calls that were answered but ended without their tag, as pairs (attempt, tag id).
    """

    changed: list[Attempt] = field(default_factory=list)
    to_tag: list[tuple[Attempt, int]] = field(default_factory=list)
    untagged: list[tuple[Attempt, int]] = field(default_factory=list)


class WatchedCalls:
    """Watches the active calls of a campaign: each snapshot shows which calls were answered or have ended.

    :ivar returned: how many calls the newest snapshot shows although an earlier snapshot seemed to prove
        their end. These calls are active.
    """

    def __init__(self, index: PersonIndex, progress: AttemptProgress, tag_plan: TagPlan) -> None:
        self._index = index
        self._progress = progress
        self._tag_plan = tag_plan
        self.returned = 0
        self._ended: dict[int, tuple[float, float]] = {}
        """Session id of a call that seems to have ended → (when it ended or was last listed, its deadline).

        Both are epoch seconds.
        """

    def update(self, snapshot: Snapshot) -> WatchNews:
        """Find out from a snapshot which active calls were answered, have ended, or need a tag.

        :param snapshot: the active calls, from a successful poll.
        :return: what the snapshot has shown: the attempts to store in the ledger, and the calls to tag.
        """
        news = WatchNews()
        for state in self._index.in_stage(PersonStage.ACTIVE):
            watch = state.current_watch
            if watch.update(snapshot) in FINAL_PHASES:
                self._end(state, watch, snapshot.at, news)
            elif watch.observation.answered_at is not None:
                self._answer(state, watch, news)
        self._count_returned(snapshot)
        return news

    def _count_returned(self, snapshot: Snapshot) -> None:
        for call_session_id, (since, deadline) in list(self._ended.items()):
            if call_session_id in snapshot.sessions and snapshot.at < deadline:
                self._ended[call_session_id] = snapshot.at, deadline
            elif snapshot.at - since >= ENDED_AFTER or snapshot.at >= deadline:
                del self._ended[call_session_id]
        self.returned = len(self._ended.keys() & snapshot.sessions.keys())

    def _end(self, state: PersonState, watch: SessionWatch, now: float, news: WatchNews) -> None:
        call = watch.extend_outcome(state.current_call)
        tag_id = self._tag_plan.due_on_active(state.current_attempt.with_call(call))
        if watch.phase is not Phase.TIMED_OUT:
            self._ended[call.call_session_id] = now, watch.deadline
        ended = self._progress.end(state, call, now)
        news.changed.append(ended)
        if call.answered and tag_id is not None:
            news.untagged.append((ended, tag_id))

    def _answer(self, state: PersonState, watch: SessionWatch, news: WatchNews) -> None:
        if not state.current_call.answered:
            state.update(state.current_attempt.with_call(watch.extend_outcome(state.current_call)))
            news.changed.append(state.current_attempt)
        if (tag_id := self._tag_plan.due_on_active(state.current_attempt)) is not None:
            news.to_tag.append((state.current_attempt, tag_id))

    def by_session(self) -> dict[int, SessionWatch]:
        """Return a dict: call session id of each active call → the `SessionWatch` that watches the call."""
        # A signal that kills the task may come just before a person in this stage gets the watch.
        watches = [state.watch for state in self._index.in_stage(PersonStage.ACTIVE)]
        return {watch.call_session_id: watch for watch in watches if watch is not None}

    def update_observations(self, observations: Mapping[int, Observation]) -> None:
        """Replace the observations of active calls by newer observations.

        An Airflow trigger has made the newer observations while the task was deferred.

        :param observations: call session id → observation. Ids of calls that are not active are ignored.
        """
        watches = self.by_session()
        for session_id in observations.keys() & watches.keys():
            watches[session_id].observation = observations[session_id]
