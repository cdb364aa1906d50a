"""Store values for the worker process that continues a campaign after a deferral or in the next try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.task_context.state_keys import IDENTITY_KEY

_COST = "callapi_campaign_points_per_call"
_TIMEZONE = "callapi_campaign_timezone"
_FINGERPRINTS_A_PAGE = 2000
"""The number of fingerprints in one stored value.

The value then has 40 kB; Airflow warns of values above 64 kB.
"""


class CampaignMemory:
    """Passes values, e.g. who is on the do-not-call list, to the next worker process of a campaign."""

    def __init__(self, state: KeyValueStore | None, memo: Mapping[str, Any]) -> None:
        # The memo, a JSON object, comes from a deferral of the same try. Values for the task's next try need
        # task state (Airflow 3.3+).
        self._state = state
        # The points (rate-limit units) that one call costs. None: the campaign assumes a cost until it
        # observes the real cost.
        self.points_per_call: int | None = self._get(_COST)
        self.is_resumed = bool(memo)  # this worker continues a try after a deferral
        self.identity: dict[str, Any] | None = memo.get("which") or self._get(IDENTITY_KEY)
        self.stopped: str | None = memo.get("stopped")  # why dialling had stopped before the deferral
        self.began_too_late: bool = memo.get("began_too_late", False)  # after max_lateness
        self.wish = Wish.from_json(memo["wish"]) if memo.get("wish") else None
        self.timezone: str | None = memo.get("timezone") or self._get(_TIMEZONE)
        self._pages: list[list[str]] = self._read_pages()
        # Fingerprints (hashes) of the people found on the do-not-call list.
        self.excluded: frozenset[str] = frozenset(memo.get("excluded", ())).union(*self._pages)

    def remember_points_per_call(self, cost: int | None) -> None:
        """Store how many points one call costs, for the next worker of the campaign. None: not known."""
        # Without task state (before Airflow 3.3), the next worker observes the cost again.
        if self._state is not None and cost != self.points_per_call:
            self._state.set(_COST, cost)
            self.points_per_call = cost

    def remember_identity(self, identity: dict[str, Any]) -> None:
        """Store what distinguishes the campaign from others, such as its name and its ledger.

        A later worker compares its own parameters with the stored values, and refuses another campaign.

        :param identity: the dict that `identity_of` has returned.
        """
        # Without task state, only the worker after a deferral finds the identity: in the memo.
        if self._state is not None and identity != self.identity:
            self._state.set(IDENTITY_KEY, identity)
        self.identity = identity

    def remember_timezone(self, timezone: str) -> None:
        """Store the account's time zone, so that later workers do not ask the Data API for it again."""
        # Without task state, only the worker after a deferral finds the time zone: in the memo.
        if self._state is not None and timezone != self.timezone:
            self._state.set(_TIMEZONE, timezone)
        self.timezone = timezone

    def remember_excluded(self, people: Iterable[str]) -> None:
        """Store who is on the do-not-call list, so that the campaign does not call these people.

        The people are given as fingerprints (hashes).
        """
        new = sorted(set(people) - self.excluded)
        self.excluded = self.excluded.union(new)
        if self._state is None:  # then only the rest of this try knows these people
            return
        while new:
            if not self._pages or len(self._pages[-1]) >= _FINGERPRINTS_A_PAGE:
                self._pages.append([])
            room = _FINGERPRINTS_A_PAGE - len(self._pages[-1])
            self._pages[-1] += new[:room]
            new = new[room:]
            self._state.set(_page_key(len(self._pages) - 1), self._pages[-1])

    def memo(self, *, stopped: str | None, wish: Wish | None = None) -> dict[str, Any]:
        """Return, as plain JSON, the values that a deferral passes to the worker that continues this try.

        :param stopped: why dialling has stopped. None: not stopped.
        :param wish: what a user has asked of the campaign. None: nothing.
        """
        # Task state already has the excluded people. With 100,000 of them, a memo would have 2 MB.
        excluded = sorted(self.excluded) if self._state is None else []
        return {
            "stopped": stopped,
            "began_too_late": self.began_too_late,
            "wish": wish and wish.to_json(),
            "excluded": excluded,
            "which": self.identity,  # "which campaign", as in IDENTITY_KEY: stored names do not change
            "timezone": self.timezone,
        }

    def _read_pages(self) -> list[list[str]]:
        pages: list[list[str]] = []
        while (page := self._get(_page_key(len(pages)))) is not None:
            pages.append(list(page))
        return pages

    def _get(self, key: str) -> Any:
        return None if self._state is None else self._state.get(key)


def _page_key(number: int) -> str:
    return f"callapi_campaign_excluded_{number:05d}"
