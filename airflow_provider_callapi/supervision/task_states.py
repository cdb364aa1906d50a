"""Reads and writes what tasks store in Airflow's task state, through Airflow's metadata database.

Airflow does not let a task use the metadata database. The functions therefore work in the API server and on
the command line. Airflow before 3.3 has no task state: the functions that read then return an empty result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from airflow_provider_callapi.calls.campaign.progress import OVER, CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.supervision.metadata_database import METADATA_DATABASE, in_metadata_database
from airflow_provider_callapi.task_context.state_keys import IDENTITY_KEY, PROGRESS_KEY, WISH_KEY

_NEWEST = 500
"""The largest number of entries that are read. The oldest finished ones are left out first."""
_OVER = f'"doing": "{OVER}"'
"""A part of the stored progress of a finished campaign."""

Owner = tuple[str, ...]
"""Dag id, run id, task id and map index of a task."""


def read_values(key: str, *, numbered: bool = False) -> list[tuple[Owner, Any]]:
    """Return up to 500 values that tasks have stored under a key in Airflow's task state.

    The newest values come first, but the progress of ended campaigns comes last. The list is empty before
    Airflow 3.3.

    :param key: the key, such as ``callapi_campaign_progress``.
    :param numbered: True: return also the values under this key with an added number, such as
        ``callapi_call_2``. A task that places several calls stores its journals under such keys, see
        `NumberedStore`.
    :return: pairs: (dag id, run id, task id, map index) of the task, and the stored JSON value.
    :raises RuntimeError: this process may not use the metadata database.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    try:
        from airflow.models.task_state_store import TaskStateStoreModel as State  # noqa: PLC0415 - Airflow 3.3+
    except ImportError:
        return []
    from sqlalchemy import select  # noqa: PLC0415 - SQLAlchemy is heavy

    is_wanted = State.key == key
    if numbered:
        is_wanted |= State.key.startswith(f"{key}_", autoescape=True)
    is_over = State.value.contains(_OVER, autoescape=True)  # a waiting campaign may be older than these
    columns = (State.dag_id, State.run_id, State.task_id, State.map_index, State.value)
    query = select(*columns).where(is_wanted).order_by(is_over, State.updated_at.desc()).limit(_NEWEST)
    rows = in_metadata_database(lambda session: session.execute(query).all())
    return [((dag, run, task, str(index)), json.loads(value)) for dag, run, task, index, value in rows]


def find_campaigns() -> list[tuple[CampaignProgress, Wish | None]]:
    """Return the campaigns whose ledger is in Airflow's task state.

    The result has at most 500 tasks. If there are more tasks, it omits the oldest finished tasks first. Tasks
    whose progress or wish cannot be read are left out.

    :return: for each task of a campaign: its progress, and what a user has asked of it (None: nothing).
    :raises RuntimeError: this process may not use the metadata database.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    wishes = dict(read_values(WISH_KEY))
    found = []
    for owner, value in read_values(PROGRESS_KEY):
        try:
            progress = replace(CampaignProgress.from_json(value), owner=owner)
            wish = Wish.from_json(wishes[owner]) if owner in wishes else None
        except (ValueError, TypeError):
            continue  # a worker with a state backend of its own keeps the value elsewhere
        found.append((progress, wish))
    return found


def find_ledgers() -> set[str]:
    """Return the ids of the Airflow connections to the campaigns' SQL ledgers.

    The task of a campaign stores the id of its ledger's connection in Airflow's task state. The function
    reads at most the newest 500 of these ids.

    :raises RuntimeError: this process may not use the metadata database.
    :raises CallApiTrouble: the metadata database does not answer.
    """
    identities = read_values(IDENTITY_KEY)
    ledgers = (value.get("ledger_conn_id") for _, value in identities if isinstance(value, dict))
    return {ledger for ledger in ledgers if ledger}


def write_wish(owners: Iterable[Owner], wish: Wish) -> None:
    """Store what a user asks of a campaign, such as ``pause``, in the task state of the campaign's tasks.

    The function needs Airflow 3.3 or newer.

    :param owners: the dag id, run id, task id and map index of each task.
    :param wish: what the user asks, the user's name, and the time.
    :raises CallApiTrouble: the metadata database does not answer, or the DAG run of a task was deleted. It is
        unknown which of the tasks have the wish.
    """
    if not (owners := list(owners)):
        return
    from airflow.state import TaskScope, get_state_backend  # noqa: PLC0415 - Airflow 3.3+, as task state is

    from airflow_provider_callapi.databases.retries import mask_errors  # noqa: PLC0415 - SQLAlchemy is heavy

    def write() -> None:
        for dag_id, run_id, task_id, map_index in owners:
            scope = TaskScope(dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=int(map_index))
            get_state_backend().set(scope, WISH_KEY, json.dumps(wish.to_json()), expires_at=None)

    mask_errors(write, METADATA_DATABASE)
