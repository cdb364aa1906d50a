"""A Data API request for one page of a list, and a function that fetches all pages."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import Field

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.methods import ListRequest, Repeat
from airflow_provider_callapi.api.models import Answer

M = TypeVar("M", bound=Answer)
E = TypeVar("E")
Sort = list[dict[str, Any]]
"""The sort order of a Data API list: ``[{"field": …, "order": "asc"|"desc"}]``."""

LARGEST_PAGE = 10_000
"""The most entries that the Data API sends in one answer."""
LAST_OFFSET = 100_000
"""The largest offset that the Data API accepts."""
_PAGE_SIZE = 1000


class PagedRequest(ListRequest[M], Generic[M]):
    """A Data API request for one page of a list.

    :ivar filter: the condition for the entries, e.g. ``{"field": "id", "operator": "=", "value": 7}``.
    :ivar limit: entries per page; the service sends 1000 by default.
    :ivar offset: the number of entries before the page; None: the first page.
    """

    repeat = Repeat.SAFE

    filter: dict[str, Any] | None = None
    sort: Sort | None = None
    limit: int | None = Field(None, ge=1, le=LARGEST_PAGE)
    offset: int | None = Field(None, ge=0, le=LAST_OFFSET)


def fetch_list(call: Callable[[Any], Entries[M]], request: PagedRequest[M]) -> Entries[M]:
    """Fetch all pages of a Data API list, and return their entries as one `Entries`.

    The Data API returns only about the first 100 000 entries. If the list may have more, the result counts as
    incomplete.

    :param call: a function that sends a request to the Data API and returns the answer.
    :param request: the request for the list. Its ``limit`` and ``offset`` have no effect.
    :raises CallApiError: the request for a page failed.
    """

    def page_at(offset: int) -> Entries[M]:
        return call(request.model_copy(update={"limit": _PAGE_SIZE, "offset": offset or None}))

    found, is_whole = fetch_pages(page_at, page_size=_PAGE_SIZE, last_offset=LAST_OFFSET)
    found.left_out += not is_whole
    return found


def fetch_pages(
    page_at: Callable[[int], Entries[E]],
    *,
    page_size: int,
    last_offset: int,
    key: Callable[[E], Hashable] | None = None,
) -> tuple[Entries[E], bool]:
    """Fetch a list page by page, and return the entries of all pages.

    The returned `Entries` count as incomplete if the service has sent fewer entries than it has announced, if
    an entry could not be read, or if two pages in a row are equal: the service then seems to ignore the
    offset.

    :param page_at: fetches one page. Its argument is the offset: how many entries come before the page.
    :param page_size: how many entries ``page_at`` asks for.
    :param last_offset: the largest offset that ``page_at`` accepts.
    :param key: a function that takes an entry, and returns a key that no other entry has. With these keys,
        `fetch_pages` notices entries that move to another page while it reads. None: it does not notice them.
    :return: a pair: the entries, and whether the function has reached the end of the list undisturbed. False:
        the list may continue after ``last_offset``, or entries have moved to another page meanwhile. The
        caller should then read the list in smaller parts.
    """
    found: list[E] = []
    pages: list[Entries[E]] = []
    left_out, left_out_ids = 0, list[int]()
    offset = 0
    page: Entries[E] = Entries()
    while offset <= last_offset:
        before, page = page, page_at(offset)
        if offset and page == before:  # the service ignores the offset
            return Entries(found, left_out=left_out + 1, left_out_ids=left_out_ids), True
        found += page
        pages.append(page)
        left_out += page.left_out
        left_out_ids += page.left_out_ids
        offset += page.sent
        unsent = max((page.total or 0) - offset, 0)
        if not page.sent or (page.sent < page_size and not unsent):
            is_whole = key is None or not _have_moved(pages, key)
            return Entries(found, left_out=left_out + unsent, left_out_ids=left_out_ids), is_whole
    return Entries(found, left_out=left_out, left_out_ids=left_out_ids), False


def _have_moved(pages: Sequence[Entries[E]], key: Callable[[E], Hashable]) -> bool:
    """Return whether entries moved to another page, or left the list, while ``pages`` were fetched."""
    if len(pages) == 1:  # to make the keys of a long list takes time
        return False
    totals = [page.total for page in pages if page.total is not None]
    keys = [set(map(key, page)) for page in pages]
    return totals != sorted(totals) or len(set().union(*keys)) < sum(map(len, keys))
