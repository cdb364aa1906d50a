"""A Data API request for one page of a list, and a function that fetches all pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import Field

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.methods import ListRequest, Repeat
from airflow_provider_callapi.api.models import Answer

M = TypeVar("M", bound=Answer)
Sort = list[dict[str, Any]]
"""The sort order of a Data API list: ``[{"field": …, "order": "asc"|"desc"}]``."""

_PAGE_SIZE = 1000
_LAST_OFFSET = 100_000
"""The largest offset that the Data API accepts."""


class PagedRequest(ListRequest[M], Generic[M]):
    """A Data API request for one page of a list.

    :ivar limit: entries per page; the service sends 1000 by default.
    """

    repeat = Repeat.SAFE

    filter: dict[str, Any] | None = None
    sort: Sort | None = None
    limit: int | None = Field(None, ge=1, le=10_000)
    offset: int | None = Field(None, ge=0, le=100_000)


def fetch_list(call: Callable[[Any], Entries[M]], request: PagedRequest[M]) -> Entries[M]:
    """Return the entries of all pages of a list.

    If the list has more entries than the Data API sends, the result is not complete.

    :param call: sends a request to the Data API and returns the answer.
    :param request: the request for the list, without ``limit`` and ``offset``.
    :raises CallApiError: the Data API did not answer.
    """
    found: list[M] = []
    left_out, left_out_ids = 0, list[int]()
    for offset in range(0, _LAST_OFFSET + 1, _PAGE_SIZE):
        page = call(request.model_copy(update={"limit": _PAGE_SIZE, "offset": offset or None}))
        found += page
        left_out += page.left_out
        left_out_ids += page.left_out_ids
        if page.sent < _PAGE_SIZE:
            break
    else:
        left_out += 1
    return Entries(found, left_out=left_out, left_out_ids=left_out_ids)
