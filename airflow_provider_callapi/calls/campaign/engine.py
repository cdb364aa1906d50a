"""The campaign itself: fed with looks, counters and answers, it says whom to dial and what became of whom.

Every person is in one place: waiting in a queue, open (an attempt of which something is still to be found
out), or at an end. An attempt's way is that of `airflow_provider_callapi.calls.campaign.ledger.Status`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import (
    AccessDenied,
    AuthenticationFailed,
    CallApiError,
    InvalidParameters,
    LimitExceeded,
    NotSent,
    ProtocolMismatch,
    Rejected,
)
from airflow_provider_callapi.api.models import CallSession, Limits, StartedCall
from airflow_provider_callapi.calls.campaign.ledger import OPEN, Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import MEANING, NO_ATTEMPT, Result, result_of
from airflow_provider_callapi.calls.campaign.pacing import Pacing
from airflow_provider_callapi.calls.campaign.people import Person, Plan
from airflow_provider_callapi.calls.campaign.rules import NEVER, Rules
from airflow_provider_callapi.calls.campaign.zone_queue import ZoneQueue
from airflow_provider_callapi.calls.lost_call import LostCall
from airflow_provider_callapi.calls.outcome import Outcome, with_report
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tagging import due_tags
from airflow_provider_callapi.calls.watch import FINAL_PHASES, Observation, SessionWatch

_TROUBLE = 30.0
"""Seconds before somebody is tried again whose call could not even be sent."""
_NO_LINE = 60.0
"""Seconds for which nobody is dialled after a call for which the account had no line."""
_DOUBLINGS = 5
"""How often the delay of a redial is doubled where no phone rang: each of these calls costs points."""
_CLOCKS = 60.0
"""Seconds by which the service's clock may be behind ours, to begin with."""
_LAST_QUESTIONS = 60.0
"""Seconds before a report is given up in which it is looked for a day back."""
_DAY = 86_400.0
_REPORT_PATIENCE = 3600.0
"""Seconds after its deadline at which a report is given up, though nobody could be asked for it."""


@dataclass
class Actions:
    """What to do now, in this order.

    :ivar changed: to be written into the ledger.
    :ivar given_up: people whose lost call was searched for in vain: ask the ledger, then `Campaign.give_up`.
    :ivar tag: active calls to be tagged, and with what.
    :ivar untagged: answered calls that were over before they could be tagged.
    :ivar dial: intents: claim them in the ledger, then dial.
    """

    changed: list[Attempt] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    tag: list[tuple[Attempt, int]] = field(default_factory=list)
    untagged: list[tuple[Attempt, int]] = field(default_factory=list)
    dial: list[Attempt] = field(default_factory=list)


class Campaign:
    """Everybody on the plan, the attempts to call them, and what comes next.

    :param known: every attempt that the ledger knows, each person's oldest first.
    :param personal: the parameters of the call that differ between people.
    :param new_external_id: of a person's attempt.
    :ivar do_not_call: numbers that must not be dialled, as of now; None: that is not known, so nobody is.
    :ivar stopped: why nobody is dialled any more, if that is so.
    """

    def __init__(
        self,
        plan: Plan,
        known: Iterable[Attempt],
        rules: Rules,
        pacing: Pacing,
        *,
        personal: Container[str],
        new_external_id: Any,
        now: float,
    ) -> None:
        self.plan = plan
        self.rules = rules
        self.pacing = pacing
        self.do_not_call: Container[str] | None = frozenset()
        self.stopped: str | None = None
        self.counts: Counter[Result] = Counter()
        self._personal = personal
        self._new_external_id = new_external_id
        self._people = {person.key: person for person in plan.people}
        self._latest: dict[str, Attempt] = {}
        self._results: dict[str, Result] = {}
        self._open: set[str] = set()
        self._watches: dict[int, tuple[str, SessionWatch]] = {}
        self._lost: dict[str, LostCall] = {}
        self._report_by: dict[str, float] = {}
        self._untagged: dict[str, list[int]] = {}
        self._untaggable: set[tuple[str, int]] = set()
        self._ends: dict[str, Result] = {}
        self._queues: dict[str, ZoneQueue] = {}
        self._news: list[Attempt] = []
        newest: dict[str, Attempt] = {}
        for attempt in known:
            newest[attempt.person] = attempt
            if attempt.result is not None:
                self._results[attempt.person] = attempt.result
        for person in plan.people:
            if (last := newest.get(person.key)) is None:
                self._queue(person.key).add(person.key)
            elif (adopted := self._adopt(last, now)) != last:
                self._news.append(adopted)  # the rules were others when it was written

    # --- what is to be done ---

    def tick(self, now: float, snapshot: Snapshot | None, limits: Limits | None) -> Actions:
        """What to do at this moment.

        :param snapshot: a look at the active calls, where there was one; a failed one proves nothing.
        :param limits: the newest counters of the account.
        """
        actions = Actions(changed=self._news)
        self._news = []
        if limits is not None:
            self.pacing.update_limits(limits, now)
        if snapshot is not None and snapshot.failure is None:
            self._see(snapshot, actions)
        for queue in self._queues.values():
            if queue.next_at(now) >= self.rules.dial_until:
                for person in queue.clear():
                    self._end(person, self._last_result(person))
        if self.stopped is None:
            actions.dial = self._choose(now)
        return actions

    def stop(self, why: str) -> None:
        """Dial nobody any more; what is active is waited for."""
        self.stopped = self.stopped or why

    def _choose(self, now: float) -> list[Attempt]:
        """Intents for as many people as points and active calls allow; who can wait least comes first."""
        rules = self.rules
        room = min(self.pacing.allowed(now), rules.max_active - self.active, rules.at_once)
        if room <= 0 or self.do_not_call is None:
            return []
        intents: list[Attempt] = []
        for queue in self._open_queues(now):
            while len(intents) < room and (person := queue.take(now)) is not None:
                if self._people[person].contact in self.do_not_call:
                    self._end(person, Result.DO_NOT_CALL)
                else:
                    intents.append(self._intent(person, now))
        return intents

    def _open_queues(self, now: float) -> list[ZoneQueue]:
        open_now = [
            (closes, queue)
            for queue in self._queues.values()
            if len(queue) and (closes := queue.open_until(now)) is not None
        ]
        return [queue for _, queue in sorted(open_now, key=lambda pair: pair[0])]

    def _intent(self, person: str, now: float) -> Attempt:
        last = self._latest.get(person)
        if last is None:
            number, unrung = 1, 0
        elif last.status is Status.NOT_PLACED:
            number, unrung = last.attempt, last.unrung
        else:
            number, unrung = last.attempt + 1, last.unrung + (last.result in NO_ATTEMPT)
        external_id = self._new_external_id(self._people[person], number)
        # microseconds, as a database keeps them: it is compared with what a ledger says
        at = round(now, 6)
        intent = Attempt(person, number, Status.DIALLING, external_id, intended_at=at, unrung=unrung)
        self._latest[person] = intent
        self._open.add(person)
        return intent

    # --- what the world answers ---

    def person(self, attempt: Attempt) -> Person:
        """Whom an attempt is to call."""
        return self._people[attempt.person]

    def not_claimed(self, intent: Attempt, claim: ClaimResult, now: float) -> list[Attempt]:
        """Somebody else dials this attempt, or the person was called too recently.

        :return: what the ledger has to know: where the rules here are others, an attempt may be settled.
        """
        self._open.discard(intent.person)
        if claim.held is not None:
            adopted = self._adopt(claim.held, now)
            return [] if adopted == claim.held else [adopted]
        not_before = claim.not_before or now + _TROUBLE
        if not_before >= self.rules.dial_until:
            self._latest[intent.person] = intent.now(Status.NOT_PLACED)
            self._end(intent.person, self._last_result(intent.person))
        else:
            self._put_back(intent, not_before)
        return []

    def may_dial(self, intent: Attempt, now: float) -> bool:
        """Whether an intent may still be dialled: claiming it took time, and there may have been a kill."""
        window_closes = self._queue(intent.person).open_until(now)
        return self.stopped is None and now < self.rules.dial_until and window_closes is not None

    def not_dialled(self, intent: Attempt, now: float) -> Attempt:
        """It was too late for this intent; returns what the ledger has to know."""
        return self._put_back(intent, now)

    def _put_back(self, intent: Attempt, due: float) -> Attempt:
        """To be dialled later, as the same attempt."""
        attempt = self._latest[intent.person] = intent.now(Status.NOT_PLACED)
        self._open.discard(intent.person)
        self._queue(intent.person).add_later(intent.person, due)
        return attempt

    def dialled(self, intent: Attempt, answer: StartedCall | CallApiError, now: float) -> Attempt:
        """The answer to a ``start.*``; returns what the ledger has to know."""
        if isinstance(answer, StartedCall):
            call = Outcome(answer.call_session_id, intent.external_id, attempt=intent.attempt, started_at=now)
            return self._adopt(intent.now(Status.ACTIVE, call=call), now)
        if answer.maybe_done:
            return self._adopt(intent, now)
        due = now
        if isinstance(answer, LimitExceeded):
            self.pacing.exhausted(answer, now)
        elif isinstance(answer, NotSent):
            due = now + _TROUBLE
        elif isinstance(answer, AuthenticationFailed | AccessDenied | ProtocolMismatch) or (
            isinstance(answer, InvalidParameters) and not self._is_personal(answer)
        ):
            nameless = isinstance(answer, InvalidParameters) and not answer.field
            row = f" (row {self._people[intent.person].line} of the list)" if nameless else ""
            self.stop(f"{answer}{row}")
        else:
            result = Result.INVALID if isinstance(answer, InvalidParameters) else Result.REFUSED
            why = getattr(answer, "mnemonic", None)
            refused = intent.now(Status.SETTLED, result=result, settled_at=now, refused_with=why)
            return self._adopt(refused, now)
        return self._put_back(intent, due)

    def _is_personal(self, error: Rejected) -> bool:
        return bool(error.field) and str(error.field).partition(".")[0] in self._personal

    def _see(self, snapshot: Snapshot, actions: Actions) -> None:
        for session_id, (person, watch) in list(self._watches.items()):
            phase = watch.update(snapshot)
            attempt = self._latest[person]
            assert attempt.call is not None
            if phase in FINAL_PHASES:
                del self._watches[session_id]
                call = watch.extend_outcome(attempt.call)
                ended = attempt.now(Status.ENDED, call=call)
                actions.changed.append(self._adopt(ended, snapshot.at))
                if call.answered and (tag_id := self._tag_of_active(ended)) is not None:
                    actions.untagged.append((ended, tag_id))
            elif watch.observation.answered_at is not None:
                if not attempt.call.answered:
                    attempt = attempt.now(attempt.status, call=watch.extend_outcome(attempt.call))
                    self._latest[person] = attempt
                    actions.changed.append(attempt)
                if (tag_id := self._tag_of_active(attempt)) is not None:
                    actions.tag.append((attempt, tag_id))
        if self._lost:
            self._search(snapshot, actions)

    def _search(self, snapshot: Snapshot, actions: Actions) -> None:
        wanted = self._searched_for()
        for session in snapshot.sessions.values():
            if session.call_session_id in self._watches:
                continue
            if person := self._whose(wanted, session.external_id, session):
                actions.changed.append(self._found(person, session.call_session_id, snapshot.at))
        for person, lost in self._lost.items():
            lost.misses += 1
            if lost.is_given_up(snapshot.at):
                actions.given_up.append(person)

    def _searched_for(self) -> dict[str, list[str]]:
        """The lost people by the ids of their attempts: an author's own need not be unique."""
        wanted = defaultdict(list)
        for person in self._lost:
            wanted[self._latest[person].external_id].append(person)
        return wanted

    def _whose(
        self, wanted: dict[str, list[str]], external_id: str | None, found: CallSession | CallReport
    ) -> str | None:
        """Whose lost call this is, if it is one."""
        for person in wanted.get(external_id or "", ()):
            if person in self._lost and self._lost[person].matches(found):
                return person
        return None

    def _found(self, person: str, session_id: int, now: float) -> Attempt:
        """A lost call was placed."""
        attempt = self._latest[person]
        call = Outcome(
            session_id, attempt.external_id, attempt=attempt.attempt, started_at=attempt.intended_at
        )
        self._lost.pop(person, None)
        return self._adopt(attempt.now(Status.ACTIVE, call=call), now)

    def give_up(self, people: Iterable[str], known: Iterable[Attempt], now: float) -> list[Attempt]:
        """Lost calls were not found: who else dialled them may know; else they stay unresolved."""
        elsewhere = {attempt.person: attempt for attempt in known}
        changed = []
        for person in people:
            attempt = self._latest[person]
            self._lost.pop(person, None)
            newer = elsewhere.get(person, attempt)
            if (newer.attempt, newer.status, newer.intended_at) == (
                attempt.attempt,
                Status.DIALLING,
                attempt.intended_at,
            ):
                newer = attempt.now(Status.SETTLED, result=Result.UNRESOLVED, settled_at=now)
                changed.append(newer)
            self._adopt(newer, now)
        return changed

    # --- the Data API ---

    @property
    def needs_reports(self) -> bool:
        """Whether there are calls that the Data API may know more of."""
        return self.rules.report_timeout is not None and bool(self._report_by or self._lost)

    def reports_wanted(self, now: float) -> float | None:
        """From when on calls are to be looked up in the Data API's report, epoch seconds; None: no need.

        The longer a report is missing, the more the service's clock may differ from ours; before it is given
        up, the connection's time zone may be wrong, too.
        """
        patience = self.rules.report_timeout
        if patience is None:
            return None
        waiting = {
            **self._report_by,
            **{person: lost.search_until for person, lost in self._lost.items()},
            # over between two looks, or before the first: its line is free
            **{
                person: now + patience
                for person, watch in self._watches.values()
                if not watch.observation.listed
            },
        }
        if not waiting:
            return None

        def reach(person: str, deadline: float) -> float:
            if person in self._report_by and now >= deadline - _LAST_QUESTIONS:
                return _DAY
            return max(_CLOCKS, 3 * (now - (deadline - patience)))

        return min(self._latest[person].intended_at - reach(person, due) for person, due in waiting.items())

    def reported(self, found: Iterable[tuple[CallReport, bool | None]], now: float) -> list[Attempt]:
        """What the Data API says of finished calls, and whether they were answered."""
        ended = {
            attempt.call.call_session_id: person
            for person in self._report_by
            if (attempt := self._latest[person]).call is not None
        }
        ended |= {session_id: person for session_id, (person, _) in self._watches.items()}
        wanted = self._searched_for()
        changed = []
        for report, answered in found:
            person = ended.pop(report.id, None)  # a page that shifted tells of a call twice
            if person is None:
                person = self._whose(wanted, report.call_api_external_id, report)
                if person is None:
                    continue
                self._found(person, report.id, now)
            self._watches.pop(report.id, None)
            attempt = self._latest[person]
            assert attempt.call is not None
            call = with_report(attempt.call, report, attempt.call.answered or answered, self.rules.timezone)
            changed.append(self._settle(attempt, call, now))
        return [*changed, *self.reports_failed(now, patience=0.0)]

    def reports_failed(self, now: float, *, patience: float = _REPORT_PATIENCE) -> list[Attempt]:
        """Calls whose report is late enough: what list.calls has shown is all that is known."""
        late = [person for person, deadline in self._report_by.items() if now >= deadline + patience]
        return [
            self._settle(attempt, attempt.call, now)
            for person in late
            if (attempt := self._latest[person]).call is not None
        ]

    def _settle(self, attempt: Attempt, call: Outcome, now: float) -> Attempt:
        self._report_by.pop(attempt.person, None)
        result = result_of(call)
        if result is Result.ACCOUNT:
            self.stop(f"{MEANING[result]} ({call.finish_reason})")
        elif result is Result.CAPACITY:
            self.pacing.wait(now + _NO_LINE, "a free line of the account")
        known = attempt.now(Status.ENDED, call=call, result=result, settled_at=now)
        return self._adopt(known, now)

    def untagged(self) -> list[tuple[Attempt, int]]:
        """Finished calls to be tagged through the Data API, and with what."""
        return [(self._latest[person], tags[0]) for person, tags in self._untagged.items()]

    def tagged(self, attempt: Attempt, tag_id: int, now: float, *, done: bool = True) -> Attempt:
        """It was done, or (not ``done``) cannot be."""
        attempt = self._latest[attempt.person]
        assert attempt.call is not None
        if not done:
            self._untaggable.add((attempt.external_id, tag_id))
        call = attempt.call.tagged(tag_id) if done else attempt.call
        return self._adopt(attempt.now(attempt.status, call=call), now)

    @property
    def answers_wanted(self) -> bool:
        """Whether an answer must be heard of while its call is active: it cannot be tagged afterwards."""
        return self.rules.report_timeout is None and "answered" in self.rules.tags

    @property
    def answered_untagged(self) -> bool:
        """Whether there is an active call that was answered and is to be tagged."""
        return self.answers_wanted and any(
            watch.observation.answered_at is not None
            and self._tag_of_active(self._latest[person]) is not None
            for person, watch in self._watches.values()
        )

    def _tag_of_active(self, attempt: Attempt) -> int | None:
        """The tag that a call still lacks, once it was answered, and that only an active one can get."""
        tag_id = self.rules.tags.get("answered") if self.answers_wanted else None
        if attempt.call is None or tag_id in attempt.call.tags:
            return None
        return None if (attempt.external_id, tag_id) in self._untaggable else tag_id

    def _tags_due(self, attempt: Attempt) -> list[int]:
        call = attempt.call
        if call is None or call.communication_id is None:
            return []
        wanted = due_tags(call, self.rules.tags)
        return [tag_id for tag_id in wanted if (attempt.external_id, tag_id) not in self._untaggable]

    # --- where a person is ---

    def _adopt(self, attempt: Attempt, now: float) -> Attempt:
        """Take an attempt, new or from the ledger, to where its status belongs."""
        person, call, rules = attempt.person, attempt.call, self.rules
        if attempt.status is Status.ENDED and attempt.result is None and rules.report_timeout is None:
            assert call is not None
            attempt = attempt.now(Status.ENDED, result=result_of(call), settled_at=now)
        if attempt.status is Status.ENDED and attempt.result is not None:
            if tags := self._tags_due(attempt):
                self._untagged[person] = tags
            else:
                self._untagged.pop(person, None)
                attempt = attempt.now(Status.SETTLED)
        self._latest[person] = attempt
        if attempt.result is not None:
            self._results[person] = attempt.result
        if attempt.status in OPEN:
            self._open.add(person)
        else:
            self._open.discard(person)
        if attempt.status is Status.DIALLING:
            patience = max(rules.appear_timeout, rules.report_timeout or 0.0)
            self._lost[person] = LostCall(
                attempt.external_id,
                self._people[person].contact,
                attempt.intended_at,
                rules.timezone,
                search_until=now + patience,
            )
        elif attempt.status is Status.ACTIVE:
            assert call is not None
            started = call.started_at or attempt.intended_at
            watch = SessionWatch(
                call.call_session_id,
                appear_by=started + rules.appear_timeout,
                deadline=started + rules.call_timeout,
                observation=Observation.from_outcome(call),
            )
            self._watches[call.call_session_id] = (person, watch)
        elif attempt.status is Status.ENDED and attempt.result is None:
            self._report_by[person] = self._over_at(attempt, now) + (rules.report_timeout or 0.0)
        elif attempt.status is Status.NOT_PLACED:
            self._queue(person).add_later(person, now)
        elif attempt.status is Status.SETTLED:
            self._redial_or_end(attempt, now)
        return attempt

    def _over_at(self, attempt: Attempt, now: float) -> float:
        """When a call was over, or was not watched any more: the same whenever it is asked."""
        assert attempt.call is not None
        watched = self.rules.call_timeout if attempt.call.observed else self.rules.appear_timeout
        started = attempt.call.started_at or attempt.intended_at
        return min(now, attempt.call.ended_at or started + watched)

    def _redial_or_end(self, attempt: Attempt, now: float) -> None:
        assert attempt.result is not None, "a settled attempt has a result"
        delay = self.rules.redial.get(attempt.result)
        in_vain = attempt.result in NO_ATTEMPT
        rung = attempt.attempt - attempt.unrung - in_vain
        known = attempt.settled_at or now
        over = attempt.call.ended_at if attempt.call else None
        # a report's clock, or the connection's time zone, may be wrong
        over = min(max(over or known, attempt.intended_at), known)
        due = over + (delay or 0.0) * (2 ** min(attempt.unrung, _DOUBLINGS) if in_vain else 1)
        if delay is None or rung >= self.rules.max_attempts or due >= self.rules.dial_until:
            self._end(attempt.person, attempt.result)
        else:
            self._queue(attempt.person).add_later(attempt.person, due)

    def _end(self, person: str, result: Result) -> None:
        self._ends[person] = result
        self.counts[result] += 1

    def _last_result(self, person: str) -> Result:
        return self._results.get(person, Result.NOT_CALLED)

    def _queue(self, person: str) -> ZoneQueue:
        zone = self._people[person].zone
        if zone not in self._queues:
            self._queues[zone] = ZoneQueue(zone, self.rules.hours)
        return self._queues[zone]

    # --- what there is to say ---

    @property
    def active(self) -> int:
        """Calls that are, or may be, going on."""
        return len(self._watches) + len(self._lost)

    @property
    def waiting(self) -> int:
        """People who are still to be called, or called again."""
        return sum(len(queue) for queue in self._queues.values())

    @property
    def ended(self) -> int:
        """People of whom nothing more is to be found out."""
        return len(self._ends)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return not self._open and (self.stopped is not None or not self.waiting)

    @property
    def needs_looks(self) -> bool:
        """Whether anything is to be seen among the active calls."""
        return bool(self._watches or self._lost)

    @property
    def searching(self) -> bool:
        """Whether there are intents without an answer, which are looked for."""
        return bool(self._lost)

    def watched(self) -> dict[int, SessionWatch]:
        """The calls to look out for, by session id."""
        return {session_id: watch for session_id, (_, watch) in self._watches.items()}

    def seen_elsewhere(self, observations: Mapping[int, Observation]) -> None:
        """What somebody else has seen of the active calls, say a trigger."""
        for session_id, observation in observations.items():
            if session_id in self._watches:
                self._watches[session_id][1].observation = observation

    def next_dial(self, now: float) -> tuple[float, str]:
        """When somebody may be dialled next, epoch seconds, and what is waited for."""
        if self.stopped is not None or not self.waiting:
            return NEVER, "the end of the active calls"
        due = min(queue.next_at(now) for queue in self._queues.values())
        if due >= self.rules.dial_until:
            return self.rules.dial_until, "the end of the campaign: nobody may be called before it"
        if due > now:
            shut = not self._open_queues(now)
            return due, "the calling hours" if shut else "the next person's turn"
        if self.do_not_call is None:
            return now + _TROUBLE, "the do_not_call list, which cannot be read"
        if self.active >= self.rules.max_active:
            return now, "an active call to end"
        return self.pacing.next_slot(now)

    def results(self) -> dict[str, Result]:
        """What became of everybody; who is still waiting when it is asked was not called (again)."""
        return {person: self._ends.get(person) or self._last_result(person) for person in self._people}
