"""The command ``airflow callapi campaigns``: lists campaigns, and pauses, resumes or stops one of them."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.platform import getuser

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.cli.output import fail, print_rows, show_moment, time_column, warn
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision.campaigns import SeenCampaign, ask_campaign, list_campaigns


@suppress_logs_and_warning
def campaigns(args: Namespace) -> None:
    """Print how far the campaigns are: one row for each task of a campaign.

    With the arguments ``pause NAME``, ``resume NAME`` or ``stop NAME``, the command first sends this wish to
    the campaign ``NAME``. Then the command prints only the rows of this campaign. If no campaign has this
    name, or if a place with campaigns cannot be read, the command exits with ``1``.
    """
    # allows the command to read connections from the metadata database
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
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
    progress, wish = seen.progress, seen.wish
    # Airflow's map index of a task that is not mapped is -1.
    task = [part for part in progress.owner if part != "-1"]
    return {
        "campaign": progress.campaign,
        "shard": progress.shard or None,
        "doing": progress.doing,
        "why": mask_phones(progress.why) or None,
        "finished": f"{progress.finished}/{progress.people}",
        "active": progress.active,
        "results": [f"{result} {number}" for result, number in progress.results.items()],
        "asked": wish and f"{wish.kind.value} by {wish.by}",
        time_column("ends", args): progress.ends_at and show_moment(progress.ends_at, args),
        time_column("at", args): show_moment(progress.at, args),
        "task": task if args.output == "table" else " ".join(task),  # a table has a line for each part
    }
