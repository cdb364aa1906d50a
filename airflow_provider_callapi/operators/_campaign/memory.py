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
    """Passes values, e.g. who is on the do-not-call list, to the next worker process of a campaign.

    - After a deferral of the same try: through the *memo*, a JSON object.
    - For the task's next try: through Airflow's task state (3.3+). Without it, the next try finds no values.

    :param state: Airflow's task state. None: this version of Airflow has none.
    :param memo: what the method `memo` returned before the deferral. Empty: no deferral.
    :ivar is_resumed: whether this worker continues a try after a deferral.
    :ivar identity: the stored result of `identity_of`, or None.
    :ivar stopped: why dialling had stopped before the deferral. None: it had not stopped.
    :ivar wish: the user's wish before the deferral, e.g. pause. None: no wish.
    :ivar timezone: IANA name of the account's time zone. None: no name is stored.
    :ivar excluded: fingerprints (hashes) of the people found on the do-not-call list.
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
        """Store in task state how many points one call costs, for the next worker of the campaign.

        The next worker continues this try after a deferral, or runs the task's next try. Without task state
        (Airflow before 3.3), the method does nothing.

        :param cost: the observed number of points (rate-limit units). None: no cost is known. None replaces a
            stored number.
        """
        if self._state is not None and cost != self._cost:
            self._state.set(_COST, cost)
            self._cost = cost

    def remember_identity(self, identity: dict[str, Any]) -> None:
        """Store the campaign's identity, so that a later worker of this task can detect changed parameters.

        If the parameters have changed, the later worker would run another campaign. `refuse_another_campaign`
        compares the identities. Before Airflow 3.3, only the worker that continues this try after a deferral
        finds the identity.

        :param identity: plain JSON, as `identity_of` returns it.
        """
        if self._state is not None and identity != self.identity:
            self._state.set(_IDENTITY, identity)
        self.identity = identity

    def remember_timezone(self, timezone: str) -> None:
        """Store the account's time zone, so that later workers do not ask the Data API for it again.

        The worker that continues this try after a deferral always gets the time zone. The task's next try
        gets it only with task state (Airflow 3.3+).

        :param timezone: IANA name of the time zone.
        """
        if self._state is not None and timezone != self.timezone:
            self._state.set(_TIMEZONE, timezone)
        self.timezone = timezone

    def remember_excluded(self, people: Iterable[str]) -> None:
        """Remember people who are on the do-not-call list, so that the rest of this try does not call them.

        With task state (Airflow 3.3+), later tries do not call them either, even if they are no longer on the
        list.

        :param people: fingerprints (hashes) of the people.
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

        :param stopped: why dialling has stopped. None: dialling has not stopped.
        :param wish: the user's wish that is in force, e.g. pause. None: there is no wish.
        :return: plain JSON with the keys ``stopped``, ``wish``, ``excluded`` (fingerprints of people on the
            do-not-call list), ``which`` (the campaign's identity) and ``timezone``.
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
