"""Proves that lost calls of a campaign were never placed, so that these people can be dialled.

A call is lost if its start request got no answer. With ``absence_proven_after``, the campaign searches for a
lost call until its intent is that old. Then one report of the Data API decides about all these calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, retry_seconds
from airflow_provider_callapi.calls.campaign.lost_call_search import LostCallSearch, owner_of
from airflow_provider_callapi.calls.campaign.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.person_state import PersonState

_DAY = 86_400.0
_PATIENCE = 3600.0
"""For this many seconds longer, the campaign tries to get a complete report before it gives up the search."""


@dataclass(frozen=True)
class AbsenceVerdict:
    """What is known of the lost calls whose search time is over. Each person is named by the ledger key.

    :ivar given_up: the people whose lost call no service shows, although the call may have been placed.
    :ivar absent: the people whose lost call was never placed.
    """

    given_up: Collection[str] = ()
    absent: Collection[str] = ()


class AbsenceProof:
    """Decides about lost calls that no snapshot shows after their search time.

    :param enabled: whether the campaign has ``absence_proven_after`` and the Data API.
    :param interval: seconds between two requests to the Data API.
    """

    def __init__(
        self,
        index: PersonIndex,
        lost_calls: LostCallSearch,
        gateway: CampaignGateway,
        *,
        enabled: bool,
        interval: float,
    ) -> None:
        self._index = index
        self._lost_calls = lost_calls
        self._gateway = gateway
        self._fetch = gateway.reported_calls if enabled else None
        self._interval = interval
        self._next_at = 0.0

    def judge(self, people: Sequence[str], now: float) -> AbsenceVerdict:
        """Return which of these people were never called. One request decides about all of them.

        A person who is in neither list of the verdict is still searched for.

        :param people: the keys of people whose lost call no snapshot shows after the search time.
        :param now: epoch seconds.
        """
        if self._fetch is None or not people:
            return AbsenceVerdict(given_up=people)
        states = [self._index[key] for key in people]
        late = [state.person.key for state in states if now >= _search_end(state) + _PATIENCE]
        if now < self._next_at:
            return AbsenceVerdict(given_up=late)
        self._next_at = now + self._interval
        reports = self._reports(self._fetch, states, now)
        if reports is None or not reports.complete:
            return AbsenceVerdict(given_up=late)
        lost_by_id = self._index.lost_by_external_id()
        found = {
            state.person.key
            for report in reports
            if (state := owner_of(lost_by_id, report.call_api_external_id, report))
        }
        # While list.calls contains a call that cannot be read, that call may be the lost call.
        missing = {
            state.person.key for state in states if state.lost_call and state.lost_call.is_given_up(now)
        }
        absent = [key for key in people if key in missing - found]
        if absent:
            self._gateway.log(
                f"{len(absent)} lost calls were never placed, because no service shows them: dialling again"
            )
        return AbsenceVerdict(absent=absent, given_up=[key for key in late if key not in {*absent, *found}])

    def _reports(
        self, fetch: Callable[[float], Entries[CallReport]], states: Sequence[PersonState], now: float
    ) -> Entries[CallReport] | None:
        """Return the reports of all calls since a day before the earliest intent.

        None: the request failed.
        """
        try:
            return fetch(min(state.current_attempt.intended_at for state in states) - _DAY)
        except CallApiError as error:
            self._gateway.log(f"The Data API does not show which lost calls were placed: {error}")
            self._next_at = now + max(retry_seconds(error, 0.0), self._interval)
            return None


def _search_end(state: PersonState) -> float:
    assert state.lost_call is not None, "the person's call is not lost"
    return state.lost_call.search_until
