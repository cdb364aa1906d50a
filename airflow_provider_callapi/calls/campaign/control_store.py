"""The protocol of the place through which users and a running campaign exchange wishes and progress."""

from __future__ import annotations

from typing import Protocol

from airflow_provider_callapi.calls.campaign.progress import Progress
from airflow_provider_callapi.calls.campaign.wishes import Wish


class ControlStore(Protocol):
    """The place in which a campaign's task finds the wish, and to which the task publishes its progress."""

    def read_wish(self) -> Wish | None:
        """Return what a user has asked of the campaign; None: no user has asked for anything."""

    def publish(self, progress: Progress) -> None:
        """Store the campaign's progress, and replace the older progress."""

    def close(self) -> None:
        """Close the connections to the place."""
