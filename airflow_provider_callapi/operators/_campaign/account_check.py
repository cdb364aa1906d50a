"""Checks before the first call that the account has all objects that a campaign uses, such as scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import InvalidRow
from airflow_provider_callapi.calls.named_objects import (
    NamedObjects,
    fetch_account_lists,
    find_mistakes,
)
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_phone_number
from airflow_provider_callapi.hooks.callapi import CallApiHook

_EVERYONES_OWN = frozenset({"contact", "external_id"})


def find_problems(
    hook: CallApiHook, template: CallTemplate, people: list[Person], tags: Iterable[int]
) -> list[str]:
    """Return a sentence for each scenario, tag, … of a campaign that the account lacks or has disabled.

    :return: the sentences, and one more for each list of the account that cannot be read. Empty: there is no
        problem, or nothing was checked, because the connection has no Data API.
    """
    if not hook.has_data_api or not people:
        return []
    named = NamedObjects.of(_requests(template, people), tags)
    lists = fetch_account_lists(hook.data_api.client.call, named)  # each request costs one point
    return [*find_mistakes(named, lists), *lists.unread]  # a list that cannot be read is a problem, too


def _requests(template: CallTemplate, people: list[Person]) -> Iterator[StartCall]:
    """Yield start requests that together name all scenarios, files, … of the campaign.

    The requests are only for the check. They are not sent.
    """
    same = template.personal <= _EVERYONES_OWN and all(is_phone_number(person.contact) for person in people)
    for person in people[:1] if same else people:  # same: all requests name the same objects
        with suppress(InvalidRow):
            yield template.request(person, external_id="check")
