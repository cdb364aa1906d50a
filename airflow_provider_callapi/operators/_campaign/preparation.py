"""From a campaign operator's parameters to the parts of a campaign; what cannot be used fails at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.campaign.hours import CallingHours, is_timezone
from airflow_provider_callapi.calls.campaign.ledger import Ledger
from airflow_provider_callapi.calls.campaign.outcomes import redial_table
from airflow_provider_callapi.calls.campaign.people import (
    CallTemplate,
    Plan,
    fingerprint,
    read_people,
    read_shard,
)
from airflow_provider_callapi.calls.campaign.phone_numbers import is_region
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.ledgers.paged import PagedLedger
from airflow_provider_callapi.operators._call.lifecycle import read_tag_rules
from airflow_provider_callapi.operators._campaign.contact_list import read_rows

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook
    from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
    from airflow_provider_callapi.task_context import TaskState

_IN_TEMPLATES: tuple[str, ...] = ("params", "ds", "run_id")
"""What of Airflow's context a call's templates may use."""


@contextmanager
def _before_dialling() -> Iterator[None]:
    """What cannot be used fails the task without retries, and says that nothing has happened."""
    try:
        yield
    except ValueError as error:
        raise CallApiFailure(f"{error}. Nobody was dialled.") from None


def read_rules(task: CallApiCampaignOperator, context: Context, hook: CallApiHook) -> Rules:
    """When, how often and how fast people are called.

    :raises CallApiFailure: as the others here: names the parameter; nobody was dialled.
    """
    tag_rules = read_tag_rules(task.tags, hook)
    run_after = getattr(context.get("dag_run"), "run_after", None)
    late = _seconds(task.max_lateness)
    until = run_after.timestamp() + late if run_after is not None and late is not None else float("inf")
    with _before_dialling():
        if not is_timezone(task.timezone):
            raise ValueError(f"timezone: {task.timezone!r} is not on the IANA list")
        if not is_region(task.region):
            raise ValueError(f"region: {task.region!r} is not a code of ISO 3166, such as 'RU'")
        return Rules(
            hours=CallingHours.parse(task.calling_hours, task.calling_days),
            redial=redial_table(task.redial),
            max_attempts=task.max_attempts,
            max_active=task.max_active_calls,
            appear_timeout=task.appear_timeout,
            call_timeout=task.call_timeout,
            report_timeout=task.report_timeout if hook.has_data_api else None,
            timezone=hook.settings.timezone,
            dial_until=until,
            tags=tag_rules,
        )


def read_template(task: CallApiCampaignOperator, context: Context) -> CallTemplate:
    """The call that everybody gets."""
    values = {name: context.get(name) for name in _IN_TEMPLATES if name in context}
    with _before_dialling():
        return CallTemplate(task.call, values)


def open_ledger(task: CallApiCampaignOperator, state: TaskState | None) -> Ledger:
    """Where it is kept who was called.

    :param state: Airflow's task state; None: this version has none.
    :raises CallApiTrouble: the database does not answer.
    """
    if task.ledger_conn_id:
        from airflow_provider_callapi.ledgers.sql import open_sql_ledger  # noqa: PLC0415 - SQLAlchemy

        with _before_dialling():
            return open_sql_ledger(task.ledger_conn_id, task.campaign, min_gap=_seconds(task.min_gap))
    if state is not None:
        return PagedLedger(state)
    raise CallApiFailure(
        "ledger_conn_id: this version of Airflow has no task state (3.3+ has), so the campaign needs an "
        "SQL database to remember who was called. Nobody was dialled."
    )


def read_plan(task: CallApiCampaignOperator, template: CallTemplate) -> Plan:
    """The people of the list.

    :raises CallApiTrouble: the list's storage does not answer.
    """
    with _before_dialling():
        plan = read_people(
            read_rows(task.contacts, "contacts"),
            template,
            campaign=task.campaign,
            # in the user's own database the number, so that others can ask for it; elsewhere none
            key_of=str if task.ledger_conn_id else partial(fingerprint, task.campaign),
            region=task.region,
            timezone=task.timezone,
            shard=read_shard(task.shard),
        )
        if plan.invalid and not plan.people:
            first = plan.invalid[0]
            raise ValueError(
                f"contacts: none of the {len(plan.invalid)} rows makes a call; row {first.line}: {first.why}"
            )
    return plan


def _seconds(value: timedelta | float | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value
