"""Sets the tags on a campaign's calls.

Each step of a campaign sets only a few tags on finished calls. So the tags do not delay polls and calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.calls.campaign.engine.call_tags import CallTags
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, retry_seconds
from airflow_provider_callapi.calls.campaign.ledger import Attempt

_TAGS_PER_STEP = 5
_RETRY_SECONDS = 60.0
_PATIENCE = 3600.0
"""After a failure, the campaign tries to set a tag again until this many seconds after the call's result."""


class TagSetter:
    """Sets tags on a campaign's active and finished calls, and logs which calls do not get their tags.

    :ivar next_at: epoch seconds. Before this time, `tag_finished` does nothing.
    """

    def __init__(self, tags: CallTags, gateway: CampaignGateway) -> None:
        self._tags = tags
        self._gateway = gateway
        self._failures: Counter[tuple[str, int]] = Counter()
        self.next_at = 0.0

    def tag_finished(self, now: float) -> list[Attempt]:
        """Set at most five missing tags on finished calls. Return the changed attempts, for the ledger.

        The limit of five keeps the step short, because the campaign does not dial while it sets tags. Tags
        that could not be set in an earlier step come last, so that they do not delay the other tags.

        :param now: epoch seconds.
        """
        changed: list[Attempt] = []
        if now < self.next_at:
            return changed
        due = sorted(self._tags.finished_calls_to_tag(), key=lambda tag: self._failures[_tag_key(*tag)])
        for attempt, tag_id in due[:_TAGS_PER_STEP]:
            error = self._try_to_tag(attempt, tag_id)
            if error is not None and self._is_worth_a_retry(error, attempt, now):
                self._failures[_tag_key(attempt, tag_id)] += not isinstance(error, LimitExceeded)
                self.next_at = now + retry_seconds(error, _RETRY_SECONDS)
                break
            if error is not None:
                self._log_untagged(attempt, tag_id, error)
            changed.append(self._tags.record(attempt, tag_id, now, done=error is None))
        return changed

    def _try_to_tag(self, attempt: Attempt, tag_id: int) -> CallApiError | None:
        assert attempt.call is not None
        assert attempt.call.communication_id is not None
        try:
            self._gateway.tag_finished(attempt.call.communication_id, tag_id)
        except CallApiError as error:
            return error
        return None

    def _is_worth_a_retry(self, error: CallApiError, attempt: Attempt, now: float) -> bool:
        in_time = now < (attempt.result_known_at or now) + _PATIENCE
        return in_time and (isinstance(error, LimitExceeded) or not error.permanent)

    def tag_active(self, attempt: Attempt, tag_id: int) -> list[Attempt]:
        """Set a tag on an active call.

        If the service refuses the request for lack of points (rate-limit units), the campaign tries again
        after its next snapshot. After any other error, the campaign does not try again.

        :return: the changed attempt in a list, to store in the ledger. The list is empty if the tag was not
            set.
        """
        assert attempt.call is not None
        try:
            self._gateway.tag_active(attempt.call.call_session_id, tag_id)
        except LimitExceeded:
            return []
        except CallApiError as error:
            self._log_untagged(attempt, tag_id, error)
            self._tags.record(attempt, tag_id, self._gateway.clock(), done=False)
            return []
        return [self._tags.record(attempt, tag_id, self._gateway.clock())]

    def log_missed(self, untagged: Iterable[tuple[Attempt, int]]) -> None:
        """Write to the log which answered calls ended before they were tagged.

        :param untagged: pairs (attempt, tag id).
        """
        for attempt, tag_id in untagged:
            self._log_untagged(attempt, tag_id, "the call ended before it was tagged")

    def log_lost(self, reported: Iterable[Attempt]) -> None:
        """Write to the log which finished calls cannot get a tag, because no report shows their id.

        :param reported: the attempts whose result has just become known. Some of their calls may have no
            report.
        """
        for attempt in reported:
            for tag_id in self._tags.plan.lost_on_finished(attempt):
                self._log_untagged(attempt, tag_id, "the Data API has not reported its communication_id")

    def _log_untagged(self, attempt: Attempt, tag_id: int, why: object) -> None:
        assert attempt.call is not None
        self._gateway.log(f"Call session {attempt.call.call_session_id} stays without tag {tag_id}: {why}")


def _tag_key(attempt: Attempt, tag_id: int) -> tuple[str, int]:
    return attempt.external_id, tag_id
