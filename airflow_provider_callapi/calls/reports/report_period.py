"""Read all rows of one period of a report of the Data API.

One request can ask for three months at most. So `windows` divides a longer period.

The Data API sends only the first pages of a period with many rows. And new rows can move other rows to
another page while the pages are read. In both cases, `PeriodReader` reads each half of the period on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.list_request import ListPages

E = TypeVar("E")
Period = tuple[int, int]
"""The beginning and the end of a period, epoch seconds."""
_LONGEST_WINDOW = 80 * 86_400
"""Seconds. Three months have at least 89 days. The rest is for a request that begins some days earlier."""


def windows(period: Period) -> Iterator[Period]:
    """Divide a period into equal parts, the earliest first, so that one request can ask for each part.

    No part of a long period is short: some accounts refuse a request whose period began a few hours ago.
    """
    since, until = period
    count = max(1, -(-(until - since) // _LONGEST_WINDOW))
    return pairwise(since + (until - since) * number // count for number in range(count + 1))


@dataclass(frozen=True)
class Part(Generic[E]):
    """One page of the rows of a period.

    :ivar period: the period of the request: the wanted period, or a part of it.
    :ivar rows: pairs (key of the row, row).
    :ivar left_out_ids: the ids of unreadable rows, see `Entries`.
    :ivar left_out: how many further rows were unreadable, or were not sent.
    """

    period: Period
    rows: Sequence[tuple[Hashable, E]] = ()
    left_out: int = 0
    left_out_ids: Sequence[int] = ()


@dataclass(frozen=True)
class PeriodReader(Generic[E]):
    """Reads all rows of a period.

    :ivar fetch_page: fetches one page of rows. Its arguments are the period and the offset: how many rows
        come before the page.
    :ivar key: a function that takes a row, and returns a key that no other row has.
    :ivar page_size: how many rows ``fetch_page`` asks for.
    :ivar last_offset: the largest offset that ``fetch_page`` accepts.
    :ivar all_or_none: whether the caller can only use all rows of the period. True: if the service announces
        more rows than it sends, or than its pages can contain, the reader reads the halves of the period.
        False: unsent rows count as left out, which costs no further request.
    """

    fetch_page: Callable[[Period, int], Entries[E]]
    key: Callable[[E], Hashable]
    page_size: int
    last_offset: int
    all_or_none: bool

    def read(self, period: Period) -> Iterator[Part[E]]:
        """Yield the rows of a period page by page.

        The parts may contain the same row several times. If a period of one second has more rows than the
        service sends, or its rows change their page, the reader counts one row as left out.

        :raises CallApiError: the service refuses the request, or does not answer.
        """
        since, until = period
        first = self.fetch_page(period, 0)
        # A caller that can use some of the rows does not trust a large total, which may be wrong.
        is_too_long = self.all_or_none and (first.total or 0) > self.last_offset + self.page_size
        is_whole = False if is_too_long else (yield from self._read_pages(period, first))
        if is_whole:
            return
        if until - since < 2:  # the times in the reports are whole seconds
            yield Part(period, left_out=1)
            return
        middle = (since + until) // 2
        yield from self.read((since, middle))
        yield from self.read((middle, until))

    def _read_pages(self, period: Period, first: Entries[E]) -> Generator[Part[E], None, bool]:
        """Yield the pages of a period. Return False if the halves of the period may contain further rows.

        ``first``: the first page.
        """

        def page_at(offset: int) -> Entries[E]:
            return self.fetch_page(period, offset) if offset else first

        pages = ListPages(page_at, page_size=self.page_size, last_offset=self.last_offset)
        keys = set[Hashable]()
        sizes: list[int] = []
        totals: list[int] = []
        for page in pages:
            rows = [(self.key(row), row) for row in page]
            on_page = {key for key, _ in rows}
            keys |= on_page
            # Who needs all rows also suspects a row that is twice on one page.
            sizes.append(len(rows if self.all_or_none else on_page))
            totals += [] if page.total is None else [page.total]
            yield Part(period, rows, page.left_out, page.left_out_ids)
        if not pages.has_ended or (pages.unsent and self.all_or_none):
            return False
        if pages.unsent:
            yield Part(period, left_out=pages.unsent)
        if pages.ignores_offset:
            return True
        # A row on two pages has moved, and so have the rows behind a row that has left the list.
        is_twice = len(sizes) > 1 and len(keys) < sum(sizes)
        return not is_twice and totals == sorted(totals)
