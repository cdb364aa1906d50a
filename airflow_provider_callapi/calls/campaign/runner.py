"""A campaign carried out: each step asks it what to do, does it, and says how long to pause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeGuard

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded, NotSent
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import Limits, StartedCall
from airflow_provider_callapi.calls.campaign.engine import Campaign
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger
from airflow_provider_callapi.calls.campaign.people import CallTemplate
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tolerance import TOLERANCE

REPORT_EVERY = 20.0
"""Seconds between two questions for the finished calls: one answers for all of them."""
_BEAT = 1.0
"""Seconds between two steps of a campaign that dials."""
_LONGEST = 60.0
_TAGS_A_STEP = 5
_LONGEST_LIMIT = 600.0
"""Seconds until the Data API is asked again though its points come back later: a refused request is free."""
_TAG_PATIENCE = 3600.0
"""Seconds after which a call stays without a tag that the Data API could not set."""


@dataclass(frozen=True)
class CampaignGateway:
    """How a campaign reaches the world.

    :ivar start: sends these, all at once or one after the other; an answer or an error for each.
    :ivar take_snapshot: one look at the active calls.
    :ivar limits: the newest counters that an answer has told.
    :ivar reports: the reports of the calls that began at an epoch time or later and are over, and whether
        each was answered; None: there is no Data API.
    :ivar tag_active: tags an active call, by its session id.
    :ivar tag_finished: tags a finished one, by the ``communication_id`` of its report.
    :ivar do_not_call: the numbers that must not be called, as of now; None: they cannot be known now.
    :ivar clock: epoch seconds now.
    :ivar log: told what a reader of the task's log wants to know.
    """

    start: Callable[[Sequence[StartCall]], Sequence[StartedCall | CallApiError]]
    take_snapshot: Callable[[], Snapshot]
    limits: Callable[[], Limits | None]
    reports: Callable[[float], Iterable[tuple[CallReport, bool | None]]] | None
    tag_active: Callable[[int, int], object]
    tag_finished: Callable[[int, int], object]
    do_not_call: Callable[[], Container[str] | None]
    clock: Callable[[], float]
    log: Callable[[str], None]


@dataclass(frozen=True)
class Pause:
    """What follows a step.

    :ivar seconds: until the next step.
    :ivar dial_at: when somebody may be dialled next, epoch seconds.
    :ivar why: what is waited for; "" while people are being dialled.
    :ivar over: there is no next step.
    """

    seconds: float
    dial_at: float = 0.0
    why: str = ""
    over: bool = False


class Runner:
    """Carries a campaign out, step by step; whoever calls `step` sleeps in between.

    :param poll_interval: seconds between two looks at the active calls.
    :param report_every: seconds between two questions to the Data API.
    :ivar report_at: when the Data API is asked next, epoch seconds.
    :ivar tag_at: when it is asked to tag a finished call next.
    """

    def __init__(
        self,
        campaign: Campaign,
        template: CallTemplate,
        ledger: Ledger,
        gateway: CampaignGateway,
        *,
        poll_interval: float,
        report_every: float = REPORT_EVERY,
    ) -> None:
        self.campaign = campaign
        self._template = template
        self.ledger = ledger
        self._gateway = gateway
        self._poll_interval = poll_interval
        self._report_every = report_every
        self._limits: Limits | None = None
        self._look_at = 0.0
        self._seen: Snapshot | None = None
        self.report_at = 0.0
        self.tag_at = 0.0
        self._failures: Counter[str] = Counter()
        self._tag_failures: Counter[tuple[str, int]] = Counter()
        self._progress_at = gateway.clock()
        self._begun = (self._progress_at, campaign.ended)

    @property
    def blind(self) -> bool:
        """Whether the last look at active calls failed: such failures are counted, and end the try."""
        return self._failures["look"] > 0 and self.campaign.needs_looks

    def look_ahead(self) -> None:
        """The first step's look, before it: for the counters that its answer tells.

        :raises CallApiError: as `step`.
        """
        self._seen = self._look(self._gateway.clock())
        if (limits := self._news()) is not None:
            self.campaign.pacing.update_limits(limits, self._gateway.clock())

    def step(self) -> Pause:
        """Do what is due.

        :raises CallApiError: the service cannot be asked any more, or not with these credentials.
        """
        campaign, gateway = self.campaign, self._gateway
        campaign.do_not_call = gateway.do_not_call()
        snapshot = self._look(gateway.clock())
        now = gateway.clock()
        actions = campaign.tick(now, snapshot, self._news())
        changed = [*actions.changed]
        if actions.given_up:
            known = self.ledger.load(actions.given_up)
            changed += campaign.give_up(actions.given_up, known, now)
        self._write(changed)
        if actions.dial:
            self._dial(actions.dial)
        for attempt, tag_id in actions.tag:
            self._tag_active(attempt, tag_id)
        for attempt, tag_id in actions.untagged:
            self._stays_untagged(attempt, tag_id, "it was over before that")
        self._write(self._reported(gateway.clock()))
        self._write(self._tagged(gateway.clock()))
        now = gateway.clock()
        if now >= self._progress_at + _LONGEST:
            self._progress_at = now
            gateway.log(self.progress(now))
        return self._pause(now)

    def progress(self, now: float) -> str:
        """One line: how far the campaign is."""
        campaign = self.campaign
        began, ended_before = self._begun
        total, ended = len(campaign.plan.people), campaign.ended
        line = (
            f"{ended} of {total} people settled, {campaign.active} calls active, {campaign.waiting} waiting"
        )
        if campaign.pacing.points_left is not None:
            line += f", {campaign.pacing.points_left} points left in this minute"
        dial_at, why = campaign.next_dial(now)
        if campaign.waiting and dial_at > now + _BEAT:
            line += f", dialling waits for {why}"
        if ended > ended_before and ended < total:
            seconds = (total - ended) * (now - began) / (ended - ended_before)
            line += f"; at this pace {timedelta(seconds=round(seconds))} to go"
        return line

    def _look(self, now: float) -> Snapshot | None:
        """A look at the active calls, if it is time for one: one for all calls."""
        if self._seen is not None:
            snapshot, self._seen = self._seen, None
            return snapshot
        unknown = self.campaign.pacing.limits is None  # an answer also tells the counters
        if now < self._look_at or not (self.campaign.needs_looks or unknown):
            return None
        snapshot = self._gateway.take_snapshot()
        self._look_at = now + snapshot.pause(self._poll_interval)
        self._count("look", snapshot.failure)
        return snapshot

    def _count(self, what: Literal["look", "start"], failure: CallApiError | None) -> None:
        """Failures in a row are survived, up to a point."""
        if failure is None:
            self._failures[what] = 0
            return
        if isinstance(failure, LimitExceeded):
            return
        self._failures[what] += 1
        self._gateway.log(f"{failure} ({self._failures[what]} in a row)")
        if failure.permanent or self._failures[what] > TOLERANCE.failures:
            raise failure

    def _news(self) -> Limits | None:
        """The counters, if they are newer than the last that were looked at."""
        limits = self._gateway.limits()
        if limits is self._limits:
            return None
        self._limits = limits
        return limits

    def _dial(self, intents: Sequence[Attempt]) -> None:
        """Claim, dial, and write down the answers."""
        campaign = self.campaign
        claimed = []
        for intent, claim in zip(intents, self.ledger.claim(intents), strict=True):
            if claim.granted:
                claimed.append(intent)
            else:
                self._write(campaign.not_claimed(intent, claim, self._gateway.clock()))
        late = [intent for intent in claimed if not campaign.may_dial(intent, self._gateway.clock())]
        if late:
            self._write([campaign.not_dialled(intent, self._gateway.clock()) for intent in late])
            claimed = [intent for intent in claimed if intent not in late]
        if not claimed:
            return
        answers = self._gateway.start([self._request(intent) for intent in claimed])
        now = self._gateway.clock()
        placed = sum(isinstance(answer, StartedCall) for answer in answers)
        campaign.pacing.spent(len(answers), placed, self._news(), now)
        was_stopped = campaign.stopped
        self.ledger.write(
            [campaign.dialled(intent, answer, now) for intent, answer in zip(claimed, answers, strict=True)]
        )
        if campaign.stopped and not was_stopped:
            self._gateway.log(f"Dialling has stopped: {campaign.stopped}")
        silence = next((answer for answer in answers if _is_silence(answer)), None)
        if silence is not None:
            campaign.pacing.unanswered(now)
        elif placed:
            campaign.pacing.answered()
        if silence is not None or placed:
            self._count("start", None if placed else silence)

    def _write(self, changed: Sequence[Attempt]) -> None:
        if changed:
            self.ledger.write(changed)

    def _request(self, intent: Attempt) -> StartCall:
        return self._template.request(self.campaign.person(intent), intent.external_id)

    def _reported(self, now: float) -> list[Attempt]:
        """What the Data API says of the calls that are over, if it is time to ask."""
        campaign, reports = self.campaign, self._gateway.reports
        if reports is None or (since := campaign.reports_wanted(now)) is None:
            return []
        if now < self.report_at:
            return campaign.reports_failed(now)
        self.report_at = now + self._report_every
        try:
            return campaign.reported(reports(since), now)
        except CallApiError as error:
            self._gateway.log(f"The Data API has not told what became of finished calls: {error}")
            self.report_at = now + max(_until_points(error, 0.0), self._report_every)
            if not error.permanent:
                return campaign.reports_failed(now)
            campaign.stop(f"the Data API does not tell what becomes of calls: {error}")
            return campaign.reports_failed(now, patience=-float("inf"))

    def _tagged(self, now: float) -> list[Attempt]:
        """Some of the finished calls that are to be tagged; the dialling goes on in between."""
        changed: list[Attempt] = []
        if now < self.tag_at:
            return changed
        # what has failed comes last: one that can never be set must not hold up the others
        due = sorted(self.campaign.untagged(), key=lambda tag: self._tag_failures[_tag_key(*tag)])
        for attempt, tag_id in due[:_TAGS_A_STEP]:
            assert attempt.call is not None
            assert attempt.call.communication_id is not None
            try:
                self._gateway.tag_finished(attempt.call.communication_id, tag_id)
            except CallApiError as error:
                limited = isinstance(error, LimitExceeded)
                patient = now < (attempt.settled_at or now) + _TAG_PATIENCE
                if patient and (limited or not error.permanent):
                    self._tag_failures[_tag_key(attempt, tag_id)] += not limited
                    self.tag_at = now + _until_points(error, _LONGEST)
                    break
                self._stays_untagged(attempt, tag_id, error)
                changed.append(self.campaign.tagged(attempt, tag_id, now, done=False))
            else:
                changed.append(self.campaign.tagged(attempt, tag_id, now))
        return changed

    def _stays_untagged(self, attempt: Attempt, tag_id: int, why: object) -> None:
        assert attempt.call is not None
        self._gateway.log(f"Call session {attempt.call.call_session_id} stays without tag {tag_id}: {why}")

    def _tag_active(self, attempt: Attempt, tag_id: int) -> None:
        assert attempt.call is not None
        try:
            self._gateway.tag_active(attempt.call.call_session_id, tag_id)
        except LimitExceeded:
            return  # at the next look
        except CallApiError as error:
            self._stays_untagged(attempt, tag_id, error)
            self.campaign.tagged(attempt, tag_id, self._gateway.clock(), done=False)
        else:
            self._write([self.campaign.tagged(attempt, tag_id, self._gateway.clock())])

    def _pause(self, now: float) -> Pause:
        campaign = self.campaign
        if campaign.over:
            return Pause(0.0, over=True)
        dial_at, why = campaign.next_dial(now)
        if dial_at <= now and not why:
            return Pause(0.0, dial_at)  # more people than may be dialled at once
        due = [now + _LONGEST, max(dial_at, now + _BEAT)]
        if dial_at <= now or campaign.needs_looks:
            due.append(max(self._look_at, now + _BEAT))
        if campaign.needs_reports:
            due.append(max(self.report_at, now + _BEAT))
        if campaign.untagged():
            due.append(max(self.tag_at, now + _BEAT))
        return Pause(min(due) - now, dial_at, why)


def _is_silence(answer: StartedCall | CallApiError) -> TypeGuard[CallApiError]:
    """Whether the service did not say what it made of a start request."""
    return isinstance(answer, CallApiError) and (answer.maybe_done or isinstance(answer, NotSent))


def _until_points(error: CallApiError, otherwise: float) -> float:
    """Seconds until it is asked again: for points, if that is what is missing."""
    return min(error.retry_after, _LONGEST_LIMIT) if isinstance(error, LimitExceeded) else otherwise


def _tag_key(attempt: Attempt, tag_id: int) -> tuple[str, int]:
    return attempt.external_id, tag_id
