"""Lists the campaigns of this Airflow, and asks a campaign to pause, to resume or to stop.

The functions search all known SQL ledgers and Airflow's task state for campaigns.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.deployment_settings import read_ledger_conn_ids
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision import task_states
from airflow_provider_callapi.supervision.patience import ask_each

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
class Problem:
    """Why campaigns may be missing in `Campaigns.found`.

    :ivar text: one sentence without phone numbers.
    :ivar ledger_conn_id: id of the Airflow connection to the SQL ledger that could not be read; None: it is
        Airflow's own database.
    """

    text: str
    ledger_conn_id: str | None


@dataclass(frozen=True)
class Campaigns:
    """The result of `list_campaigns`: the campaigns, and which databases with campaigns could not be read.

    :ivar found: the tasks of all campaigns, one entry for each task. The task that published its progress
        last comes first.
    :ivar problems: the databases that `list_campaigns` could not read: SQL ledgers, or Airflow's own one.
    """

    found: list[SeenCampaign]
    problems: list[Problem]


def followers(name: str, found: Iterable[SeenCampaign]) -> list[SeenCampaign]:
    """Return the tasks of a campaign that follow a user's wish, such as a stop.

    These are the unfinished tasks. If all tasks are finished, their next tries follow the wish.

    :param name: the campaign's name.
    :param found: tasks of any campaigns, as in `Campaigns.found`.
    """
    named = [seen for seen in found if seen.progress.campaign == name]
    return [seen for seen in named if not seen.progress.is_over] or named


def list_campaigns(ledger_conn_ids: Iterable[str] = (), name: str | None = None) -> Campaigns:
    """Return the campaigns whose ledgers this Airflow knows, or the one campaign with the given name.

    The function reads the ledgers in Airflow's task state, and SQL ledgers. It finds the ids of the SQL
    ledgers in task state, in the option ``[callapi] ledger_conn_ids`` and in the parameter
    ``ledger_conn_ids``. Inside a task, it cannot read task state. It reads all SQL ledgers at once, and waits
    five seconds at most for them.

    Each task that runs a campaign, or a part of one, is an item of the result. From task state and from each
    SQL ledger, the function returns at most 500 items. It omits the oldest finished tasks first.

    :param ledger_conn_ids: ids of Airflow connections to further SQL ledgers.
    :param name: the name of the only campaign that is wanted. None: all campaigns.
    :return: the campaigns, and one sentence for each database that the function could not read.
    """
    found: list[SeenCampaign] = []
    problems: list[Problem] = []
    ledgers = {*ledger_conn_ids, *read_ledger_conn_ids()}
    try:
        found += [SeenCampaign(progress, wish, None) for progress, wish in task_states.find_campaigns()]
        ledgers |= task_states.find_ledgers()
    except CallApiTrouble as error:
        problems.append(Problem(str(error), None))
    except RuntimeError:
        pass  # a task may not use the metadata database
    answers, silent = ask_each(sorted(ledgers), lambda ledger: _read(ledger, name))
    for ledger, (seen, sentences) in answers.items():
        found += seen
        problems += [Problem(sentence, ledger) for sentence in sentences]
    problems += [Problem(f"ledger {ledger}: {reason}", ledger) for ledger, reason in silent.items()]
    wanted = [seen for seen in found if name in (None, seen.progress.campaign)]
    return Campaigns(sorted(wanted, key=lambda seen: -seen.progress.at), problems)


def _read(ledger: str, name: str | None) -> tuple[list[SeenCampaign], list[str]]:
    """Read a SQL ledger. Return its campaigns, and one sentence for each wish that cannot be read."""
    problems = []
    with _open(ledger) as tables:
        listed = tables.list_progress(name)
        wishes: dict[str, Wish | None] = {}
        for campaign in {progress.campaign for progress in listed}:
            try:
                wishes[campaign] = tables.read_wish(campaign)
            except ValueError as error:
                problems.append(f"ledger {ledger}: the wish for campaign {campaign!r}: {error}")
    return [SeenCampaign(progress, wishes.get(progress.campaign), ledger) for progress in listed], problems


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
    :raises CallApiFailure: no campaign has this name.
    :raises CallApiTrouble: a database of the campaign does not answer, see `send_wish`.
    """
    asked = followers(name, list_campaigns(ledger_conn_ids, name).found)
    if not asked:
        campaigns = list_campaigns(ledger_conn_ids)
        known = ", ".join(sorted({seen.progress.campaign for seen in campaigns.found})) or "none"
        more = "".join(f". {problem.text}" for problem in campaigns.problems)
        raise CallApiFailure(f"campaign: no campaign is named {name!r}. Known campaigns: {known}{more}")
    send_wish(name, wish, asked)
    return asked


def send_wish(name: str, wish: Wish, asked: Iterable[SeenCampaign]) -> None:
    """Store what a user asks of a campaign, in task state and in each SQL ledger of the campaign's tasks.

    :param name: the campaign's name.
    :param wish: what the user asks, the user's name, and the time.
    :param asked: the tasks that get the wish, such as the result of `followers`. All tasks of the
        campaign with the same SQL ledger get it.
    :raises CallApiTrouble: a SQL ledger does not answer within five seconds, or a database refuses the wish.
        The message names the database. It is unknown whether the wish is stored there. The other databases
        have it.
    """
    asked = list(asked)
    owners = [seen.progress.owner for seen in asked if seen.ledger_conn_id is None]
    ledgers = sorted({seen.ledger_conn_id for seen in asked if seen.ledger_conn_id is not None})

    def write(ledger: str) -> None:
        with _open(ledger) as tables:
            tables.write_wish(name, wish)

    _, silent = ask_each(ledgers, write)
    problems = [f"ledger {ledger}: {reason}" for ledger, reason in silent.items()]
    try:
        task_states.write_wish(owners, wish)
    except CallApiTrouble as error:
        problems.append(str(error))
    if problems:
        raise CallApiTrouble(f"It is unknown whether all tasks got the wish: {'; '.join(problems)}")


def _open(ledger_conn_id: str) -> closing[SqlSupervision]:
    """Open a SQL ledger. Return a context manager that closes the ledger after the ``with`` block."""
    from airflow_provider_callapi.ledgers.sql_supervision import (  # noqa: PLC0415 - SQLAlchemy is heavy
        open_sql_supervision,
    )

    return closing(open_sql_supervision(ledger_conn_id))
