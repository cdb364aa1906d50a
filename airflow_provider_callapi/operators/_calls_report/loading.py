"""One try of the report operator: load calls from the Data API, and return or write the calls.

The calls go to the return value, a file or a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.reports.call_filter import CallFilter
from airflow_provider_callapi.calls.reports.calls_report import CallsReport, ReportColumns, ReportRefused, Row
from airflow_provider_callapi.calls.reports.report_pages import ReportIncomplete, ReportPages
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.texts.time_texts import iso_time, local_time
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._calls_report.options import ReportOptions

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

MOST_RETURNED_ROWS = 1000
"""The largest number of rows in a return value, because Airflow stores return values in its own database."""


def load_calls(
    options: ReportOptions, interval: tuple[int, int], hook: CallApiHook, log: Any, *, now: float
) -> list[Row] | dict[str, Any]:
    """Load the calls of an interval (epoch seconds) from the Data API, as one row for each call.

    :return: the list of rows. With the option ``to``, the function writes the rows to a file or a table, and
        returns a dict instead. The keys: ``rows`` (how many), ``path`` or ``table``, ``start`` and ``end`` of
        the interval, and ``points`` (how many the requests cost).
    :raises CallApiFailure: the interval begins in the future, the Data API refuses a field or a filter, or
        there are more than 1000 rows to return.
    :raises CallApiFailure: the table cannot be used, or a ``.parquet`` file is wanted and pyarrow is not
        installed.
    :raises CallApiTrouble: the Data API did not send all calls, or the rows could not be written.
    :raises CallApiError: the Data API refuses the request for another reason, or does not answer.
    """
    since, until = interval
    if since >= int(now):
        raise CallApiFailure("start: the interval begins in the future, so it contains no calls yet")
    pages = ReportPages(hook.data_api, hook.timezone)
    columns = ReportColumns(options.fields, options.legs, options.phone_numbers)
    report = CallsReport(pages, hook.timezone, columns, _selection(options))
    if until > now:
        log.warning("The interval ends in the future. Calls that begin after this moment are missing")
    portions = report.load(since, min(until, int(now)))
    rows: list[Row] = []
    count = 0
    with _translate_report_errors(), _open_destination(options, rows) as write:
        for portion in portions:
            write(portion)
            count += len(portion)
    for name, values in report.unreadable.items():
        unreadable = count_text(
            values, "value cannot be read, and is empty", "values cannot be read, and are empty"
        )
        log.warning("%s: %s", name, unreadable)
    start, end = iso_time(since), iso_time(until)
    first, last = local_time(since, "UTC"), local_time(until, "UTC")
    number = count_text(count, "call")
    log.info("%s began from %s to %s. Points used: %d", number, first, last, pages.requests)
    if options.to is None:
        return rows
    place = {"table" if isinstance(options.to, TableName) else "path": str(options.to)}
    # The Data API takes one point (rate-limit unit) for each answer with rows.
    return {"rows": count, **place, "start": start, "end": end, "points": pages.requests}


def _selection(options: ReportOptions) -> CallFilter:
    return CallFilter(
        missed=options.missed,
        direction=options.direction,
        virtual_phone_numbers=options.virtual_phone_numbers or (),
        employees=options.employees or frozenset(),
        tags=options.tags or frozenset(),
    )


@contextmanager
def _open_destination(options: ReportOptions, returned: list[Row]) -> Iterator[Callable[[list[Row]], None]]:
    """Context manager that yields a function, which writes rows to a file or a table.

    Without the option ``to``, the function adds the rows to the list ``returned``. A file appears only if the
    block ends without an error.
    """
    if options.to is None:
        yield partial(_collect, returned)
    elif isinstance(options.to, TableName):
        from airflow_provider_callapi.databases.report_table import (  # noqa: PLC0415 - SQLAlchemy is heavy
            ReportTable,
        )

        with closing(ReportTable(options.to, options.columns)) as table:
            yield table.write  # the rows are visible at once
    else:
        from airflow_provider_callapi.operators._calls_report.report_files import ReportFile  # noqa: PLC0415

        with ReportFile(options.to, options.columns) as file:
            yield file.write
            file.publish()  # only now, so that a failed task leaves no part of a file


def _collect(returned: list[Row], rows: list[Row]) -> None:
    """Add rows to the return value of the task.

    :raises CallApiFailure: there are more than 1000 rows.
    """
    returned += rows
    if len(returned) > MOST_RETURNED_ROWS:
        raise CallApiFailure(
            f"to: the interval has more than {MOST_RETURNED_ROWS} calls, which are too many for an XCom. "
            "Write to a file or a table"
        )


@contextmanager
def _translate_report_errors() -> Iterator[None]:
    try:
        yield
    except ReportRefused as error:
        text = mask_phones(str(error))  # an author may have taken a number for the name of a field
        raise CallApiFailure(f"The report is not loaded, because a part of it is refused: {text}") from None
    except ReportIncomplete as error:
        raise CallApiTrouble(f"The report is not whole: {error}") from None
