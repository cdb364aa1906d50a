"""Facts that a campaign's worker process stores for the task's next try, or for the time after a deferral."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_callapi.calls.stores import KeyValueStore

_COST = "callapi_campaign_points_per_call"
_IDENTITY = "callapi_campaign_which"
_TIMEZONE = "callapi_campaign_timezone"


class CampaignMemory:
    """Facts about a campaign that outlive a worker process.

    Airflow's task state stores facts for the next try. The memo, a plain JSON object in the deferral, stores
    facts for the worker after the deferral. The memo works on every version of Airflow.

    :ivar is_resumed: whether this worker continues a try after a deferral.
    :ivar identity: the facts of `identity_of` about the campaign with which the task began. None: no worker
        has stored them.
    :ivar stopped: the reason why dialling stopped before the deferral. None: dialling had not stopped.
    :ivar timezone: IANA name of the account's time zone, as the Data API named it. None: no worker has asked.
    :ivar excluded: fingerprints (hashes) of people who were on the do-not-call list before the deferral.
    """

    def __init__(self, state: KeyValueStore | None, memo: Mapping[str, Any]) -> None:
        self._state = state
        self._cost: int | None = self._get(_COST)
        self.is_resumed = bool(memo)
        self.identity: dict[str, Any] | None = memo.get("which") or self._get(_IDENTITY)
        self.stopped: str | None = memo.get("stopped")
        self.timezone: str | None = memo.get("timezone") or self._get(_TIMEZONE)
        self.excluded: frozenset[str] = frozenset(memo.get("excluded", ()))

    @property
    def points_per_call(self) -> int | None:
        """The number of points that one call costs, as last stored. None: the number is not known."""
        return self._cost

    def remember_points_per_call(self, cost: int | None) -> None:
        """Store the number of points that one call costs, for later tries. Without task state, do nothing."""
        if self._state is not None and cost != self._cost:
            self._state.set(_COST, cost)
            self._cost = cost

    def remember_identity(self, identity: dict[str, Any]) -> None:
        """Store the facts that distinguish the campaign from other campaigns, for later tries.

        Without task state, later tries cannot read these facts.

        :param identity: the facts, as `identity_of` returns them.
        """
        if self._state is not None and identity != self.identity:
            self._state.set(_IDENTITY, identity)
        self.identity = identity

    def remember_timezone(self, timezone: str) -> None:
        """Store the account's time zone for later workers, so that the Data API is asked only once."""
        if self._state is not None and timezone != self.timezone:
            self._state.set(_TIMEZONE, timezone)
        self.timezone = timezone

    def memo(self, *, stopped: str | None, excluded: Iterable[str]) -> dict[str, Any]:
        """Return the facts that the worker after a deferral needs, as plain JSON.

        :param stopped: the reason why dialling has stopped. None: dialling has not stopped.
        :param excluded: fingerprints (hashes) of people on the do-not-call list.
        """
        return {
            "stopped": stopped,
            "excluded": list(excluded),
            "which": self.identity,
            "timezone": self.timezone,
        }

    def _get(self, key: str) -> Any:
        return None if self._state is None else self._state.get(key)
