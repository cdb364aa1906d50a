"""Checks before the first call that the account has all objects that a campaign uses, such as scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.campaign.people import CallTemplate, Person
from airflow_provider_callapi.calls.campaign.row_templates import InvalidRow
from airflow_provider_callapi.calls.named_objects import (
    NamedObjects,
    fetch_account_lists,
    find_mistakes,
    is_sip_number,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook

_EVERYONES_OWN = frozenset({"contact", "external_id"})


def find_problems(
    hook: CallApiHook, template: CallTemplate, people: list[Person], tags: Iterable[int]
) -> list[str]:
    """Return a sentence for each object of the campaign that the account lacks or has switched off.

    The objects are virtual numbers, scenarios, employees, media files, tags and SIP lines. For each kind
    that the campaign uses, the function reads the account's list from the Data API. Each request costs one
    point (rate-limit unit). A list that cannot be read also gives a sentence.

    :param template: the object that makes the start request of each person.
    :param tags: ids of the tags that the campaign sets or reads.
    :return: the sentences. The list is also empty if ``people`` is empty, or if the Airflow connection does
        not use the Data API.
    """
    if not hook.has_data_api or not people:
        return []
    named = NamedObjects.of(_requests(template, people), tags)
    lists = fetch_account_lists(hook.data_api.client.call, named)
    return [*find_mistakes(named, lists), *lists.unread]


def _requests(template: CallTemplate, people: list[Person]) -> Iterator[StartCall]:
    """Yield the start requests that name the objects (scenarios, files, …) which the campaign uses.

    If the requests of all people name the same objects, yield only the request of the first person.
    """
    same = template.personal <= _EVERYONES_OWN and not any(is_sip_number(person.contact) for person in people)
    for person in people[:1] if same else people:
        with suppress(InvalidRow):
            yield template.request(person, external_id="check")
