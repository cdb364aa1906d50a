"""Look before the first call for numbers, scenarios, employees, files and tags that the account lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.campaign.people import CallTemplate, InvalidRow, Person
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
    """Return a sentence for each object that the campaign names and the account lacks or has switched off.

    The function also returns a sentence for each list of the account that the Data API refused. Without the
    Data API, the function returns no sentence. Each needed list is asked once and costs a point.

    :param tags: ids of the tags that the calls get.
    """
    if not hook.has_data_api or not people:
        return []
    named = NamedObjects.of(_requests(template, people), tags)
    lists = fetch_account_lists(hook.data_api.client.call, named)
    return [*find_mistakes(named, lists), *lists.unread]


def _requests(template: CallTemplate, people: list[Person]) -> Iterator[StartCall]:
    """Yield the start requests of the people; of one person, if all requests name the same objects."""
    same = template.personal <= _EVERYONES_OWN and not any(is_sip_number(person.contact) for person in people)
    for person in people[:1] if same else people:
        with suppress(InvalidRow):
            yield template.request(person, external_id="check")
