"""Reads a campaign's wish and stores its progress, in Airflow's task state or a similar key-value store.

The wish is what a user has asked of the campaign, such as ``pause``. `supervision.task_states` writes the
wish. The progress is how far the campaign is.
"""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.task_context.state_keys import PROGRESS_KEY, WISH_KEY


class KeyedSupervision:
    """Reads the wish (such as ``pause``) and stores the progress of one campaign in a key-value store.

    The class has the methods of `airflow_provider_callapi.calls.campaign.supervision_store.SupervisionStore`.

    :param store: the key-value store of the campaign's task, such as Airflow's task state.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def read_wish(self, campaign: str) -> Wish | None:
        """Return what a user has asked of the campaign; None: no user has asked for anything.

        :param campaign: the campaign's name. The store belongs to one campaign, so the name does not matter.
        :raises ValueError: the stored value is not the JSON of a wish.
        """
        value = self._store.get(WISH_KEY)
        return None if value is None else Wish.from_json(value)

    def publish(self, progress: CampaignProgress) -> None:
        """Store the progress: how far the campaign is. The new progress replaces the older progress."""
        self._store.set(PROGRESS_KEY, progress.to_json())

    def close(self) -> None:
        """Do nothing, because a key-value store has no connection to close."""
