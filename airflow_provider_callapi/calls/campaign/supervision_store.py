"""The store through which users control a running campaign and see the campaign's progress."""

from __future__ import annotations

from typing import Protocol

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish


class SupervisionStore(Protocol):
    """A store for users' wishes and for the progress of campaigns.

    A wish is what a user asks of a running campaign: to pause, to resume or to stop. The campaign's task
    reads the wish, and stores the progress.
    """

    def read_wish(self, campaign: str) -> Wish | None:
        """Return what a user has last asked of a campaign: pause, resume or stop. None: nothing.

        :param campaign: the campaign's name.
        """

    def publish(self, progress: CampaignProgress) -> None:
        """Store the campaign's progress, and replace the older progress."""

    def close(self) -> None:
        """Close the connections that the store has opened, for example to a database."""
