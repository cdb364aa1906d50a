"""Open the parts of a campaign, e.g. its ledger, its contact list and its table, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.contact_list.shard import own_list
from airflow_provider_callapi.calls.campaign.ledger import ClosableLedger
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.marks import need_operations
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators._campaign.blacklist import BlacklistWriter
from airflow_provider_callapi.operators._campaign.excluded_people import ExcludedPeople
from airflow_provider_callapi.operators._campaign.listed_people import ListedPeople
from airflow_provider_callapi.operators._campaign.memory import CampaignMemory
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._campaign.output_files import OutputFiles
from airflow_provider_callapi.operators._campaign.preparation import (
    open_ledger,
    read_plan,
    read_rules,
    read_template,
)
from airflow_provider_callapi.operators._campaign.services import CampaignServices
from airflow_provider_callapi.operators._campaign.supervision import Supervision, open_supervision_store
from airflow_provider_callapi.operators._mapped_files import refuse_files_of_others
from airflow_provider_callapi.task_context.facts import DELETED_STATE, TaskFacts, lost_its_state

if TYPE_CHECKING:  # SQLAlchemy is heavy
    from airflow_provider_callapi.operators._campaign.campaign_rows import CampaignRows


@dataclass(frozen=True)
class CampaignParts:
    """The parts of a campaign that stay the same during one run in a worker.

    :ivar hook: the connection to the Call API and the Data API.
    :ivar services: sends the campaign's requests.
    :ivar rules: the rules by which the campaign dials, e.g. its calling hours and redials.
    :ivar template: makes each person's start request.
    :ivar ledger: the store of the campaign's attempts.
    :ivar scope: a text that stands for the campaign in hashes of phone numbers.
    :ivar scope_of_ids: a text that stands for the campaign and its ledger in the ids of calls.
    :ivar listed: prevents that another map index calls the same people. None: not needed, see
        `ListedPeople.of`.
    :ivar plan: the people of the contact list, and the rows that lead to no call.
    :ivar excluded: the people on the do-not-call list.
    :ivar files: the results file and the campaign report.
    :ivar supervision: reads the wishes of users, and publishes the progress.
    :ivar table: the table of results in the author's database. None: the author names no table.
    :ivar blacklist: puts people on the account's blacklist.
    """

    hook: CallApiHook
    services: CampaignServices
    rules: Rules
    template: CallTemplate
    ledger: ClosableLedger
    scope: str
    scope_of_ids: str
    listed: ListedPeople | None
    plan: Plan
    excluded: ExcludedPeople
    files: OutputFiles
    supervision: Supervision
    table: CampaignRows | None
    blacklist: BlacklistWriter


@contextmanager
def open_parts(
    options: CampaignOptions,
    facts: TaskFacts,
    memory: CampaignMemory,
    log: Any,
    *,
    template_values: Mapping[str, Any],
    now: float,
    is_new_try: bool,
) -> Iterator[CampaignParts]:
    """Context manager: open the parts of a campaign, and dial no one.

    The end of the ``with`` block, or an error, stops the threads and closes the connections: first what was
    opened last.

    :param memory: what earlier workers of this campaign have stored.
    :param template_values: the values that templates in the option ``call`` may use beside the person's row.
    :param now: epoch seconds.
    :param is_new_try: False: the worker continues a try after a deferral. What the try has checked before is
        not checked again.
    :raises CallApiFailure: a parameter, the contact list or a database cannot be used, or Airflow has deleted
        the campaign's ledger.
    :raises CallApiTrouble: a database, or a list that was readable before, cannot be read now.
    :raises CallApiError: the Data API does not answer now. A retry may succeed.
    """
    if not (options.ledger_conn_id or options.is_dry_run) and lost_its_state(facts):
        raise CallApiFailure(DELETED_STATE)
    scope = facts.deployment.scope(options.campaign)
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(open_ledger(options, facts.state)))
        listed = ListedPeople.of(facts, ledger)
        if listed is not None and is_new_try:
            listed.publish_called()
        hook = opened.enter_context(CallApiHook(options.callapi_conn_id, max_limit_wait=0.0))
        account_timezone = hook.settings.timezone or memory.timezone or hook.timezone
        rules = read_rules(
            options, hook, now=now, run_after=facts.run_after, account_timezone=account_timezone
        )
        services = opened.enter_context(closing(_make_services(options, hook, rules)))
        template = read_template(options, template_values)
        plan = read_plan(options, template, scope, was_read_before=memory.identity is not None)
        excluded = ExcludedPeople(options, plan, memory, scope=scope, hook=hook, log=log)
        files = OutputFiles(options, log)
        if is_new_try and not (options.is_dry_run or options.shard):  # each shard has files of its own
            refuse_files_of_others(facts.mapped, files.paths)
        supervision = opened.enter_context(
            closing(Supervision(options.campaign, lambda: open_supervision_store(options, facts.state), log))
        )
        table = _open_table(options, facts, plan, log, ledger=ledger if is_new_try else None)
        if table is not None:
            opened.enter_context(closing(table))
        yield CampaignParts(
            hook=hook,
            services=services,
            rules=rules,
            template=template,
            ledger=ledger,
            scope=scope,
            scope_of_ids=_scope_of_ids(options, facts),
            listed=listed,
            plan=plan,
            excluded=excluded,
            files=files,
            supervision=supervision,
            table=table,
            blacklist=BlacklistWriter(hook, rules.block_marks, plan, log),
        )


def _scope_of_ids(options: CampaignOptions, facts: TaskFacts) -> str:
    # Each ledger begins with attempt 1. Its ids must differ from those of other runs, lists, databases.
    ledger = (options.ledger_conn_id,) if options.ledger_conn_id else facts.owner
    return facts.deployment.scope(options.campaign, *ledger)


def _make_services(options: CampaignOptions, hook: CallApiHook, rules: Rules) -> CampaignServices:
    return CampaignServices(
        hook,
        at_once=rules.at_once,
        account_timezone=rules.timezone,
        asks_operations=options.operations or need_operations([*rules.redial_marks, *rules.block_marks]),
    )


def _open_table(
    options: CampaignOptions, facts: TaskFacts, plan: Plan, log: Any, *, ledger: ClosableLedger | None
) -> CampaignRows | None:
    """Return the table to which the campaign writes its results. None: the author names no table.

    :param ledger: the campaign's ledger, if a try begins, see `open_results`.
    """
    if not isinstance(options.results, TableName):
        return None
    from airflow_provider_callapi.operators._campaign.campaign_rows import (  # noqa: PLC0415 - SQLAlchemy
        open_results,
    )

    dag_id, run_id, task_id, map_index = facts.owner
    number = own_list(options.shard, int(map_index))
    return open_results(
        options.results,
        options.campaign,
        plan,
        log,
        # No id of a DAG or a task contains these separators.
        task=f"{dag_id}/{task_id}{'' if number is None else f'[{number}]'}/{run_id}",
        ledger=ledger,
        list_number=number,
    )
