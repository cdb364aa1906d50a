"""An Airflow operator that loads the report of calls from the Data API into rows, a file or a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.exceptions import translate_errors
from airflow_provider_callapi.operators._calls_report.interval import read_interval
from airflow_provider_callapi.operators._calls_report.options import ReportOptions, check_constants
from airflow_provider_callapi.operators._lost_values import LostValueIsAnError
from airflow_provider_callapi.operators._mapped_files import refuse_files_of_others
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.task_context.mapped_task import MappedTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CallApiCallsReportOperator(LostValueIsAnError, TextStaysText, BaseOperator):
    """Load the account's finished calls that began in an interval, by default in the run's data interval.

    The Airflow connection must use the Data API. Calls that are still active when the task runs are missing.
    To load them in the next run, use ``lookback``. The next run then loads some calls again. In a table, the
    new row of a call replaces the old one. A file with the path ``to`` is overwritten.

    If ``to`` is None, the operator returns the rows as a list of dicts. Otherwise, it returns a summary:
    ``rows`` (the number of rows), ``path`` or ``table``, ``start`` and ``end`` of the interval, and
    ``points`` (the rate-limit units that were used).

    :param to: where the operator writes the rows. A file: a path that ends in ``.jsonl``, ``.csv`` or
        ``.parquet`` (``s3://…``, ``file:///…``). A table: ``{"conn_id": "dwh", "table": "calls", "schema":
        "telephony"}``. A missing table is created, and rows with the same ``id`` are replaced. None: the
        operator returns the rows, and fails if there are more than 1000.
    :param start: the beginning of the interval: a time with an offset, or a time or day in the account's time
        zone. None: the beginning of the run's data interval.
    :param end: the end of the interval, in the form of ``start``. The interval does not contain this time.
        None: the end of the run's data interval.
    :param lookback: how much earlier than ``start`` the interval begins: a timedelta or seconds, 0 by
        default. Use at least the length of the longest call.
    :param fields: the columns of a row: names of fields of ``get.calls_report``. ``id`` is always included.
        None: the default fields.
    :param legs: True: add a column ``legs`` with a list of the call's participants.
    :param phone_numbers: True: the default fields and the legs contain phone numbers, and ``fields`` may name
        them. Needs ``to``. False: load no phone numbers.
    :param missed: True: load only missed calls: inbound calls that the service reports as lost.
    :param direction: ``in``: load only inbound calls. ``out``: load only outbound calls. None: load both.
    :param virtual_phone_numbers: load only calls through one of these virtual numbers. None: through any
        number.
    :param employees: ids of employees. Load only calls in which one of them took part. None: load all calls.
    :param tags: ids of tags. Load only calls with one of these tags. None: load all calls.
    :param callapi_conn_id: id of the Airflow connection.
    :raises InvalidParameter: the value of a parameter cannot be used. The error message names the parameter.
    """

    template_fields: Sequence[str] = (
        "to",
        "start",
        "end",
        "lookback",
        "fields",
        "missed",
        "direction",
        "virtual_phone_numbers",
        "employees",
        "tags",
        "callapi_conn_id",
    )
    object_fields = frozenset({"to", "fields", "virtual_phone_numbers", "employees", "tags"})
    ui_color = "#dbe7f5"

    def __init__(
        self,
        *,
        to: str | dict[str, str] | None = None,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        lookback: timedelta | float | str = 0,
        fields: Sequence[str] | None = None,
        legs: bool = False,
        phone_numbers: bool = False,
        missed: bool | str = False,
        direction: str | None = None,
        virtual_phone_numbers: str | Sequence[str] | None = None,
        employees: int | Sequence[int] | None = None,
        tags: int | Sequence[int] | None = None,
        callapi_conn_id: str = "callapi_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.start = start
        self.end = end
        self.lookback = lookback
        self.fields = fields
        self.legs = legs
        self.phone_numbers = phone_numbers
        self.missed = missed
        self.direction = direction
        self.virtual_phone_numbers = virtual_phone_numbers
        self.employees = employees
        self.tags = tags
        self.callapi_conn_id = callapi_conn_id

    def check_constants(self) -> None:
        super().check_constants()
        check_constants(vars(self), self.template_fields)

    def execute(self, context: Context) -> list[dict[str, Any]] | dict[str, Any]:
        """Load the calls. Return the rows, or a summary if the operator writes the rows to a file or a table.

        :return: a list of dicts, one per call; or e.g.
            ``{"rows": 36, "table": "calls", "start": …, "end": …, "points": 2}``.
        :raises CallApiFailure: a parameter is invalid, the service refuses a field or a filter, or there are
            more than 1000 rows to return.
        :raises CallApiTrouble: a database or a storage did not answer, or the service did not send all calls.
        :raises CallApiError: the Data API did not answer. A retry may succeed.
        """
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time
        from airflow_provider_callapi.operators._calls_report.loading import load_calls  # noqa: PLC0415

        self.refuse_lost_values()
        options = ReportOptions.read(vars(self))
        if isinstance(options.to, str):
            refuse_files_of_others(MappedTask.of(context), [options.to])
        with translate_errors(), CallApiHook(options.callapi_conn_id) as hook:
            interval = read_interval(options, context, hook.timezone)
            return load_calls(options, interval, hook, self.log, now=system_clock.now())
