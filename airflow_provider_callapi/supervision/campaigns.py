"""Lists the campaigns of this Airflow, and asks a campaign to pause, to resume or to stop.

The functions search all known SQL ledgers and Airflow's task state for campaigns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.deployment_settings import read_ledger_conn_ids
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision import task_states

if TYPE_CHECKING:  # SQLAlchemy is heavy
    from airflow_provider_callapi.ledgers.sql_supervision import SqlSupervision


@dataclass(frozen=True)
class SeenCampaign:
    """One task of a campaign: the task's published progress, and what a user has asked of the campaign.

    A campaign with shards (parts of the list of people) has one task for each shard.

    :ivar progress: the progress that the task published last.
    :ivar wish: what a user has asked of the campaign, such as a pause; None: nothing.
    :ivar ledger_conn_id: id of the Airflow connection to the SQL ledger; None: the ledger is in task state.
    """

    progress: CampaignProgress
    wish: Wish | None
    ledger_conn_id: str | None


@dataclass(frozen=True)
class Campaigns:
    """The result of `list_campaigns`: the campaigns, and which databases with campaigns could not be read.

    :ivar found: the tasks of all campaigns, one entry for each task. The task that published its progress
        last comes first.
    :ivar problems: one sentence, without phone numbers, for each database that `list_campaigns` could not
        read: for an SQL ledger, or for Airflow's own database.
    """

    found: list[SeenCampaign]
    problems: list[str]


def list_campaigns(ledger_conn_ids: Iterable[str] = (), name: str | None = None) -> Campaigns:
    """Return the campaigns whose ledgers this Airflow knows, or the one campaign with the given name.

    The function reads the ledgers in Airflow's task state, and SQL ledgers. It finds the ids of the SQL
    ledgers in task state, in the option ``[callapi] ledger_conn_ids`` and in the parameter
    ``ledger_conn_ids``. Inside a task, it cannot read task state. Each task that runs a
    campaign, or a part of one, is an item of the result. From task state and from each SQL ledger, the
    function returns at most 500 items. It omits the oldest finished tasks first.

    :param ledger_conn_ids: ids of Airflow connections to further SQL ledgers.
    :param name: the name of the only campaign that is wanted. None: all campaigns.
    :return: the campaigns, and one sentence for each database that the function could not read.
    """
    found: list[SeenCampaign] = []
    problems: list[str] = []
    ledgers = {*ledger_conn_ids, *read_ledger_conn_ids()}
    try:
        found += [SeenCampaign(progress, wish, None) for progress, wish in task_states.find_campaigns()]
        ledgers |= task_states.find_ledgers()
    except CallApiTrouble as error:
        problems.append(str(error))
    except RuntimeError:
        pass  # a task may not use the metadata database
    for ledger in sorted(ledgers):
        try:
            with _open(ledger) as tables:
                listed = tables.list_progress(name)
                wishes: dict[str, Wish | None] = {}
                for campaign in {progress.campaign for progress in listed}:
                    try:
                        wishes[campaign] = tables.read_wish(campaign)
                    except ValueError as error:
                        problems.append(f"ledger {ledger}: the wish for campaign {campaign!r}: {error}")
                found += [
                    SeenCampaign(progress, wishes.get(progress.campaign), ledger) for progress in listed
                ]
        except (CallApiFailure, CallApiTrouble, ValueError) as error:
            problems.append(f"ledger {ledger}: {error}")
    wanted = [seen for seen in found if name in (None, seen.progress.campaign)]
    return Campaigns(sorted(wanted, key=lambda seen: -seen.progress.at), problems)


def ask_campaign(name: str, wish: Wish, ledger_conn_ids: Iterable[str] = ()) -> list[SeenCampaign]:
    """Ask a campaign to pause, to resume or to stop.

    All unfinished tasks of the campaign follow the wish (what the user asks):

    - A task that dials follows within seconds.
    - A task that waits in a worker follows within a minute.
    - A deferred task follows when it continues, before it dials.

    If all tasks are finished, their next tries follow the wish. Tasks whose ledger cannot be read do not get
    the wish. `list_campaigns` names these ledgers in `Campaigns.problems`.

    :param name: the campaign's name.
    :param wish: what the user asks, the user's name, and the time.
    :param ledger_conn_ids: ids of Airflow connections to further SQL ledgers, as in `list_campaigns`.
    :return: the tasks that follow the wish, as they were before the wish.
    :raises CallApiFailure: no campaign has this name, or a ledger's connection cannot be used.
    :raises CallApiTrouble: the ledger's database does not answer. It is unknown whether the wish is stored.
    """
    named = list_campaigns(ledger_conn_ids, name).found
    asked = [seen for seen in named if seen.progress.doing != "over"] or named
    if not asked:
        campaigns = list_campaigns(ledger_conn_ids)
        known = ", ".join(sorted({seen.progress.campaign for seen in campaigns.found})) or "none"
        more = "".join(f". {problem}" for problem in campaigns.problems)
        raise CallApiFailure(f"campaign: no campaign is named {name!r}. Known campaigns: {known}{more}")
    if owners := [seen.progress.owner for seen in asked if seen.ledger_conn_id is None]:
        task_states.write_wish(owners, wish)
    for ledger in sorted({seen.ledger_conn_id for seen in asked if seen.ledger_conn_id is not None}):
        with _open(ledger) as tables:
            tables.write_wish(name, wish)
    return asked


@contextmanager
def _open(ledger_conn_id: str) -> Iterator[SqlSupervision]:
    from airflow_provider_callapi.ledgers.sql_supervision import (  # noqa: PLC0415 - SQLAlchemy is heavy
        open_sql_supervision,
    )

    tables = open_sql_supervision(ledger_conn_id)
    try:
        yield tables
    finally:
        tables.close()
