"""Whether a try is of the same campaign as the tries before it: another one would call people again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.campaign.people import Plan
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

if TYPE_CHECKING:
    from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

_ALWAYS = ("campaign", "shard", "ledger_conn_id")
"""Parameters with which a try finds the people it has called."""

_DIGITS = 6
"""Too few to find out a number by trying them all, where the list is of one person."""


def identity(task: CallApiCampaignOperator, plan: Plan, *, clears: int) -> dict[str, Any]:
    """Which campaign a try is of, plain JSON without a phone number.

    :param clears: ``max_tries``, which nothing but a person's clear raises.
    """
    keys = "\n".join(sorted(person.key for person in plan.people))
    return {
        **{name: getattr(task, name) for name in _ALWAYS},
        "contacts": f"{len(plan.people)} people ({hashlib.sha256(keys.encode()).hexdigest()[:_DIGITS]})",
        "clears": clears,
    }


def refuse_another(which: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Refuse to go on with another campaign than the one that this task began with.

    With another name, share or ledger a try would find nobody it has called. Of another list it would call
    the people, and forget those of the list before, without anybody knowing: that takes a person.

    :raises CallApiFailure: names the parameter.
    :raises CallApiTrouble: it is the list, which may be just being written anew; nobody has cleared the task.
    """
    for name in _ALWAYS:
        if which[name] != before[name]:
            raise CallApiFailure(
                f"{name}: this task began with {before[name]!r}, and with {which[name]!r} it would not know "
                "whom it has called. Nobody was dialled. Put the value back, or start another run"
            )
    if which["contacts"] != before["contacts"] and which["clears"] == before["clears"]:
        raise CallApiTrouble(
            f"contacts: this task began with {before['contacts']}, and the list has {which['contacts']} now. "
            "Nobody is dialled until it is as it was; clear this task to go on with the new list"
        )
