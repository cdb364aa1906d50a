"""Store what the next worker process of a campaign needs, after a deferral or in the task's next try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.stores import KeyValueStore

_COST = "callapi_campaign_points_per_call"
_IDENTITY = "callapi_campaign_which"
_TIMEZONE = "callapi_campaign_timezone"
_FINGERPRINTS_A_PAGE = 2000
"""The number of fingerprints in one stored value.

The value then has 40 kB; Airflow warns of values above 64 kB.
"""


class CampaignMemory:
    """What a campaign remembers when its worker process ends, e.g. the people on the do-not-call list.

    Two stores keep the values. The *memo* is a JSON object in a deferral: the worker that continues the try
    after the deferral reads the memo. Airflow's task state (3.3+) keeps the values for the next try.

    :param state: Airflow's task state. None: this version of Airflow has none.
    :param memo: what `memo` returned before the deferral. Empty: this try has not been deferred.
    :ivar is_resumed: whether this worker continues a try after a deferral.
    :ivar identity: the campaign's identity as `identity_of` returns it, e.g. the campaign's name, its ledger
        and the checksum of its contact list. A later try with a different identity must not continue the
        campaign. None: no identity is stored.
    :ivar stopped: the reason why dialling stopped before the deferral. None: dialling had not stopped.
    :ivar wish: what a user had asked of the campaign before the deferral. None: no user had asked for
        anything, or this try has not been deferred.
    :ivar timezone: IANA name of the account's time zone, from the Data API. None: no name is stored.
    :ivar excluded: fingerprints (hashes) of all people whom this try or an earlier try has found on the
        do-not-call list. Without task state, the people whom only an earlier try has found are missing.
    """

    def __init__(self, state: KeyValueStore | None, memo: Mapping[str, Any]) -> None:
        self._state = state
        self._cost: int | None = self._get(_COST)
        self.is_resumed = bool(memo)
        self.identity: dict[str, Any] | None = memo.get("which") or self._get(_IDENTITY)
        self.stopped: str | None = memo.get("stopped")
        self.wish = Wish.from_json(memo["wish"]) if memo.get("wish") else None
        self.timezone: str | None = memo.get("timezone") or self._get(_TIMEZONE)
        self._pages: list[list[str]] = self._read_pages()
        self.excluded: frozenset[str] = frozenset(memo.get("excluded", ())).union(*self._pages)

    @property
    def points_per_call(self) -> int | None:
        """The points (rate-limit units) that one call costs, as the campaign has observed and stored.

        None: no cost is stored. The campaign then assumes a cost until it observes the real cost.
        """
        return self._cost

    def remember_points_per_call(self, cost: int | None) -> None:
        """Store the number of points that one call costs, for the worker that continues the campaign.

        This worker continues after a deferral, or in the task's next try. If this version of Airflow has no
        task state, do nothing.

        :param cost: the number of points, as it is known now. None: not known; None replaces a stored number.
        """
        if self._state is not None and cost != self._cost:
            self._state.set(_COST, cost)
            self._cost = cost

    def remember_identity(self, identity: dict[str, Any]) -> None:
        """Store the campaign's identity, such as its name, its ledger and the checksum of its contact list.

        The worker that continues the campaign compares its campaign's identity with the stored identity.
        `memo` returns the identity for the worker that continues this try after a deferral. Task state keeps
        the identity for a later try. Before Airflow 3.3, there is no task state, so a later try finds no
        identity.

        :param identity: plain JSON, as `identity_of` returns it.
        """
        if self._state is not None and identity != self.identity:
            self._state.set(_IDENTITY, identity)
        self.identity = identity

    def remember_timezone(self, timezone: str) -> None:
        """Store the account's time zone, so that the campaign does not ask the Data API for it again.

        The worker that continues this try after a deferral reads the time zone from the memo. The task's next
        try reads the time zone from task state, if Airflow has task state.

        :param timezone: IANA name of the time zone.
        """
        if self._state is not None and timezone != self.timezone:
            self._state.set(_TIMEZONE, timezone)
        self.timezone = timezone

    def remember_excluded(self, people: Iterable[str]) -> None:
        """Add people to ``excluded``. If Airflow has task state, also store the people for later tries.

        A later try must not call these people, even if they are no longer on the do-not-call list.

        :param people: fingerprints (hashes) of people on the do-not-call list.
        """
        new = sorted(set(people) - self.excluded)
        self.excluded = self.excluded.union(new)
        if self._state is None:
            return
        while new:
            if not self._pages or len(self._pages[-1]) >= _FINGERPRINTS_A_PAGE:
                self._pages.append([])
            room = _FINGERPRINTS_A_PAGE - len(self._pages[-1])
            self._pages[-1] += new[:room]
            new = new[room:]
            self._state.set(_page_key(len(self._pages) - 1), self._pages[-1])

    def memo(self, *, stopped: str | None, wish: Wish | None = None) -> dict[str, Any]:
        """Return the memo: the values that a deferral passes to the worker that continues this try.

        :param stopped: the reason why dialling has stopped. None: dialling has not stopped.
        :param wish: what a user has asked of the campaign. None: no user has asked for anything.
        :return: plain JSON: ``{"stopped": …, "wish": …, "excluded": […], "which": <the campaign's identity>,
            "timezone": …}``. ``excluded`` and ``timezone`` are the attributes of this object.
        """
        return {
            "stopped": stopped,
            "wish": wish and wish.to_json(),
            "excluded": sorted(self.excluded),
            "which": self.identity,
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
