"""Calling everybody on a list: paced by the account's points, in their calling hours, and each only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider_callapi.exceptions import translate_errors

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.operators._campaign.run import CampaignRun


class CallApiCampaignOperator(BaseOperator):
    """Call everybody on a list once, and again where the redial table says so; end with a row per person.

    A retry, or a clear, goes on where the try before stopped: nobody is called twice for one attempt, and a
    person whose call may have been placed is not called again. It does not redo a campaign: for that, start
    another run.

    :param call: the call that everybody gets: ``{"method": "start.informer_call", "virtual_phone_number":
        …, "contact_message": {…}}``; any of the five start methods with its own parameters. Every string in
        it is rendered by Jinja **for each person**, with the person's row as ``contact`` (``{{ contact.name
        }}``), and ``params``, ``ds``, ``run_id`` of the run; in a sandbox, and with no undefined names:
        such a row is not called, its result is ``invalid``. The number itself is ``{{ contact.phone }}``
        unless ``call`` has another ``contact``.
    :param contacts: a list of rows (mappings, or only numbers), an XCom, or the path of a ``.csv`` or
        ``.jsonl`` file (`ObjectStoragePath`: ``s3://…``, ``file:///…``). Everybody is on it once, however
        often the number is written and in whatever way. A ``timezone`` column is the person's own.
    :param callapi_conn_id: the connection. With its Data API, what became of calls is known (busy, not
        answered, …), and who was not reached is called again; without it there is ``answered`` and
        ``unknown``.
    :param campaign: the campaign's name in the ledger. Mapped tasks of one run share it; give a name of
        your own to what must be called once across runs.
    :param shard: ``"2/4"``: of the whole list only the second quarter, by number. Map over it.
    :param do_not_call: numbers that must not be called: a list or a path like ``contacts``, with the number
        as ``phone`` or the only column; looked at again each minute of dialling.
    :param region: ISO 3166 country of the numbers without a country code.
    :param timezone: IANA zone of the rows without one of their own.
    :param calling_hours: from when, until when people may be called, on their own clock; None: always.
    :param calling_days: ``("mon", "tue", …)`` on which they may be; None: every day.
    :param max_active_calls: how many calls may be active at once (of each shard).
    :param points_reserve: the share of the account's points a minute and a day that is left for others.
    :param redial: seconds after which people are called again, by result; null: never. Defaults: ``busy``
        600, ``not_reached`` 3600, ``our_side_did_not_answer`` null, ``capacity`` 300 (uses up no attempt).
    :param max_attempts: how often one person's phone may ring, 3 by default.
    :param max_lateness: how long after the run was due people may still be called: 3 days by default (a
        timedelta or seconds). The campaign ends then, and one that only begins then fails. None: no limit.
    :param ledger_conn_id: an SQL connection for the ledger; without it, the ledger is in Airflow's task
        state (3.3+) and serves one task. Its tables hold the numbers called: protect them as you do the
        list.
    :param min_gap: seconds (or a timedelta) within which nobody is called twice, by any campaign with this
        ledger; needs ``ledger_conn_id``.
    :param results: path of a ``.csv`` or ``.jsonl`` file for the row per person.
    :param report: path of an ``.html`` file for the report; no phone number is in it.
    :param fail_if_unreached_over: fails the task where more than this share of the people who could be
        called was not reached (0.2 is a fifth); results and report are written all the same.
    :param fail_if_unknown_over: the same, for those of whom nobody knows: ``unknown`` and ``unresolved``.
    :param fail_if_invalid_over: the same, for rows that make no valid call, of everybody on the list.
    :param tags: ids of tags by what became of a call: ``{"answered": 36, "not_answered": 37, "ended":
        38}``. All but ``answered`` need the Data API.
    :param dry_run: read the list, say what would be done, dial nobody.
    :param deferrable: wait for calling hours, redials and the last calls in the triggerer.
    :param poll_interval: seconds between two looks at the active calls: one look for all of them.
    :param appear_timeout: seconds within which a call must be listed; else it has ended unobserved.
    :param report_timeout: seconds to wait for the Data API's report of a call.
    :param call_timeout: seconds after which a call that is still active is not waited for.
    :param cancel_on_kill: a kill releases the active calls, too. It always ends the dialling.

    Returns a summary: ``campaign``, ``people``, ``results`` (counts by result), ``calls``,
    ``answered_share``, ``unreached_share``, ``unknown_share``, ``points_used`` (null: not known),
    ``duration_seconds``, ….
    """

    ui_color = "#fbe8d3"
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
        dry_run: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 10.0,
        appear_timeout: float = 60.0,
        report_timeout: float = 300.0,
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
        self.region = region
        self.timezone = timezone
        self.calling_hours = calling_hours
        self.calling_days = calling_days
        self.max_active_calls = max_active_calls
        self.points_reserve = points_reserve
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
        self.only_plan = dry_run  # ``dry_run`` is a method of every operator
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.appear_timeout = appear_timeout
        self.report_timeout = report_timeout
        self.call_timeout = call_timeout
        self.cancel_on_kill = cancel_on_kill
        self._run: CampaignRun | None = None
        self._killed = False
        if not isinstance(call, Mapping) or "method" not in call:
            raise ValueError("call: a mapping with a method is needed, {'method': 'start.informer_call', …}")
        for name, least in (("max_active_calls", 1), ("max_attempts", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)!r} is less than {least}")
        if poll_interval <= 0:
            raise ValueError(f"poll_interval: {poll_interval!r} is not a positive number of seconds")
        if not 0 <= points_reserve < 1:
            raise ValueError(f"points_reserve: {points_reserve!r} is not a share from 0 to 1")
        if min_gap is not None and ledger_conn_id is None:
            raise ValueError(
                "min_gap needs ledger_conn_id: a task's own state knows nothing of other campaigns"
            )

    def execute(self, context: Context) -> dict[str, Any]:
        """Carry the campaign out, or go on with it; see the class."""
        return self._carry_out(context)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Go on after a wait in the triggerer.

        :param memo: what the try must not forget meanwhile, see `CampaignRun`.
        """
        return self._carry_out(context, event or {}, memo)

    def on_kill(self) -> None:
        """Dial nobody any more; with ``cancel_on_kill`` release the active calls."""
        self._killed = True  # the list may still be read
        if self._run is not None:
            self._run.kill()

    def _carry_out(
        self, context: Context, event: dict[str, Any] | None = None, memo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        from airflow_provider_callapi.operators._campaign.run import (  # noqa: PLC0415 - parse time
            CampaignRun,
        )

        with translate_errors(), CampaignRun(self, context, event, memo or {}) as self._run:
            if self._killed:
                self._run.kill()
            return self._run.carry_out()
