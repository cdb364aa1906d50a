"""Finds out which unconfirmed calls of a campaign were never placed, so that their people are dialled again.

A call is unconfirmed if its start request got no answer. The author sets ``absence_proven_after``, a number
of seconds. An unconfirmed call counts as never placed if two conditions are met:

- For ``absence_proven_after`` seconds, all successful snapshots (at least two) have proven that the call is
  not active. After a snapshot that may contain the call, the seconds count from the beginning again.
- After these seconds, the Data API returns a complete list of reports, and no report in the list can belong
  to the call.

If ``absence_proven_after`` is None, no unconfirmed call counts as never placed. An unconfirmed call that the
campaign cannot find is then unresolved: the campaign does not dial the person again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.unconfirmed_call_search import owner_of
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, retry_seconds
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE

_DAY = 86_400.0


@dataclass(frozen=True)
class AbsenceVerdict:
    """What became of unconfirmed calls after the search for them: found, never placed, or unresolved.

    A call is named by the key under which the ledger stores the called person.

    :ivar given_up: the keys for the unresolved calls: not found, but perhaps placed.
    :ivar absent: the keys for the calls that were never placed.
    :ivar found: the calls that the Data API reports: key → session id of the call.
    """

    given_up: Collection[str] = ()
    absent: Collection[str] = ()
    found: Mapping[str, int] = field(default_factory=dict)


class AbsenceProof:
    """Decides, with the Data API's reports, whether each unconfirmed call of a campaign was placed.

    A campaign first searches for an unconfirmed call in snapshots, for a limited time. The class asks the
    Data API only about calls that this search has not found.

    :param interval: seconds between two requests to the Data API.
    """

    def __init__(
        self, index: PersonIndex, gateway: CampaignGateway, rules: Rules, *, interval: float
    ) -> None:
        self._index = index
        self._gateway = gateway
        self._after = rules.absence_proven_after
        self._interval = interval
        self._next_at = 0.0

    def judge(self, keys: Sequence[str], now: float) -> AbsenceVerdict:
        """Decide for each person whether the unconfirmed call is found, absent (never placed) or given up.

        The method sends at most one request to the Data API.

        :param keys: the ledger keys of the people with an unconfirmed call. The search in snapshots has not
            found these calls in time.
        :param now: epoch seconds.
        :return: the verdict. It names the people about whom a decision is possible. The campaign continues to
            search for the calls of the other people.
        """
        calls = {key: self._index[key].current_unconfirmed_call for key in keys}
        fetch = self._gateway.reported_calls
        if self._after is None or fetch is None:
            return AbsenceVerdict(
                [key for key, call in calls.items() if call.is_overdue(now) or call.is_given_up(now)]
            )
        overdue = [key for key, call in calls.items() if call.is_overdue(now)]
        missing = [key for key, call in calls.items() if _is_missing(call, since=now - self._after)]
        doubtful = [key for key, call in calls.items() if call.is_doubtful(now)]
        if not (missing or doubtful) or now < self._next_at:
            return AbsenceVerdict(overdue)
        self._next_at = now + (self._interval if missing else max(self._interval, self._after))
        reports = self._reports(fetch, [*missing, *doubtful], now)
        if reports is None:
            return AbsenceVerdict(overdue)
        found = self._found_in(reports)
        not_found = [key for key in missing if key not in found] if reports.complete else []
        unclear = {key for key in not_found if any(map(calls[key].may_be, reports))}
        absent = set(not_found) - unclear
        if absent:
            placed = count_text(len(absent), "unconfirmed call was", "unconfirmed calls were")
            self._gateway.log(f"{placed} never placed, because no service shows such a call: dialling again")
        given_up = {*overdue, *unclear} - absent - found.keys()
        return AbsenceVerdict(given_up, absent, found)

    def _reports(
        self, fetch: Callable[[float], Entries[CallReport]], keys: Iterable[str], now: float
    ) -> Entries[CallReport] | None:
        """Return the Data API's reports of all calls since the oldest unconfirmed call of these people.

        If the request fails, log the failure and return None.
        """
        try:
            # one day earlier, because a clock or a time zone may be wrong
            intents = [self._index[key].current_attempt.intended_at for key in keys]
            return fetch(min(*intents, now) - _DAY)
        except CallApiError as error:
            self._gateway.log(f"The Data API does not show which unconfirmed calls were placed: {error}")
            self._next_at = now + max(retry_seconds(error, 0.0), self._interval)
            return None

    def _found_in(self, reports: Iterable[CallReport]) -> dict[str, int]:
        """Return the unconfirmed calls that occur in reports: ledger key of the person → session id."""
        unconfirmed_by_id = self._index.unconfirmed_by_external_id()
        return {
            state.person.key: report.id
            for report in reports
            if (state := owner_of(unconfirmed_by_id, report))
        }


def _is_missing(unconfirmed: UnconfirmedCall, *, since: float) -> bool:
    # Since the time `since`, at least two successful polls, and no other result, have shown that the call is
    # not active.
    return (
        unconfirmed.missing_since is not None
        and unconfirmed.missing_since <= since
        and unconfirmed.misses >= TOLERANCE.misses
    )
