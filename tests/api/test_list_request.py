"""Fetching all pages of a list, with any number of entries on one page."""

from __future__ import annotations

from typing import Any

import pytest
from data_api import DataApi

from airflow_provider_callapi.api.account import AccountTag, GetTags
from airflow_provider_callapi.api.list_request import ListPages, fetch_list


def account_with(count: int, longest_page: int, total: int | None, **options: Any) -> DataApi:
    """Return a Data API whose account has some tags, and which states ``total`` as their number."""
    tags = [{"id": number} for number in range(count)]
    states = {"longest_page": longest_page, "total": lambda request, count: total, **options}
    return DataApi(lists={GetTags.method: tags}, **states)


def pages_of(data_api: DataApi, *, last_offset: int = 1000) -> ListPages[AccountTag]:
    return ListPages(
        lambda offset: data_api.call(GetTags(offset=offset)), page_size=10, last_offset=last_offset
    )


def tags_on(pages: ListPages[AccountTag]) -> list[AccountTag]:
    return [tag for page in pages for tag in page]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 55])
@pytest.mark.parametrize("longest_page", [3, 10])
def test_all_entries_are_fetched_if_the_service_states_their_number(count: int, longest_page: int) -> None:
    data_api = account_with(count, longest_page, total=count)
    pages = pages_of(data_api)
    assert [tag.id for tag in tags_on(pages)] == [*range(count)]
    assert (pages.unsent, pages.has_ended) == (0, True)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 55])
def test_a_short_page_is_the_last_if_the_service_states_no_number_of_entries(count: int) -> None:
    pages = pages_of(account_with(count, 10, total=None))
    assert len(tags_on(pages)) == count
    assert (pages.unsent, pages.has_ended) == (0, True)


@pytest.mark.parametrize("total", [6, 10**9])
def test_entries_that_the_service_states_and_does_not_send_count_as_unsent(total: int) -> None:
    data_api = account_with(5, 10, total=total)
    pages = pages_of(data_api)
    assert len(tags_on(pages)) == 5
    assert (pages.unsent, pages.has_ended, len(data_api.asked)) == (total - 5, True, 2)


def test_a_service_that_ignores_the_offset_causes_no_endless_requests() -> None:
    data_api = account_with(5, 5, total=10**9, ignores=["offset"])
    pages = pages_of(data_api, last_offset=100_000)
    assert len(tags_on(pages)) == 5
    assert (pages.ignores_offset, pages.unsent, pages.has_ended, len(data_api.asked)) == (True, 1, True, 2)


@pytest.mark.parametrize(
    ("count", "total", "has_ended"), [(55, 55, False), (30, 30, True), (30, None, False), (29, None, True)]
)
def test_a_list_that_is_longer_than_the_largest_offset_has_not_ended(
    count: int, total: int | None, has_ended: bool
) -> None:
    pages = pages_of(account_with(count, 10, total), last_offset=20)
    assert len(tags_on(pages)) == min(count, 30)
    assert pages.has_ended is has_ended


@pytest.mark.parametrize("total", [5, 6])
def test_a_list_with_an_unsent_entry_is_incomplete(total: int) -> None:
    data_api = account_with(5, 1000, total)
    assert fetch_list(data_api.call, GetTags()).complete is (total == 5)


def test_the_lists_of_the_account_are_fetched_page_by_page() -> None:
    data_api = account_with(2500, 400, total=2500)
    tags = fetch_list(data_api.call, GetTags())
    assert (len(tags), tags.complete) == (2500, True)
