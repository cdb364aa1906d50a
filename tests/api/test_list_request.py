"""Fetching all pages of a list, with any number of entries on one page."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.api.account import AccountTag, GetTags
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.list_request import ListPages, fetch_list


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


def pages_of(service: Service, *, last_offset: int = 1000) -> ListPages[AccountTag]:
    return ListPages(service.page_at, page_size=10, last_offset=last_offset)


def tags_on(pages: ListPages[AccountTag]) -> list[AccountTag]:
    return [tag for page in pages for tag in page]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 55])
@pytest.mark.parametrize("longest_page", [3, 10])
def test_all_entries_are_fetched_if_the_service_states_their_number(count: int, longest_page: int) -> None:
    service = Service(count, longest_page, total=count)
    pages = pages_of(service)
    assert tags_on(pages) == service.tags
    assert (pages.unsent, pages.has_ended) == (0, True)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 55])
def test_a_short_page_is_the_last_if_the_service_states_no_number_of_entries(count: int) -> None:
    pages = pages_of(Service(count, 10, total=None))
    assert len(tags_on(pages)) == count
    assert (pages.unsent, pages.has_ended) == (0, True)


@pytest.mark.parametrize("total", [6, 10**9])
def test_entries_that_the_service_states_and_does_not_send_count_as_unsent(total: int) -> None:
    service = Service(5, 10, total=total)
    pages = pages_of(service)
    assert len(tags_on(pages)) == 5
    assert (pages.unsent, pages.has_ended, service.requests) == (total - 5, True, 2)


def test_a_service_that_ignores_the_offset_causes_no_endless_requests() -> None:
    service = Service(5, 5, total=10**9)
    pages = ListPages(lambda offset: service.page_at(0), page_size=10, last_offset=100_000)
    assert len(tags_on(pages)) == 5
    assert (pages.ignores_offset, pages.unsent, pages.has_ended, service.requests) == (True, 1, True, 2)


@pytest.mark.parametrize(
    ("count", "total", "has_ended"), [(55, 55, False), (30, 30, True), (30, None, False), (29, None, True)]
)
def test_a_list_that_is_longer_than_the_largest_offset_has_not_ended(
    count: int, total: int | None, has_ended: bool
) -> None:
    pages = pages_of(Service(count, 10, total), last_offset=20)
    assert len(tags_on(pages)) == min(count, 30)
    assert pages.has_ended is has_ended


@pytest.mark.parametrize("total", [5, 6])
def test_a_list_with_an_unsent_entry_is_incomplete(total: int) -> None:
    service = Service(5, 1000, total)

    def call(request: Any) -> Entries[AccountTag]:
        return service.page_at(request.offset or 0)

    assert fetch_list(call, GetTags()).complete is (total == 5)


def test_the_lists_of_the_account_are_fetched_page_by_page() -> None:
    service = Service(2500, 400, total=2500)

    def call(request: Any) -> Entries[AccountTag]:
        return service.page_at(request.offset or 0)

    tags = fetch_list(call, GetTags())
    assert (len(tags), tags.complete) == (2500, True)
