"""What a campaign's try knows from earlier tries, and from the time before a deferral."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_callapi.calls.stores import KeyValueStore

_COST = "callapi_campaign_points_per_call"
_IDENTITY = "callapi_campaign_which"


class CampaignMemory:
    """Facts about a campaign that outlive a worker process.

    Airflow's task state keeps facts from one try to the next. The memo, plain JSON in the deferral, keeps
    facts during a wait in the triggerer, even on an Airflow without task state.

    :ivar is_resumed: whether this worker continues a try after a deferral.
    :ivar identity: which campaign the task began with, see `identity_of`; None: this try is the first.
    :ivar stopped: why dialling had stopped before the deferral.
    :ivar excluded: fingerprints of people who were on the do-not-call list before the deferral.
    """

    def __init__(self, state: KeyValueStore | None, memo: Mapping[str, Any]) -> None:
        self._state = state
        self._cost: int | None = self._get(_COST)
        self.is_resumed = bool(memo)
        self.identity: dict[str, Any] | None = memo.get("which") or self._get(_IDENTITY)
        self.stopped: str | None = memo.get("stopped")
        self.excluded: frozenset[str] = frozenset(memo.get("excluded", ()))

    @property
    def points_per_call(self) -> int | None:
        """The cost of one call that an earlier try has seen."""
        return self._cost

    def remember_points_per_call(self, cost: int | None) -> None:
        """Keep the cost of one call for later tries."""
        if self._state is not None and cost != self._cost:
            self._state.set(_COST, cost)
            self._cost = cost

    def remember_identity(self, identity: dict[str, Any]) -> None:
        """Keep the identity of the campaign for later tries."""
        if self._state is not None and identity != self.identity:
            self._state.set(_IDENTITY, identity)
        self.identity = identity

    def memo(self, *, stopped: str | None, excluded: Iterable[str]) -> dict[str, Any]:
        """Return the facts that the worker after a deferral needs, as plain JSON.

        :param excluded: fingerprints of people on the do-not-call list.
        """
        return {"stopped": stopped, "excluded": list(excluded), "which": self.identity}

    def _get(self, key: str) -> Any:
        return None if self._state is None else self._state.get(key)
