"""Reads what the page *Calls* shows in addition to the active calls.

The campaigns are in Airflow's metadata database and in the databases of SQL ledgers. The metadata database
also contains which task has placed each call, and which tasks of this package are running or deferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.supervision.campaigns import Problem, SeenCampaign, list_campaigns
from airflow_provider_callapi.supervision.task_states import Owner
from airflow_provider_callapi.supervision.tasks import PollingTask, find_callers, list_polling_tasks


@dataclass(frozen=True)
class Known:
    """What the page *Calls* shows from the SQL ledgers and from Airflow's metadata database.

    :ivar campaigns: the campaigns of all connections, the newest progress first.
    :ivar problems: the databases that cannot be read.
    :ivar callers: (id of the Airflow connection, call session id) → dag id, run id, task id and map index of
        the task that placed the call. Calls of campaigns are missing.
    :ivar tasks: the running and deferred tasks of this package's operators, of all connections.
    """

    campaigns: list[SeenCampaign]
    problems: list[Problem]
    callers: Mapping[tuple[str | None, int], Owner] = field(default_factory=dict)
    tasks: list[PollingTask] = field(default_factory=list)

    def campaigns_of(self, connection_id: str) -> list[SeenCampaign]:
        """Return the campaigns that dial through the given Airflow connection."""
        return [seen for seen in self.campaigns if seen.progress.connection == connection_id]

    def callers_of(self, connection_id: str) -> dict[int, Owner]:
        """Return the tasks that placed the calls of an Airflow connection: call session id → task."""
        return {session: owner for (used, session), owner in self.callers.items() if used == connection_id}

    def tasks_of(self, connection_id: str) -> list[PollingTask]:
        """Return the running and deferred tasks that use an Airflow connection, or may use it."""
        return [task for task in self.tasks if task.connection in (connection_id, None)]


def read_databases() -> Known:
    """Read the campaigns and the tasks of the page *Calls* from the SQL ledgers and the metadata database.

    A database that cannot be read becomes a sentence in `Known.problems`.
    """
    listed = list_campaigns()
    try:
        return Known(listed.found, listed.problems, find_callers(), list_polling_tasks())
    except CallApiTrouble as trouble:
        return Known(listed.found, [*listed.problems, Problem(str(trouble), None)])
