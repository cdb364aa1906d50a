"""What the databases know for the page: campaigns, whose calls are active, and which tasks poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.supervision.campaigns import SeenCampaign, list_campaigns
from airflow_provider_callapi.supervision.task_states import Owner
from airflow_provider_callapi.supervision.tasks import PollingTask, find_callers, list_polling_tasks


@dataclass(frozen=True)
class Known:
    """What the ledgers and Airflow's metadata database know.

    :ivar campaigns: the campaigns of all connections, the newest progress first.
    :ivar problems: for each database that cannot be read, a sentence without phone numbers.
    :ivar callers: call session id → the task that has placed this single call.
    :ivar tasks: the tasks that poll now.
    """

    campaigns: list[SeenCampaign]
    problems: list[str]
    callers: Mapping[int, Owner] = field(default_factory=dict)
    tasks: list[PollingTask] = field(default_factory=list)

    def campaigns_of(self, connection_id: str) -> list[SeenCampaign]:
        """Return the campaigns that dial through a connection."""
        return [seen for seen in self.campaigns if seen.progress.connection == connection_id]

    def is_only_of(self, connection_id: str, campaign: str) -> bool:
        """Return whether a campaign exists, and all its tasks dial through one connection.

        Otherwise, a user could act on a campaign of a connection on which the user has no right.
        """
        used = {seen.progress.connection for seen in self.campaigns if seen.progress.campaign == campaign}
        return used == {connection_id}


def read_databases() -> Known:
    """Return what the ledgers and Airflow's metadata database know now."""
    listed = list_campaigns()
    try:
        return Known(listed.found, listed.problems, find_callers(), list_polling_tasks())
    except CallApiTrouble as trouble:
        return Known(listed.found, [*listed.problems, str(trouble)])
