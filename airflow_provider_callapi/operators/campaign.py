"""An Airflow operator that calls the people on a list, within the account's points and the calling hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import Asset, BaseOperator, conf

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.calls.campaign.contact_list.call_template import PERSONS_NUMBER, CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import TEMPLATE_NAMES
from airflow_provider_callapi.calls.campaign.contact_list.shard import read_shard
from airflow_provider_callapi.calls.lists.column_names import fold_name
from airflow_provider_callapi.calls.lists.columns import PHONE
from airflow_provider_callapi.calls.phone_numbers.strict import refuse_octal
from airflow_provider_callapi.calls.watching.poll_interval import CAMPAIGN_POLL_INTERVAL
from airflow_provider_callapi.databases.query import has_query, statements_of
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter, translate_errors
from airflow_provider_callapi.operators._campaign.mapped_shards import refuse_incomplete_shards
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._lost_values import LostValueIsAnError
from airflow_provider_callapi.operators._requests import check_request
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import as_invalid_parameter, nothing_sent
from airflow_provider_callapi.parameters.templates import is_template
from airflow_provider_callapi.task_context.deferral import Deferral
from airflow_provider_callapi.task_context.facts import TaskFacts, refuse_another_task

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.operators._campaign.run import CampaignRun

_LISTS = ("contacts", "do_not_call")
"""The parameters that take a list of people."""


def _numbers_of(people: Any) -> Iterator[Any]:
    # The phone numbers of a list in the DAG file, unchanged.
    rows = people.get("list") if isinstance(people, Mapping) else people
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, Mapping):
            yield from (value for name, value in row.items() if fold_name(name) == PHONE)
        else:
            yield row


class CallApiCampaignOperator(LostValueIsAnError, TextStaysText, BaseOperator):
    """Call each person on a contact list, and return the counts of the results.

    The parameter ``redial`` defines when the operator calls a person again.

    After a retry or a clear, the task continues where the last try stopped, and repeats no call. If it is
    unknown whether a call was placed, the operator does not call the person again (see
    ``absence_proven_after``). To repeat a whole campaign, start another DAG run.

    The operator returns a summary: ``campaign``, ``people``, ``results`` (counts by result), ``calls``,
    ``answered_share``, ``unreached_share``, ``unknown_share``, ``points_used`` (null: not known),
    ``duration_seconds``, …. Asset events of the task's outlets contain the summary under the key
    ``callapi_campaign``.

    If the DAG run has placed no call, the task fails, except in these cases:

    - The list of ``contacts`` is empty: the task is skipped.
    - ``dry_run`` is True: the task succeeds.
    - Each person is on the ``do_not_call`` list, or ``min_gap`` forbids the call: the task succeeds.
    - Earlier runs with the same campaign name have called each person: the task succeeds.

    A person who is not known to have answered is unreached. Shares of people do not count people on the
    ``do_not_call`` list, people with the result ``called_recently``, and ``invalid`` rows.

    :param call: the call that each person gets: ``{"method": "start.informer_call", "virtual_phone_number":
        …, "contact_message": {…}}``, or any other start method. Jinja renders each string **for each
        person**. A template may use the person's row as ``contact`` (``{{ contact.name }}``), and ``params``,
        ``ds`` and ``run_id``. A person whose row lacks a used column is not called, and gets the result
        ``invalid``. If ``call`` has no key ``contact``, the number to call is ``{{ contact.phone }}``.
    :param contacts: the people to call. A list (or an XCom): mappings, or only numbers. A file: the path of a
        ``.csv``, ``.jsonl`` or ``.xlsx`` file (``s3://…``, ``file:///…``). A query: ``{"conn_id": "dwh",
        "sql": "SELECT phone, name FROM …", "parameters": {…}}``. Only ``parameters`` may contain templates.
        The query must return the same people in each try. Rows with the same number count as one person. The
        column ``timezone`` contains an IANA name, or an offset such as ``+03:00``. If the file has no rows,
        the task fails. If the list or the query's result is empty, the task is skipped.
    :param callapi_conn_id: id of the Airflow connection. With the Data API, the campaign learns the exact
        result of each call, and can redial. Without it, the result of a placed call is only ``answered`` or
        ``unknown``, and the campaign does not redial.
    :param campaign: the campaign's name in the ledger (the stored attempts). By default, the name contains
        the ids of DAG, task and run. Runs with the same name and the same SQL ledger share their attempts. If
        one of these runs has called a person, the other runs do not call the person again, except for a
        redial. Blanks at the ends, repeated blanks and invisible characters do not count.
    :param shard: the part of the list that this task calls: ``"2/4"`` is the second of four parts. The phone
        number decides about the part. To divide a list among tasks, map the operator over all parts, each
        once. Without ``ledger_conn_id``, a missing or repeated part fails all map indexes before they dial.
        None (default): the whole list.
    :param do_not_call: numbers that the campaign must not call: a list, a path or a query, as in
        ``contacts``. The numbers are in the column ``phone``, or in the only column. While the campaign
        dials, the task reads a changed file or repeats the query each minute.
        ``{"blacklist": True, "list": …}`` also excludes the account's blacklist, which each try reads once
        (needs the Data API). The key ``list`` is optional.
    :param max_unreadable: how many entries of ``do_not_call`` may be unreadable (not a phone number), 0 by
        default. With more such entries, the task fails before it dials. If more entries become unreadable
        later, the campaign dials no one until the list is corrected.
    :param region: ISO 3166 code of a country, ``RU`` by default. Numbers without a country code are
        numbers of this country, and ``"workdays"`` are its workdays.
    :param timezone: IANA time zone of people whose row has none, ``Europe/Moscow`` by default.
    :param calling_hours: the hours in which people may be called, in each person's time zone,
        ``("09:00", "21:00")`` by default. None: all hours.
    :param calling_days: the days on which people may be called: ``("mon", "tue", …)``, or ``"workdays"``
        (needs the extra ``[holidays]``). A dict adds dates of your own: ``{"days": "workdays", "also":
        ["2026-11-01"], "except": ["2026-12-31"]}``. None (default): every day.
    :param max_active_calls: how many calls of each shard may be active at the same time, 10 by default.
    :param max_starts_at_once: how many start requests of each shard may wait for an answer at the same time,
        from 1 to 64, 8 by default. More requests dial faster. If the worker dies, it is unknown whether the
        waiting calls were placed.
    :param points_reserve: the share of the account's points (per minute and per day) that the campaign leaves
        unused for other programs, 0.01 by default.
    :param block_on: marks that mean an objection: ``["tag:36", "operation:Отказ"]``. A mark is a tag or an
        operation of the scenario. If a call has one of them, the campaign puts the person on the account's
        blacklist, for all programs. None (default): no one. Needs the Data API.
    :param redial: when the campaign calls a person again: the result of the last call → seconds after its
        end. None: never. The results are ``busy`` (default 600), ``not_reached`` (3600), ``network`` (the
        telephone network or the service failed; 600), ``our_side_did_not_answer`` (no employee or operator
        was reached; None), ``capacity`` (no free line; 300, more after each such call) and ``account`` (the
        account cannot place calls, e.g. without money; 0, but the campaign stops, and the task fails without
        retries, so only a clear of the task continues the calls). ``capacity`` and ``account`` do not count
        as attempts. A key can also be a mark:
        ``operation:<name>`` or ``tag:<id>``. If the last call has a mark in ``redial``, the mark decides, and
        not the result. The campaign then **also calls people again who answered**. Marks need the Data API.
    :param operations: True: the results contain the scenario's operations that each call passed. Needs the
        Data API. A mark ``operation:<name>`` in ``redial`` or ``block_on`` has the same effect.
    :param max_attempts: the largest number of attempts to call one person, 3 by default.
    :param max_lateness: how long the campaign may dial after the DAG run's ``run_after`` (the time at which
        the run was due): a timedelta or seconds, 3 days by default. Later, the campaign dials no one, and
        ends when its active calls are over. If people are left, the task fails if this try began too late, or
        if the DAG run has placed no call. None: no deadline.
    :param ledger_conn_id: id of an SQL connection for the ledger. By default, the ledger is in Airflow's task
        state (3.3+), which only this task can read. An SQL ledger contains the called numbers, so protect the
        database.
    :param min_gap: the shortest time between two calls to one person: seconds or a timedelta. The calls of
        all campaigns with this ledger count. Needs ``ledger_conn_id``. None (default): no limit.
    :param results: a file or a table for the results. A file (``.csv`` or ``.jsonl``): at the end, the task
        writes each row of the contact list with its result. A shard adds its number to the name:
        ``results-2-of-4.csv``. A table, ``{"conn_id": "dwh", "table": "calls", "schema": "marketing"}``:
        during the campaign, the task writes one row for each attempt. At the end, it writes one row for each
        person without an attempt, each invalid row and each repeated number. The task creates a missing
        table. If you map the operator over another parameter, the path of a file needs
        ``{{ ti.map_index }}``.
    :param report: the path of an ``.html`` file for the campaign report: a page with charts, without phone
        numbers. A shard adds its number to the file's name. If you map the operator over another parameter,
        the path needs ``{{ ti.map_index }}``.
    :param fail_if_unreached_over: fail the task if more than this share of people is unreached. 0.2 is a
        fifth. The results and the campaign report are written first.
    :param fail_if_unknown_over: fail the task if more than this share of people has the result ``unknown``
        (answer unknown) or ``unresolved`` (unknown whether the call was placed).
    :param fail_if_invalid_over: fail the task if more than this share of the contact list is ``invalid``: no
        call can be made from the row. Rows that repeat a number do not count.
    :param tags: the id of the tag for each event: ``{"answered": 36, "not_answered": 37, "ended": 38}``. The
        event ``our_side_did_not_answer`` (no employee or operator was reached) uses the tag of
        ``not_answered``, unless it has one of its own. All events but ``answered`` need the Data API.
    :param dry_run: True: dial no one, and only log what the campaign would do. With the Data API, the list
        ``problems`` in the summary names what the account lacks or has switched off: numbers, scenarios,
        employees, files, tags and SIP lines. Default: False. A template is allowed.
    :param deferrable: True: wait for calling hours, redials and the last calls in the triggerer.
    :param poll_interval: seconds between two polls of the active calls, 10 by default.
    :param appear_timeout: seconds within which ``list.calls`` must show a call, 60 by default. Otherwise, the
        campaign treats the call as ended.
    :param report_timeout: seconds after a call's end within which the Data API must report the call, 300 by
        default. Without the report, the polls decide the result: ``answered`` or ``unknown``. If the Data API
        does not answer, the campaign waits an hour longer. If the account has no points for the Data API
        left, the campaign waits up to 25 hours, except for calls that a poll has shown as answered.
    :param absence_proven_after: seconds, at least ``appear_timeout``. If a start request gets no answer, the
        call may have been placed. If ``list.calls`` does not show this call for ``absence_proven_after``, and
        the Data API does not report it, the campaign dials the person again. Choose a time longer than the
        delay of the Data API's reports. None (default): the campaign does not dial again, and the result is
        ``unresolved``. Needs the Data API.
    :param call_timeout: seconds from the start of a call, 3600 by default. A call that is still active then
        is treated as ended.
    :param cancel_on_kill: True: a kill of the task also releases (ends) the active calls.
    """

    ui_color = "#fbe8d3"
    parameter_of_field: ClassVar[Mapping[str, str]] = {"is_dry_run": "dry_run"}
    limit_parameters = (
        "do_not_call",
        "calling_hours",
        "calling_days",
        "shard",
        "ledger_conn_id",
        "min_gap",
        "max_lateness",
        "block_on",
    )
    values_with_none = frozenset({"redial", "contacts"})
    object_fields = frozenset({"contacts", "do_not_call", "calling_hours", "calling_days", "results", "tags"})
    flag_fields = frozenset({"is_dry_run"})
    template_fields: Sequence[str] = (
        "contacts",
        "do_not_call",
        "campaign",
        "shard",
        "region",
        "timezone",
        "calling_hours",
        "calling_days",
        "tags",
        "results",
        "report",
        "callapi_conn_id",
        "ledger_conn_id",
        "is_dry_run",
    )

    def __init__(
        self,
        *,
        call: Mapping[str, Any],
        contacts: Any,
        callapi_conn_id: str = "callapi_default",
        campaign: str = "{{ dag.dag_id }}.{{ task.task_id }}.{{ run_id }}",
        shard: str | None = None,
        do_not_call: Any = None,
        max_unreadable: int = 0,
        region: str = "RU",
        timezone: str = "Europe/Moscow",
        calling_hours: Sequence[str] | None = ("09:00", "21:00"),
        calling_days: Sequence[str] | Mapping[str, Any] | None = None,
        max_active_calls: int = 10,
        max_starts_at_once: int = 8,
        points_reserve: float = 0.01,
        operations: bool = False,
        block_on: Sequence[str] | None = None,
        redial: Mapping[str, float | None] | None = None,
        max_attempts: int = 3,
        max_lateness: timedelta | float | None = timedelta(days=3),
        ledger_conn_id: str | None = None,
        min_gap: timedelta | float | None = None,
        results: str | Mapping[str, str] | None = None,
        report: str | None = None,
        fail_if_unreached_over: float | None = None,
        fail_if_unknown_over: float | None = None,
        fail_if_invalid_over: float | None = None,
        tags: Mapping[str, int | str] | None = None,
        dry_run: bool | str = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = CAMPAIGN_POLL_INTERVAL,
        appear_timeout: float = 60.0,
        report_timeout: float = 300.0,
        absence_proven_after: float | None = None,
        call_timeout: float = 3600.0,
        cancel_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call = call
        self.contacts = contacts
        self.callapi_conn_id = callapi_conn_id
        self.campaign = campaign
        self.shard = shard
        self.do_not_call = do_not_call
        self.max_unreadable = max_unreadable
        self.region = region
        self.timezone = timezone
        self.calling_hours = calling_hours
        self.calling_days = calling_days
        self.max_active_calls = max_active_calls
        self.max_starts_at_once = max_starts_at_once
        self.points_reserve = points_reserve
        self.operations = operations
        self.block_on = block_on
        self.redial = redial
        self.max_attempts = max_attempts
        self.max_lateness = max_lateness
        self.ledger_conn_id = ledger_conn_id
        self.min_gap = min_gap
        self.results = results
        self.report = report
        self.fail_if_unreached_over = fail_if_unreached_over
        self.fail_if_unknown_over = fail_if_unknown_over
        self.fail_if_invalid_over = fail_if_invalid_over
        self.tags = tags
        self.is_dry_run = dry_run  # every Airflow operator has a method `dry_run`
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.appear_timeout = appear_timeout
        self.report_timeout = report_timeout
        self.absence_proven_after = absence_proven_after
        self.call_timeout = call_timeout
        self.cancel_on_kill = cancel_on_kill
        self._run: CampaignRun | None = None
        self._killed = False
        if do_not_call is not None:
            self.given_values = frozenset({("do_not_call",)})  # nothing may replace the list by None
        self._queries = {name for name in _LISTS if has_query(vars(self)[name])}

    def check_constants(self) -> None:
        super().check_constants()
        self._check_texts()
        self._check_call(self._read_options(templates=True))

    def _read_options(self, *, templates: bool = False) -> CampaignOptions:
        """Check the operator's parameters, and return them as one object.

        :param templates: True: the templates in the parameters are not rendered yet.
        :raises InvalidParameter: a value cannot be used.
        """
        # While Airflow reads the DAG file, the templates are not rendered yet, and are not checked.
        not_rendered = (*self.template_fields, "dry_run") if templates else ()
        return CampaignOptions.read({**vars(self), "dry_run": self.is_dry_run}, not_rendered=not_rendered)

    def _check_texts(self) -> None:
        """Check ``call``, ``shard`` and the SQL queries while Airflow reads the DAG file.

        :raises InvalidParameter: a parameter cannot be used.
        """
        for name in _LISTS:
            if any(map(is_template, statements_of(vars(self)[name]))):
                raise InvalidParameter(
                    f"{name}.sql takes no template, because a value could change the statement. Write a "
                    f"placeholder such as %(city)s, and put the template into {name}.parameters"
                )
        with as_invalid_parameter():
            if isinstance(self.call, Mapping) and "method" in self.call:
                CallTemplate(self.call, region=self.region)
            # The worker checks a shard that contains a template.
            if isinstance(self.shard, str) and not is_template(self.shard):
                read_shard(self.shard)

    def _check_call(self, options: CampaignOptions) -> None:
        """While Airflow reads the DAG file, check the values in ``call`` that contain no template.

        :raises InvalidParameter: a value in ``call`` cannot be used. Or ``contacts`` or ``do_not_call``
            contains an int that YAML may have read as an octal number, see `refuse_octal`.
        """
        if is_template(options.region):
            return
        request_type = METHODS[options.call["method"]]
        fields = {name: value for name, value in options.call.items() if name != "method"}
        with as_invalid_parameter("call"):
            check_request(request_type, {"contact": PERSONS_NUMBER, **fields}, region=options.region)
        # The rows of another task may come from a data frame, which leaves out the zero of a number.
        for name in () if self.may_have_data else _LISTS:
            with as_invalid_parameter(name):  # the region may be unknown, too
                for number in _numbers_of(vars(self)[name]):
                    refuse_octal(number, options.region)

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the campaign, or continue the campaign of an earlier try.

        A deferrable task is deferred when it has to wait.

        :return: the campaign's summary, e.g.
            ``{"campaign": …, "people": 120, "results": {"answered": 36, …}, …}``.
        :raises CallApiFailure: the campaign cannot begin or continue, or it is over and a ``fail_if_…`` limit
            is exceeded.
        :raises CallTooLate: people are left to call, and ``max_lateness`` forbids the calls.
        :raises AirflowSkipException: the contact list is empty.
        :raises CallApiTrouble: a storage or a database failed, the contact list differs from that of the last
            try, or the task was killed. A retry may succeed.
        :raises CallApiError: a service failed. A retry may succeed.
        """
        return self._carry_out(context)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Continue the campaign after a wait in the triggerer. Return the campaign's summary as a dict.

        The method can defer the task again. It raises the same errors as `execute`.

        :param event: what the trigger has observed of the campaign's calls. None: nothing.
        :param memo: values that the task kept during the wait, e.g. why dialling has stopped. None: no
            values.
        """
        return self._carry_out(context, event or {}, memo)

    def on_kill(self) -> None:
        """Stop dialling when Airflow kills the task.

        With ``cancel_on_kill``, also release (end) the active calls.
        """
        self._killed = True  # a kill can come while the contact list is still being read
        if self._run is not None:
            self._run.kill()

    def _carry_out(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        from airflow_provider_callapi.operators._campaign.run import (  # noqa: PLC0415 - parse time
            CampaignNotSuccessful,
            CampaignRun,
        )

        refuse_another_task(context, self)
        with nothing_sent() if event is None else nullcontext():
            self._refuse_queries_of_others()
            self.refuse_lost_values()
            options = self._read_options()
            if event is None and options.ledger_conn_id is None:
                with as_invalid_parameter():
                    refuse_incomplete_shards(self.expanded(context), context)
        facts = TaskFacts.of(context, execution_timeout=self.execution_timeout)
        # In data of another task, templates may use nothing but the person's row.
        names = () if "call" in self.data_parameters else TEMPLATE_NAMES
        values = {name: context.get(name) for name in names if name in context}
        with (
            translate_errors(),
            CampaignRun(
                options, facts, self.log, template_values=values, event=event, memo=memo
            ) as self._run,
        ):
            if self._killed:
                self._run.kill()
            try:
                result = self._run.carry_out()
            except CampaignNotSuccessful as ending:
                context["ti"].xcom_push(key="return_value", value=ending.summary)
                raise ending.error from None
            if isinstance(result, Deferral):
                self.defer(**vars(result))
            for outlet in self.outlets:
                if isinstance(outlet, Asset):  # a DAG that the asset event starts can read the summary
                    context["outlet_events"][outlet].extra["callapi_campaign"] = result
            return result

    def _refuse_queries_of_others(self) -> None:
        """Raise `CallApiFailure` if the SQL query of a list of people is not written in the DAG file."""
        # Another task's data could contain any SQL statement, which would run in the author's database.
        for name in _LISTS:
            in_dag_file = name in self._queries and name not in self.data_parameters
            if has_query(vars(self)[name]) and not in_dag_file:
                raise CallApiFailure(
                    f"{name}: a query must be written in the DAG file, and this query comes from another "
                    "task or from a template. Only its parameters may be data"
                )
