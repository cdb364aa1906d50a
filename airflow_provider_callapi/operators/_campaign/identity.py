"""What identifies the campaign of a task, so that a later try does not run another campaign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.options import CampaignOptions

_IDENTITY_FIELDS = ("campaign", "shard", "ledger_conn_id")
"""The options that determine the ledger records in which a try finds the people that earlier tries called."""
_FIELDS_WITH_CONNECTION = (*_IDENTITY_FIELDS, "callapi_conn_id")
_DIGITS = 6
"""The number of hexadecimal digits of the contact list's hash.

With so few digits, the hash of a list with one person does not reveal the number.
"""


def identity_of(options: CampaignOptions, plan: Plan, scope: str, clears: Clears) -> dict[str, Any]:
    """Return JSON values that identify the campaign of a try, such as its name and a hash of its people.

    `refuse_another_campaign` compares the values of two tries. The values contain no phone number.

    :param scope: a text that stands for the deployment and the campaign.
    :param clears: shows whether a user has cleared the task between two tries. The list of people may then
        have changed.
    """
    keys = "\n".join(sorted(person.key for person in plan.people))
    return {
        **{name: getattr(options, name) for name in _FIELDS_WITH_CONNECTION},
        "contacts": f"{len(plan.people)} people ({_checksum(keys)})",
        "deployment": _checksum(scope),
        **asdict(clears),
    }


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def refuse_another_campaign(
    now: Mapping[str, Any], before: Mapping[str, Any], *, proves_absence: bool
) -> None:
    """Raise an error if this try would run another campaign than the task's earlier tries.

    :param now: the result of `identity_of` in this try.
    :param before: the result of `identity_of` in the task's last try.
    :param proves_absence: whether ``absence_proven_after`` is set. Then the connection must not change,
        because another account does not show the calls of earlier tries.
    :raises CallApiFailure: an option or a setting has changed, so that earlier calls would not be found.
    :raises CallApiTrouble: the contact list has changed, and no user has cleared the task.
    """
    for name in _FIELDS_WITH_CONNECTION if proves_absence else _IDENTITY_FIELDS:
        if now[name] != before.get(name, now[name]):
            raise CallApiFailure(
                f"{name}: this task began with {before[name]!r}. With {now[name]!r}, the task would "
                "not find its earlier calls. Restore the value, or start another run"
            )
    if now["deployment"] != before.get("deployment", now["deployment"]):
        raise CallApiFailure(
            "[callapi] deployment, [callapi] secret_keys, [api] base_url or [core] fernet_key: one of these "
            "settings has changed since this task began, so the task would not find its earlier calls. "
            "Restore the setting, or add the old key after the new key"
        )
    # After a user has cleared the task, the list may differ. Otherwise, a retry succeeds with the old list.
    if now["contacts"] != before["contacts"] and not Clears.of(now).since(Clears.of(before)):
        raise CallApiTrouble(
            f"contacts: this task began with {before['contacts']}, and the list has {now['contacts']} now. "
            "The task places no calls until the list is as it was. Clear this task to accept the new list"
        )
