"""Call everyone on a list once, within the account's points and in each person's calling hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider_callapi.calls.campaign.rules import FailureLimits
from airflow_provider_callapi.exceptions import translate_errors
from airflow_provider_callapi.operators._call.options import as_limit
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.task_context import Deferral, TaskFacts

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.operators._campaign.run import CampaignRun


class CallApiCampaignOperator(MappedDataIsNoTemplate, BaseOperator):
    """Call each person on a list once, and again if the redial table demands it. Leave a row per person.

    A retry or a clear continues where the last try stopped: no person is called twice for one attempt, and a
    person whose call may have been placed is not called again. To repeat a whole campaign, start another run.

    :param call: the call that each person gets: ``{"method": "start.informer_call", "virtual_phone_number":
        …, "contact_message": {…}}``, or any other start method with its own parameters. Jinja renders every
        string in it **for each person**, in a sandbox, with the person's row as ``contact``
        (``{{ contact.name }}``) and with ``params``, ``ds`` and ``run_id`` of the run. A row with an
        undefined name is not called; its result is ``invalid``. The number is ``{{ contact.phone }}`` unless
        ``call`` has its own ``contact``.
    :param contacts: a list of rows (mappings, or only numbers), an XCom, or the path of a ``.csv`` or
        ``.jsonl`` file (`ObjectStoragePath`: ``s3://…``, ``file:///…``). A person counts once, however often
        and in whatever form the number is written. A column ``timezone`` holds the person's own time zone.
    :param callapi_conn_id: the connection. With its Data API, the results are exact (busy, not reached, …)
        and unreached people are called again. Without it, the results are ``answered`` and ``unknown``.
    :param campaign: the campaign's name in the ledger. Mapped tasks of one run share it. Give a fixed name to
        a campaign whose people must be called once over all runs.
    :param shard: ``"2/4"``: only the second quarter of the list, by number. Map the operator over the shards.
    :param do_not_call: numbers that must not be called: a list or a path like ``contacts``, with the number
        in the column ``phone`` or in the only column. The file is read again each minute of dialling.
    :param region: ISO 3166 country of the numbers without a country code.
    :param timezone: IANA time zone of the rows without a time zone of their own.
    :param calling_hours: from when until when people may be called, on their own clock; None: always.
    :param calling_days: ``("mon", "tue", …)`` on which people may be called; None: every day.
    :param max_active_calls: how many calls of each shard may be active at once.
    :param points_reserve: the share of the account's points, a minute and a day, that is left for others.
    :param redial: seconds after which a person is called again, by result; null: never. Defaults: ``busy``
        600, ``not_reached`` 3600, ``our_side_did_not_answer`` null, ``capacity`` 300 (does not count as an
        attempt).
    :param max_attempts: how often one person's phone may ring, 3 by default.
    :param max_lateness: how long after the run was due people may still be called: a timedelta or seconds, 3
        days by default. The campaign ends then. A try that begins later fails. None: no limit.
    :param ledger_conn_id: an SQL connection for the ledger. By default the ledger is in Airflow's task state
        (3.3+) and serves one task. An SQL ledger holds the called numbers: protect it like the list.
    :param min_gap: seconds (or a timedelta) between two calls to one person, over all campaigns with this
        ledger. Needs ``ledger_conn_id``.
    :param results: the path of a ``.csv`` or ``.jsonl`` file for the row per person.
    :param report: the path of an ``.html`` file for the report. The report holds no phone number.
    :param fail_if_unreached_over: fail the task if more than this share (0.2 is a fifth) of the people who
        could be called was not reached. The task writes results and report all the same.
    :param fail_if_unknown_over: fail the task if more than this share of the people who could be called has
        the result ``unknown`` or ``unresolved``.
    :param fail_if_invalid_over: fail the task if more than this share of all rows makes no valid call.
    :param tags: the id of the tag for each event: ``{"answered": 36, "not_answered": 37, "ended": 38}``. All
        events but ``answered`` need the Data API.
    :param dry_run: read the list and log what the campaign would do. Dial no one. A template may render to
        ``True`` or ``false``; any other text fails the task before anyone is dialled.
    :param deferrable: wait for calling hours, redials and the last calls in the triggerer.
    :param poll_interval: seconds between two polls. One poll serves all calls.
    :param appear_timeout: seconds within which ``list.calls`` must show a call. After that time, the
        campaign treats the call as ended and never observed.
    :param report_timeout: seconds within which the Data API must report an ended call.
    :param call_timeout: seconds after which the campaign stops waiting for a call that is still active.
    :param cancel_on_kill: a kill also releases the active calls. A kill always ends the dialling.

    Returns a summary: ``campaign``, ``people``, ``results`` (counts by result), ``calls``,
    ``answered_share``, ``unreached_share``, ``unknown_share``, ``points_used`` (null: not known),
    ``duration_seconds``, ….
    """

    ui_color = "#fbe8d3"
    parameter_of_field: ClassVar[Mapping[str, str]] = {"is_dry_run": "dry_run"}
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
        region: str = "RU",
        timezone: str = "Europe/Moscow",
        calling_hours: Sequence[str] | None = ("09:00", "21:00"),
        calling_days: Sequence[str] | None = None,
        max_active_calls: int = 10,
        points_reserve: float = 0.01,
        redial: Mapping[str, float | None] | None = None,
        max_attempts: int = 3,
        max_lateness: timedelta | float | None = timedelta(days=3),
        ledger_conn_id: str | None = None,
        min_gap: timedelta | float | None = None,
        results: str | None = None,
        report: str | None = None,
        fail_if_unreached_over: float | None = None,
        fail_if_unknown_over: float | None = None,
        fail_if_invalid_over: float | None = None,
        tags: Mapping[str, int | str] | None = None,
        dry_run: bool | str = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 10.0,
        appear_timeout: float = 60.0,
        report_timeout: float = 300.0,
        call_timeout: float = 3600.0,
        cancel_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.callapi_conn_id = callapi_conn_id
        self.campaign = campaign
        self.shard = shard
        self.do_not_call = do_not_call
        self.region = region
        self.timezone = timezone
        self.calling_hours = calling_hours
        self.calling_days = calling_days
        self.ledger_conn_id = ledger_conn_id
        self.results = results
        self.report = report
        self.tags = tags
        self.is_dry_run = dry_run  # every Airflow operator has a method `dry_run`
        self.call = call
        self.max_active_calls = max_active_calls
        self.points_reserve = points_reserve
        self.redial = redial
        self.max_attempts = max_attempts
        self.max_lateness = max_lateness
        self.min_gap = min_gap
        self.fail_if_unreached_over = fail_if_unreached_over
        self.fail_if_unknown_over = fail_if_unknown_over
        self.fail_if_invalid_over = fail_if_invalid_over
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.appear_timeout = appear_timeout
        self.report_timeout = report_timeout
        self.call_timeout = call_timeout
        self.cancel_on_kill = cancel_on_kill
        self._run: CampaignRun | None = None
        self._killed = False
        self._read_options()  # a wrong option is an error of the DAG file

    def _read_options(self) -> CampaignOptions:
        """Return the checked options. A subclass or a cluster policy may have changed attributes."""
        return CampaignOptions(
            call=self.call,
            contacts=self.contacts,
            callapi_conn_id=self.callapi_conn_id,
            campaign=self.campaign,
            shard=self.shard,
            do_not_call=self.do_not_call,
            region=self.region,
            timezone=self.timezone,
            calling_hours=self.calling_hours,
            calling_days=self.calling_days,
            max_active_calls=self.max_active_calls,
            points_reserve=self.points_reserve,
            redial=self.redial,
            max_attempts=self.max_attempts,
            max_lateness=as_limit(self.max_lateness),
            ledger_conn_id=self.ledger_conn_id,
            min_gap=self.min_gap.total_seconds() if isinstance(self.min_gap, timedelta) else self.min_gap,
            results=self.results,
            report=self.report,
            failure_limits=FailureLimits(
                unreached=self.fail_if_unreached_over,
                unknown=self.fail_if_unknown_over,
                invalid=self.fail_if_invalid_over,
            ),
            tags=self.tags,
            is_dry_run=self.is_dry_run,
            deferrable=self.deferrable,
            poll_interval=self.poll_interval,
            appear_timeout=self.appear_timeout,
            report_timeout=self.report_timeout,
            call_timeout=self.call_timeout,
            cancel_on_kill=self.cancel_on_kill,
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Carry the campaign out, or continue the campaign of an earlier try. Return the summary."""
        return self._carry_out(context)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Continue the campaign after a wait in the triggerer.

        :param memo: the facts that the worker before the wait stored, plain JSON.
        """
        return self._carry_out(context, event or {}, memo)

    def on_kill(self) -> None:
        """Stop dialling when Airflow kills the task. With ``cancel_on_kill``, release the active calls."""
        self._killed = True  # the list may still be read
        if self._run is not None:
            self._run.kill()

    def _carry_out(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        from airflow_provider_callapi.operators._campaign.run import (  # noqa: PLC0415 - parse time
            CampaignRun,
            UnfinishedBusiness,
        )

        options = self._read_options()
        facts = TaskFacts.of(context, execution_timeout=self.execution_timeout)
        with translate_errors(), CampaignRun(options, facts, self.log, event=event, memo=memo) as self._run:
            if self._killed:
                self._run.kill()
            try:
                result = self._run.carry_out()
            except UnfinishedBusiness as business:
                context["ti"].xcom_push(key="return_value", value=business.summary)
                raise business.error from None
            if isinstance(result, Deferral):
                self.defer(trigger=result.trigger, method_name=result.method_name, kwargs=dict(result.kwargs))
            return result
