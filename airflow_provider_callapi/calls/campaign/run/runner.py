"""Runs a campaign step by step: each step polls, dials, and returns when the next step is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, LimitsFeed
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger
from airflow_provider_callapi.calls.campaign.run.dialler import Dialler
from airflow_provider_callapi.calls.campaign.run.failure_counter import FailureCounter
from airflow_provider_callapi.calls.campaign.run.progress_meter import ProgressMeter
from airflow_provider_callapi.calls.campaign.run.report_fetcher import ReportFetcher
from airflow_provider_callapi.calls.campaign.run.tag_setter import TagSetter
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.watching.absence_history import AbsenceHistory
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

CAMPAIGN_REPORT_INTERVAL = 20.0
"""Seconds between two requests for reports. One request fetches the reports of all finished calls."""
_SHORTEST_PAUSE = 1.0
"""Seconds between two steps while the campaign dials."""
_LONGEST_PAUSE = 60.0
_PROGRESS_INTERVAL = 60.0
"""Seconds between two log lines that show the campaign's progress."""
_LONG_WAIT = 30.0
"""If the next call waits for more than this many seconds, the log shows at once what dialling waits for."""
_WISH_INTERVAL = 5.0
"""Seconds between two steps of a paused campaign. Each step reads whether a user has resumed the campaign."""
_WISH_LINES = {
    WishKind.PAUSE: "{by} paused the campaign: no one is dialled before a resume; {active}",
    WishKind.RESUME: "{by} resumed the campaign",
    WishKind.STOP: "{by} stopped the campaign: no one is dialled; {active}",
}


@dataclass(frozen=True)
class NextStep:
    """When the next step of a `Runner` is due, and what dialling waits for.

    :ivar in_seconds: how long to wait until the next step, in seconds.
    :ivar dial_at: when the next person may be dialled, epoch seconds; meaningless if ``over``.
    :ivar why: what dialling waits for, as text; ``""`` while the campaign dials.
    :ivar over: True: the campaign is over, and no step follows.
    """

    in_seconds: float
    dial_at: float = 0.0
    why: str = ""
    over: bool = False


class Runner:
    """Runs a campaign in steps: each step polls, dials people, tags calls and fetches reports.

    Repeat `step` until the campaign is over.

    :param campaign: decides which people to dial.
    :param template: makes the start request of each person.
    :param ledger: stores the attempts.
    :param gateway: the functions that reach the services, the clock and the log.
    :param poll_interval: seconds between two polls of the active calls.
    :ivar progress: measures how far the campaign is.
    :ivar wish: the newest wish of a user (pause, resume or stop); None: there is no wish.
    """

    def __init__(
        self,
        campaign: Campaign,
        template: CallTemplate,
        ledger: Ledger,
        gateway: CampaignGateway,
        *,
        poll_interval: float,
    ) -> None:
        self.campaign = campaign
        self.ledger = ledger
        self._gateway = gateway
        self._limits = LimitsFeed(gateway.limits)
        self._dialler = Dialler(campaign.dial_queue, template, ledger, gateway, self._limits)
        self._report_fetcher = ReportFetcher(
            campaign.reports, campaign.dial_queue, gateway, CAMPAIGN_REPORT_INTERVAL
        )
        self._absence = campaign.absence_proof(gateway, CAMPAIGN_REPORT_INTERVAL)
        self._tag_setter = TagSetter(campaign.tags, gateway)
        self._poll_interval = poll_interval
        self._poll_failures = FailureCounter(gateway.log)
        self._absences = AbsenceHistory()
        self._next_poll_at = 0.0
        self._unused_snapshot: Snapshot | None = None
        self._progress_at = gateway.clock()
        self.progress = ProgressMeter(campaign, self._progress_at)
        self.wish: Wish | None = None
        self._waits_for = ""

    @property
    def last_poll_failed(self) -> bool:
        """Whether the last poll failed while the campaign has active or unconfirmed calls.

        True: the task must not defer, because only the runner counts failed polls. The runner polls again.
        Too many failed polls in a row fail the task.
        """
        return self._poll_failures.in_a_row > 0 and self.campaign.needs_polls

    @property
    def next_report_at(self) -> float:
        """When the campaign may ask the Data API for reports again, epoch seconds."""
        return self._report_fetcher.next_at

    @property
    def next_tag_at(self) -> float:
        """When the campaign may tag the next finished call, epoch seconds."""
        return self._tag_setter.next_at

    def poll_limits(self) -> None:
        """Poll once before the first step, so that the campaign knows the account's counters of points.

        Points are the units of the API's rate limits. The first step uses the snapshot of this poll and does
        not poll again. After a transient error, the counters may stay unknown.

        :raises CallApiError: the poll failed with a permanent error, such as refused credentials.
        """
        self._unused_snapshot = self._poll_if_due(self._gateway.clock())
        if (limits := self._limits.take()) is not None:
            self.campaign.pacing.points.update(limits, self._gateway.clock())

    def step(self) -> NextStep:
        """Do each of these actions if it is due: poll, dial people, tag calls and fetch reports.

        :return: when the next step is due, and what dialling waits for.
        :raises CallApiError: too many polls in a row failed, too many batches of start requests got no
            answer, or a poll failed with a permanent error, such as refused credentials.
        """
        campaign, gateway = self.campaign, self._gateway
        campaign.dial_queue.do_not_call = gateway.do_not_call()
        self._follow(gateway.wish())
        snapshot = self._poll_if_due(gateway.clock())
        now = gateway.clock()
        actions = campaign.next_actions(now, snapshot, self._limits.take())
        changed = [*actions.changed, *self._decide_unconfirmed(actions.not_found, now)]
        if actions.to_dial:
            self._dialler.dial(actions.to_dial, changed)
        else:
            self._record(changed)
        for attempt, tag_id in actions.to_tag:
            self._record(self._tag_setter.tag_active(attempt, tag_id))
        self._tag_setter.log_missed(actions.untagged)
        self._record(reported := self._report_fetcher.fetch(gateway.clock()))
        self._tag_setter.log_lost(reported)
        self._record(self._tag_setter.tag_finished(gateway.clock()))
        now = gateway.clock()
        dial_at, why = campaign.dial_queue.next_dial(now)
        self._log_progress(now, dial_at, why)
        return self._next_step(now, dial_at, why)

    def _follow(self, wish: Wish | None) -> None:
        """Pause, resume or stop dialling as a user has asked. Log each new wish once."""
        dial_queue = self.campaign.dial_queue
        previous, self.wish = self.wish, wish
        if wish is None:
            dial_queue.paused = None
            return
        dial_queue.paused = f"{wish.by} paused the campaign" if wish.kind is WishKind.PAUSE else None
        if wish.kind is WishKind.STOP:
            dial_queue.stop(f"{wish.by} stopped the campaign (resume it before you clear this task)")
        if wish != previous:
            active = count_text(self.campaign.active, "call is active", "calls are active")
            self._gateway.log(_WISH_LINES[wish.kind].format(by=wish.by, active=active))

    def _decide_unconfirmed(self, keys: Sequence[str], now: float) -> list[Attempt]:
        """Decide what became of unconfirmed calls that no snapshot has shown in time.

        :param keys: the ledger keys of the people with such a call.
        :return: the changed attempts. The caller stores them in the ledger.
        """
        unconfirmed_calls = self.campaign.unconfirmed_calls
        verdict = self._absence.judge(keys, now)
        changed = unconfirmed_calls.record_reported(verdict.found, now)
        if decided := [*verdict.given_up, *verdict.absent]:
            held = self.ledger.load(decided)
            changed += unconfirmed_calls.give_up(decided, held, now, absent=verdict.absent)
        return changed

    def _record(self, changed: Sequence[Attempt]) -> None:
        if changed:
            self.ledger.record(changed)

    def _poll_if_due(self, now: float) -> Snapshot | None:
        """Poll the active calls and return the snapshot. None: no poll is due.

        :raises CallApiError: too many polls in a row failed, or the error is permanent.
        """
        if self._unused_snapshot is not None:
            snapshot, self._unused_snapshot = self._unused_snapshot, None
            return snapshot
        limits_unknown = self.campaign.pacing.points.limits is None  # an answer carries the counters
        if now < self._next_poll_at or not (self.campaign.needs_polls or limits_unknown):
            return None
        snapshot = self._absences.extend(self._gateway.take_snapshot())
        self._next_poll_at = now + snapshot.pause(self._poll_interval)
        if snapshot.failure is None:
            self._poll_failures.succeed()
        else:
            self._poll_failures.fail(snapshot.failure)
        return snapshot

    def _log_progress(self, now: float, dial_at: float, why: str) -> None:
        """Log the progress once a minute, and when a long wait begins or gets another reason.

        :param dial_at: when the next person may be dialled, epoch seconds.
        :param why: what dialling waits for, as text.
        """
        campaign = self.campaign
        is_long = now + _LONG_WAIT < dial_at < NEVER and campaign.waiting
        waits_for, before = why if is_long else "", self._waits_for
        if campaign.unreported and not campaign.active and not campaign.waiting:
            waits_for = "reports"
        self._waits_for = waits_for
        if now >= self._progress_at + _PROGRESS_INTERVAL or waits_for not in ("", before):
            self._progress_at = now
            self._gateway.log(self.progress.line(now))

    def _next_step(self, now: float, dial_at: float, why: str) -> NextStep:
        campaign = self.campaign
        if campaign.over:
            return NextStep(0.0, over=True)
        if dial_at <= now and not why:
            return NextStep(0.0, dial_at)  # More people are due than one step may dial.
        due = [now + _LONGEST_PAUSE, max(dial_at, now + _SHORTEST_PAUSE)]
        if dial_at <= now or campaign.needs_polls:
            due.append(max(self._next_poll_at, now + _SHORTEST_PAUSE))
        if campaign.dial_queue.paused is not None:
            due.append(now + _WISH_INTERVAL)
        if campaign.reports.needed:
            due.append(max(self.next_report_at, now + _SHORTEST_PAUSE))
        if campaign.tags.has_finished_call_to_tag:
            due.append(max(self.next_tag_at, now + _SHORTEST_PAUSE))
        return NextStep(min(due) - now, dial_at, why)
