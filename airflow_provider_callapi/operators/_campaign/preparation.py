"""Build the parts of a campaign, e.g. its rules and its list of people, from the operator's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from airflow_provider_callapi.api.methods import may_ring_contact_first
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.calling_hours.hours import NEVER, year_in
from airflow_provider_callapi.calls.calling_hours.production_calendar import read_calling_hours
from airflow_provider_callapi.calls.campaign.attempt_ids import fingerprint
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.campaign.contact_list.shard import read_shard
from airflow_provider_callapi.calls.campaign.ledger import ClosableLedger
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_region
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, InvalidParameter
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.ledgers.paged import PagedLedger
from airflow_provider_callapi.operators._campaign.contact_list import read_rows
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._tags import check_tag_rules
from airflow_provider_callapi.parameters.schema import as_invalid_parameter


def read_rules(
    options: CampaignOptions,
    hook: CallApiHook,
    *,
    now: float,
    run_after: float | None,
    account_timezone: str,
) -> Rules:
    """Convert the operator's options to the campaign's rules, e.g. its calling hours and redials.

    :param now: epoch seconds.
    :param run_after: when the DAG run was due, epoch seconds. None: ``max_lateness`` has no effect.
    :param account_timezone: IANA name of the account's time zone.
    :raises CallApiFailure: an option cannot be used.
    """
    dial_until = NEVER
    if run_after is not None and options.max_lateness is not None:
        dial_until = run_after + options.max_lateness.total_seconds()
    check_tag_rules(options.tags, hook)
    if not is_region(options.region):
        raise InvalidParameter(f"region: {options.region!r} is not a code of ISO 3166, such as 'RU'")
    if not hook.has_data_api:
        remedy = f"set extra.data_api of connection {hook.callapi_conn_id} to true"
        if options.absence_proven_after is not None:
            raise InvalidParameter(f"absence_proven_after needs the Data API: {remedy}")
        if options.redial_marks or options.operations or options.block_marks:
            raise InvalidParameter(
                f"redial by operation or tag, block_on and operations need the Data API: {remedy}"
            )
    with as_invalid_parameter():
        hours = read_calling_hours(
            options.calling_hours,
            options.calling_days,
            country=options.region,
            year=year_in(options.timezone, now),
        )
    return Rules(
        hours=hours,
        redial=options.redial,
        redial_marks=options.redial_marks,
        block_marks=options.block_marks,
        max_attempts=options.max_attempts,
        max_active=options.max_active_calls,
        at_once=options.max_starts_at_once,
        appear_timeout=options.appear_timeout,
        call_timeout=options.call_timeout,
        report_timeout=options.report_timeout if hook.has_data_api else None,
        absence_proven_after=options.absence_proven_after,
        contact_first=may_ring_contact_first(options.call.get("first_call", "contact")),
        timezone=account_timezone,
        dial_until=dial_until,
        tags=options.tags,
    )


def read_template(options: CampaignOptions, values: Mapping[str, Any]) -> CallTemplate:
    """Return the `CallTemplate` from which the campaign makes each person's start request.

    :param values: the values that Jinja templates in the option ``call`` may use, e.g. ``params``. They may
        also use the person's row.
    :raises CallApiFailure: the option ``call`` cannot be used.
    """
    with as_invalid_parameter():
        return CallTemplate(options.call, values, region=options.region)


def open_ledger(options: CampaignOptions, state: KeyValueStore | None) -> ClosableLedger:
    """Open the store of the campaign's attempts: an SQL database or Airflow's task state.

    :raises CallApiFailure: there is no usable store.
    """
    if options.ledger_conn_id:
        from airflow_provider_callapi.ledgers.sql import open_sql_ledger  # noqa: PLC0415 - SQLAlchemy is heavy

        with as_invalid_parameter():
            return open_sql_ledger(options.ledger_conn_id, options.campaign, min_gap=options.min_gap)
    if state is not None:
        return PagedLedger(state)
    raise CallApiFailure(
        "ledger_conn_id: this version of Airflow has no task state (3.3+ has), so the campaign needs an "
        "SQL database to remember who was called"
    )


def read_plan(options: CampaignOptions, template: CallTemplate, scope: str, *, was_read_before: bool) -> Plan:
    """Read the contact list. Return a `Plan`: the people to call, and the rows that lead to no call.

    :param scope: a text that stands for the campaign in the hashes of phone numbers.
    :param was_read_before: whether this task has read the list before.
    :raises CallApiFailure: the list cannot be read.
    :raises CallApiTrouble: the list cannot be read, but this task has read it before.
    """
    try:
        with as_invalid_parameter():
            return _read_plan(options, template, scope)
    except CallApiFailure as error:
        if not was_read_before:
            raise
        # The list was readable before, so a retry may succeed.
        raise CallApiTrouble(f"{error}. The list could be read when this task began") from error


def _read_plan(options: CampaignOptions, template: CallTemplate, scope: str) -> Plan:
    is_file = isinstance(options.contacts, str)
    where = f"contacts: {options.contacts}" if is_file else "contacts"

    def failure(text: str) -> CallApiFailure:
        return CallApiFailure(f"{where}: {mask_phones(text)}")

    try:
        plan = read_people(
            read_rows(options.contacts, "contacts"),
            template,
            # The user's own database keeps the number, so that users can query it. Task state keeps a hash,
            # in which `scope` stands for the campaign.
            key_of=str if options.ledger_conn_id else partial(fingerprint, scope),
            timezone=options.timezone,
            shard=read_shard(options.shard),
        )
    except ListUnreadable as error:
        raise failure(str(error)) from None
    if not plan.rows and is_file:
        raise failure("the file has no rows, so its export has probably failed")
    if not plan.rows and plan.has_blank_rows:
        raise failure("all rows are empty")
    if plan.invalid and not plan.people:
        first = plan.invalid[0]
        number = len(plan.invalid)
        rows = "the only row makes no" if number == 1 else f"none of the {number} rows makes a"
        raise failure(f"{rows} call; row {first.line}: {first.why}")
    return plan
