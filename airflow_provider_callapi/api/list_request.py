"""A Data API request for one page of a list, and the pages of a whole list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from pydantic import Field

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.models import Answer
from airflow_provider_callapi.api.request import ListRequest, Repeat

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


class ListPages(Generic[E]):
    """The pages of one list. A loop over this object fetches one page after the other.

    :param page_at: fetches one page. Its argument is the offset: how many entries come before the page.
    :param page_size: how many entries ``page_at`` asks for.
    :param last_offset: the largest offset that ``page_at`` accepts.
    :ivar ignores_offset: whether the service seems to ignore the offset: two pages in a row were equal.
    :ivar unsent: how many entries the service has announced and not sent so far. If the service ignores the
        offset, the number is 1.
    :ivar has_ended: whether the service has no further page. If it is False after the loop, the list may
        continue after ``last_offset``.
    """

    def __init__(self, page_at: Callable[[int], Entries[E]], *, page_size: int, last_offset: int) -> None:
        self.ignores_offset = False
        self.unsent = 0
        self.has_ended = False
        self._page_at = page_at
        self._page_size = page_size
        self._last_offset = last_offset

    def __iter__(self) -> Iterator[Entries[E]]:
        """Fetch and yield the pages. A page that is equal to the page before it is not yielded."""
        offset = 0
        page: Entries[E] = Entries()
        while not self.has_ended and offset <= self._last_offset:
            before, page = page, self._page_at(offset)
            if offset and page == before:
                self.ignores_offset, self.unsent, self.has_ended = True, 1, True
                return
            offset += page.sent
            self.unsent = max((page.total or 0) - offset, 0)
            is_last = page.sent < self._page_size or (page.total is not None and offset > self._last_offset)
            self.has_ended = not page.sent or (is_last and not self.unsent)
            yield page


def fetch_list(call: Callable[[Any], Entries[M]], request: PagedRequest[M]) -> Entries[M]:
    """Fetch all pages of a Data API list, and return their entries as one `Entries`.

    The result counts as incomplete in these cases:

    - An entry could not be read, or the service has sent fewer entries than it has announced.
    - Two pages in a row are equal: the service then seems to ignore the offset.
    - The list may have more entries than the about 100 000 that the Data API returns.

    :param call: a function that sends a request to the Data API and returns the answer.
    :param request: the request for the list. Its ``limit`` and ``offset`` have no effect.
    :raises CallApiError: the request for a page failed.
    """

    def page_at(offset: int) -> Entries[M]:
        return call(request.model_copy(update={"limit": _PAGE_SIZE, "offset": offset or None}))

    pages = ListPages(page_at, page_size=_PAGE_SIZE, last_offset=LAST_OFFSET)
    whole = Entries.joined(list(pages))
    whole.left_out += pages.unsent if pages.has_ended else 1
    return whole
