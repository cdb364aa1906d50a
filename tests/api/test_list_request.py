"""Fetching all pages of a list, with any number of entries on one page."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.api.account import AccountTag, GetTags
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.list_request import fetch_list, fetch_pages


class Service:
    """A service with some tags that sends at most so many on one page.

    :ivar total: what the service states as the number of all tags; None: it states nothing.
    """

    def __init__(self, count: int, longest_page: int, total: int | None) -> None:
        self.tags = [AccountTag(id=number) for number in range(count)]
        self.longest_page = longest_page
        self.total = total
        self.requests = 0

    def page_at(self, offset: int) -> Entries[AccountTag]:
        self.requests += 1
        page = Entries(self.tags[offset : offset + self.longest_page])
        page.total = self.total
        return page


def pages_of(service: Service, *, last_offset: int = 1000) -> tuple[Entries[AccountTag], bool]:
    return fetch_pages(service.page_at, page_size=10, last_offset=last_offset)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 55])
@pytest.mark.parametrize("longest_page", [3, 10])
def test_all_entries_are_fetched_if_the_service_states_their_number(count: int, longest_page: int) -> None:
    service = Service(count, longest_page, total=count)
    found, is_whole = pages_of(service)
    assert (list(found), found.complete, is_whole) == (service.tags, True, True)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 55])
def test_a_short_page_is_the_last_if_the_service_states_no_number_of_entries(count: int) -> None:
    found, is_whole = pages_of(Service(count, 10, total=None))
    assert (len(found), found.complete, is_whole) == (count, True, True)


@pytest.mark.parametrize("total", [6, 10**9])
def test_entries_that_the_service_states_and_does_not_send_count_as_left_out(total: int) -> None:
    service = Service(5, 10, total=total)
    found, _ = pages_of(service)
    assert (len(found), found.left_out) == (5, total - 5)
    assert service.requests == 2


def test_a_service_that_ignores_the_offset_causes_no_endless_requests() -> None:
    service = Service(5, 5, total=10**9)
    found, _ = fetch_pages(lambda offset: service.page_at(0), page_size=10, last_offset=100_000)
    assert (len(found), found.complete, service.requests) == (5, False, 2)


def test_a_list_that_is_longer_than_the_largest_offset_is_not_complete() -> None:
    found, is_whole = pages_of(Service(55, 10, total=55), last_offset=20)
    assert (len(found), is_whole) == (30, False)


def test_the_lists_of_the_account_are_fetched_page_by_page() -> None:
    service = Service(2500, 400, total=2500)

    def call(request: Any) -> Entries[AccountTag]:
        return service.page_at(request.offset or 0)

    tags = fetch_list(call, GetTags())
    assert (len(tags), tags.complete) == (2500, True)
