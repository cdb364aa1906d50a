"""The command ``airflow callapi campaigns``: lists campaigns, and pauses, resumes or stops one of them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.platform import getuser

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.cli.interruption import interruptible
from airflow_provider_callapi.cli.output import fail, print_rows, show_moment, time_column, warn
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision.campaigns import SeenCampaign, ask_campaign, list_campaigns
from airflow_provider_callapi.supervision.metadata_database import use_metadata_database


@suppress_logs_and_warning
@interruptible()
def campaigns(args: Namespace) -> None:
    """Print how far the campaigns are: one row for each task of a campaign.

    With the arguments ``pause NAME``, ``resume NAME`` or ``stop NAME``, the command first sends this wish to
    the campaign ``NAME``. Then the command prints only the rows of this campaign. If no campaign has this
    name, or if a place with campaigns cannot be read, the command exits with ``1``.
    """
    use_metadata_database()
    ledgers = args.ledger_conn_id or ()
    if args.action is not None:
        if args.name is None:
            fail(f"name the campaign: airflow callapi campaigns {args.action} NAME")
        try:
            ask_campaign(args.name, Wish(WishKind(args.action), getuser(), system_clock.now()), ledgers)
        except (CallApiFailure, CallApiTrouble) as error:
            fail(str(error))
    listed = list_campaigns(ledgers, args.name)
    for problem in listed.problems:
        warn(problem.text)
    print_rows([_row(seen, args) for seen in listed.found], args)
    if listed.problems:  # a script must not conclude that no campaign runs
        raise SystemExit(1)


def _row(seen: SeenCampaign, args: Namespace) -> dict[str, Any]:
    is_data = args.output in ("json", "yaml")
    progress = seen.progress
    return {
        "campaign": progress.campaign,
        "shard": progress.shard or None,
        "doing": progress.doing,
        "why": mask_phones(progress.why) or None,
        **(_counts(progress) if is_data else _count_texts(progress)),
        "asked": seen.wish and (_wish(seen.wish, args) if is_data else _wish_text(seen.wish)),
        time_column("ends", args): progress.ends_at and show_moment(progress.ends_at, args),
        time_column("at", args): show_moment(progress.at, args),
        **(_task(progress) if is_data else {"task": _task_text(progress, args)}),
    }


# --- json and yaml: values that a program need not take apart ---


def _counts(progress: CampaignProgress) -> dict[str, Any]:
    return {
        "finished": progress.finished,
        "people": progress.people,
        "active": progress.active,
        "results": dict(progress.results),
    }


def _wish(wish: Wish, args: Namespace) -> dict[str, Any]:
    return {"kind": wish.kind.value, "by": wish.by, "at": show_moment(wish.at, args)}


def _task(progress: CampaignProgress) -> dict[str, Any]:
    dag_id, run_id, task_id, map_index = progress.owner
    return {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": int(map_index)}


# --- table and plain: short texts for a person ---


def _count_texts(progress: CampaignProgress) -> dict[str, Any]:
    return {
        "finished": f"{progress.finished}/{progress.people}",
        "active": progress.active,
        "results": [f"{result} {number}" for result, number in progress.results.items()],
    }


def _wish_text(wish: Wish) -> str:
    return f"{wish.kind.value} by {wish.by}"


def _task_text(progress: CampaignProgress, args: Namespace) -> str | list[str]:
    # Airflow's map index of a task that is not mapped is -1.
    task = [part for part in progress.owner if part != "-1"]
    return task if args.output == "table" else " ".join(task)  # a table has a line for each part
