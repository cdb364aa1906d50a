"""The campaign engine decides which people to dial, and finds out what became of their calls.

The engine has no clock and sends no requests. Its caller passes the time, the snapshots and the replies.

`Campaign` connects the parts of the engine, and has them as attributes:

- `DialQueue` chooses the people to dial.
- `WatchedCalls`, `UnconfirmedCallSearch` and `MissingReports` find out what became of calls.
- `CallTags` finds the calls that lack a tag.
- `AttemptProgress` moves each person from one stage to the next. `PersonStage` explains the stages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Plan
from airflow_provider_callapi.calls.campaign.engine.absence import AbsenceProof
from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.call_tags import CallTags
from airflow_provider_callapi.calls.campaign.engine.dial_queue import DialQueue
from airflow_provider_callapi.calls.campaign.engine.missing_reports import MissingReports
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonEvent, PersonStage
from airflow_provider_callapi.calls.campaign.engine.tag_plan import TagPlan
from airflow_provider_callapi.calls.campaign.engine.unconfirmed_call_search import UnconfirmedCallSearch
from airflow_provider_callapi.calls.campaign.engine.watched_calls import WatchedCalls
from airflow_provider_callapi.calls.campaign.engine.zone_queue import ZoneQueues
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


@dataclass
class Actions:
    """What the `Runner` of a campaign has to do now: store attempts, tag calls and dial people.

    :ivar changed: attempts to store in the ledger.
    :ivar not_found: ledger keys of people whose unconfirmed call was not found in the search time.
    :ivar to_tag: answered, active calls to tag now, as pairs (attempt, tag id).
    :ivar untagged: answered calls that ended without their tag, as pairs (attempt, tag id), for the log.
    :ivar to_dial: the intents (records of the next attempts) of the people to call now. Only a person whose
        intent the ledger grants may be dialled.
    """

    changed: list[Attempt] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    to_tag: list[tuple[Attempt, int]] = field(default_factory=list)
    untagged: list[tuple[Attempt, int]] = field(default_factory=list)
    to_dial: list[Attempt] = field(default_factory=list)


class Campaign:
    """Holds the people of a campaign and their attempts, and decides what to do next.

    :param plan: the people to call, and those rows of the contact list that lead to no call.
    :param known: the attempts in the ledger; for each person, the oldest first.
    :param personal: the names of the start request's parameters whose values differ between people.
    :param new_external_id: a function: (person, number of an attempt) → ``external_id`` of the attempt.
    :param now: epoch seconds.
    :ivar tags: finds the calls that lack a tag, and records which tags were set.
    :ivar dial_queue: chooses people, and records the answers to claims and to start requests.
    :ivar watched_calls: watches the active calls.
    :ivar unconfirmed_calls: searches for unconfirmed calls: calls whose start request got no answer.
    :ivar reports: records the Data API's reports of calls.
    """

    def __init__(
        self,
        plan: Plan,
        known: Iterable[Attempt],
        rules: Rules,
        pacing: Pacing,
        *,
        personal: Container[str],
        new_external_id: Callable[[Person, int], str],
        now: float,
    ) -> None:
        self.plan = plan
        self.rules = rules
        self.pacing = pacing
        self._index = PersonIndex(plan.people)
        self._queues = ZoneQueues(rules.hours)
        tag_plan = TagPlan(rules)
        self._progress = AttemptProgress(self._index, self._queues, rules, tag_plan)
        self.watched_calls = WatchedCalls(self._index, self._progress, tag_plan)
        self.dial_queue = DialQueue(
            self._index,
            self._queues,
            self._progress,
            rules,
            pacing,
            watched_calls=self.watched_calls,
            personal_fields=personal,
            new_external_id=new_external_id,
        )
        self.tags = CallTags(self._index, self._progress, tag_plan)
        self.unconfirmed_calls = UnconfirmedCallSearch(self._index, self._progress)
        self.reports = MissingReports(
            self._index, self._progress, self.unconfirmed_calls, self.dial_queue, rules
        )
        self._unstored = self._adopt_known(known, now)

    def _adopt_known(self, known: Iterable[Attempt], now: float) -> list[Attempt]:
        """Give each person a stage by the person's newest attempt. A person without an attempt is queued.

        :return: the attempts whose status this has changed, for the ledger.
        """
        newest: dict[str, Attempt] = {}
        results: dict[str, Result] = {}
        for attempt in known:  # for each person, the oldest attempt comes first
            newest[attempt.person] = attempt
            if attempt.result is not None:
                results[attempt.person] = attempt.result
        changed: list[Attempt] = []
        for state in self._index:
            state.result = results.get(state.person.key)
            last = newest.get(state.person.key)
            if last is None:
                self._index.move(state, PersonEvent.READY)
                self._queues.add(state.person)
            else:
                changed += self._progress.adopt(state, last, now)
        return changed

    def absence_proof(self, gateway: CampaignGateway, interval: float) -> AbsenceProof:
        """Return the object that finds out which unconfirmed calls of this campaign were never placed.

        :param gateway: the functions through which the `AbsenceProof` reaches the Data API and the log.
        :param interval: seconds between two requests to the Data API.
        """
        return AbsenceProof(self._index, gateway, self.rules, interval=interval)

    # --- what to do ---

    def next_actions(self, now: float, snapshot: Snapshot | None, limits: Limits | None) -> Actions:
        """Return what the campaign's runner has to do now.

        :param now: epoch seconds.
        :param snapshot: the result of a poll; None: no poll was made. A failed poll changes no call's state.
        :param limits: the newest counters of the account's points; None: no reply contained new counters.
        """
        actions = Actions(changed=self._unstored)
        self._unstored = []
        if limits is not None:
            self.pacing.points.update(limits, now)
        if snapshot is not None and snapshot.failure is None:
            news = self.watched_calls.update(snapshot)
            actions.to_tag, actions.untagged = news.to_tag, news.untagged
            found, actions.not_found = self.unconfirmed_calls.search_snapshot(snapshot)
            actions.changed += [*news.changed, *found]
        self.dial_queue.drop_expired(now)
        actions.to_dial = self.dial_queue.choose(now)
        return actions

    # --- how far the campaign is ---

    @property
    def active(self) -> int:
        """How many calls are active. An unconfirmed call counts too, because it may be active."""
        return self.dial_queue.active_calls

    @property
    def waiting(self) -> int:
        """How many people wait for a call or a redial."""
        return len(self._queues)

    @property
    def finished(self) -> int:
        """How many people are finished: nothing is left to do for these people."""
        return self._index.finished_by_result.total()

    @property
    def finished_by_result(self) -> Counter[Result]:
        """The results of the finished people: result → how many people have the result."""
        return self._index.finished_by_result

    @property
    def over(self) -> bool:
        """Whether the campaign is over: no attempt is open, and no further person will be dialled.

        No further person is dialled if dialling has stopped, or if no person waits for a call or a redial.

        An attempt whose report is missing is open. Exception: if the Data API refuses every request, such an
        attempt does not count. The next try of the task asks for its report.
        """
        left = self._index.count(PersonStage.REPORT_DUE) if self.reports.refused else 0
        is_done = self._index.open_attempts == left
        return is_done and (self.dial_queue.stopped is not None or not self._queues)

    @property
    def needs_polls(self) -> bool:
        """Whether the campaign must poll, because it has active or unconfirmed calls."""
        return self.active > 0

    @property
    def unreported(self) -> int:
        """How many calls have ended, and wait for the Data API's report."""
        return self._index.count(PersonStage.REPORT_DUE) if self.reports.needed else 0

    @property
    def has_unconfirmed_calls(self) -> bool:
        """Whether the campaign is searching for an unconfirmed call."""
        return self._index.count(PersonStage.UNCONFIRMED) > 0

    def results(self) -> dict[str, Result]:
        """Return the present result of each person: the person's key → result.

        - If the person's newest call has ended, and its report is not there yet: `Result.UNKNOWN`.
        - Otherwise: the result of the person's newest attempt that has one.
        - If no attempt of the person has a result: `Result.NOT_CALLED`.
        """
        return {
            state.person.key: Result.UNKNOWN
            if state.stage is PersonStage.REPORT_DUE
            else state.result or Result.NOT_CALLED
            for state in self._index
        }
