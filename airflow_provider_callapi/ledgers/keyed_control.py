"""The wish and the progress of a campaign in a store of small values, such as Airflow's task state."""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.progress import Progress
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.stores import KeyValueStore

WISH_KEY = "callapi_campaign_wish"
PROGRESS_KEY = "callapi_campaign_progress"


class KeyedControl:
    """A campaign's `ControlStore` in a key-value store that belongs to the campaign's task.

    :param store: stores the values.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def read_wish(self) -> Wish | None:
        """Return what a user has asked of the campaign; None: no user has asked for anything.

        :raises ValueError: the stored value describes no wish.
        """
        value = self._store.get(WISH_KEY)
        return None if value is None else Wish.from_json(value)

    def write_wish(self, wish: Wish) -> None:
        """Store what a user asks of the campaign, and replace the older wish."""
        self._store.set(WISH_KEY, wish.to_json())

    def publish(self, progress: Progress) -> None:
        """Store the campaign's progress, and replace the older progress."""
        self._store.set(PROGRESS_KEY, progress.to_json())

    def close(self) -> None:
        """Do nothing: the store belongs to the task."""
