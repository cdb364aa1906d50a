"""Rows of contact lists, and what a campaign makes of them: people to call and invalid rows."""

from __future__ import annotations

from typing import Any

from known_numbers import CALL

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.campaign.contact_list.shard import WHOLE_LIST, Shard


def template_of(call: dict[str, Any], values: dict[str, Any] | None = None) -> CallTemplate:
    return CallTemplate(call, values, region="RU")


def plan_of(rows: list[Any], *, shard: Shard = WHOLE_LIST, **call: Any) -> Plan:
    return read_people(
        rows,
        template_of({**CALL, **call}),
        key_of=str,
        timezone="Europe/Moscow",
        shard=shard,
    )


def anna(phone: str = "79260000011", **row: Any) -> dict[str, Any]:
    return {"phone": phone, "name": "Anna", **row}


def why(plan: Plan) -> str:
    (skipped,) = plan.invalid
    assert not plan.people
    return skipped.why
