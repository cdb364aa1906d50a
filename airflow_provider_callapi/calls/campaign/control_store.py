"""The store through which users pause, resume or stop a running campaign, and see the campaign's progress."""

from __future__ import annotations

from typing import Protocol

from airflow_provider_callapi.calls.campaign.progress import Progress
from airflow_provider_callapi.calls.campaign.wishes import Wish


class ControlStore(Protocol):
    """A store from which a campaign's task reads a user's wish, and in which the task stores its progress.

    A wish is to pause, to resume or to stop the campaign.
    """

    def read_wish(self) -> Wish | None:
        """Return what a user has asked of the campaign; None: no user has asked for anything."""

    def publish(self, progress: Progress) -> None:
        """Store the campaign's progress, and replace the older progress."""

    def close(self) -> None:
        """Close the connections that the store has opened, for example to a database."""
