"""The life of all calls: phones ring, people answer, talk and hang up, by script and by the clock.

Nothing happens by itself: `settle` carries out, in order, what was due since the last time. So a
test moves a clock, and a hundred thousand calls cost no thread.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee
from airflow_provider_callapi.emulator.call import Call, Leg
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.journal import Entry, Journal, Kind
from airflow_provider_callapi.emulator.script import Script
from airflow_provider_callapi.emulator.state_diagram import Role, State

POST_TALK_SECONDS = 2.0
"""How long a call outlives its operator; the document only says that it does."""

Event = Callable[[], None]


class Switchboard:
    """Active and finished calls, and the events that are due.

    :ivar now: the time of the event or request that is being dealt with.
    :ivar begun: all calls in the order in which they began.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.now = clock()
        self.journal = Journal()
        self.calls: dict[int, Call] = {}
        self.begun: list[Call] = []
        self.active: dict[int, Call] = {}
        self.finished: list[Call] = []
        self.scripts: dict[str, Script] = {}
        self.default_script = Script()
        self.report_lag = 0.0
        self._events: list[tuple[float, int, Call, Event]] = []
        self._order = count()
        self._call_ids = count(206_597_836)
        self._leg_ids = count(287_866_221)

    # --- time ---

    def settle(self) -> None:
        """Let happen what was due until now."""
        until = self.clock()
        while self._events and self._events[0][0] <= until:
            when, _, call, event = heapq.heappop(self._events)
            if call.active:
                self.now = when
                event()
        self.now = until

    def note(self, kind: Kind, call: Call, phone: str | None = None, detail: str = "") -> None:
        """Write down what a call did."""
        self.journal.add(Entry(self.now, kind, None, call.call_session_id, phone, None, detail or None))

    def _after(self, seconds: float, call: Call, event: Event) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), call, event))

    # --- beginnings ---

    def script_of(self, phone: str) -> Script:
        """What happens at this phone."""
        return self.scripts.get(phone, self.default_script)

    def new_call(self, account: Account, method: str, contact: str, virtual_number: str) -> Call:
        """A session in which nobody has been called yet."""
        zone = ZoneInfo(account.timezone)
        local = datetime.fromtimestamp(self.now, zone).replace(tzinfo=None)
        call = Call(
            call_session_id=next(self._call_ids),
            account=account,
            method=method,
            contact=contact,
            virtual_phone_number=virtual_number,
            script=self.script_of(contact),
            started_at=self.now,
            start_time=local.isoformat(timespec="milliseconds"),
            recorded=account.forced_recording,
        )
        self.calls[call.call_session_id] = call
        self.begun.append(call)
        self.active[call.call_session_id] = call
        self.note("start", call, contact, method)
        return call

    def ring_contact(self, call: Call) -> None:
        """Call the contact."""
        leg = self._new_leg(call, Role.CONTACT, call.contact, call.virtual_phone_number)
        leg.called += call.dtmf_string
        self._ring(call, leg, call.script, call.dialing_timeout)

    def ring_operator(self, call: Call) -> None:
        """Call the next phone of the other side."""
        phone, employee = call.operators.pop(0)
        calling = call.virtual_phone_number if call.shows_virtual_number else call.contact
        leg = self._new_leg(call, Role.OPERATOR, phone, calling, employee)
        script = self.scripts.get(phone) or Script(
            rings=call.script.employee_rings, answer=call.script.employee_answer
        )
        self._ring(call, leg, script)

    def ring_other(self, call: Call, role: Role, phone: str) -> None:
        """Call a third party or a coach."""
        employee = call.account.employee_at(phone)
        leg = self._new_leg(call, role, phone, call.virtual_phone_number, employee)
        self._ring(call, leg, self.script_of(phone))

    def receive(self, call: Call) -> None:
        """The contact is on the line already and waits for an operator."""
        leg = self._new_leg(call, Role.CONTACT, call.virtual_phone_number, call.contact)
        leg.phone, leg.state = call.contact, LegState.QUEUED
        self.ring_operator(call)

    def _new_leg(
        self, call: Call, role: Role, phone: str, calling: str, employee: Employee | None = None
    ) -> Leg:
        leg = Leg(next(self._leg_ids), role, phone, calling, phone, employee)
        call.legs.append(leg)
        return leg

    def _ring(self, call: Call, leg: Leg, script: Script, patience: float | None = None) -> None:
        self.note("ring", call, leg.phone, leg.role.value)
        if patience is not None and script.rings > patience:
            self._after(patience, call, lambda: self._not_reached(call, leg, "timeout"))
        elif script.answer == "answers":
            self._after(script.rings, call, lambda: self._picked_up(call, leg))
        else:
            reason = _NOT_REACHED[leg.role is Role.CONTACT, script.answer]
            self._after(script.rings, call, lambda: self._not_reached(call, leg, reason))

    # --- what people do ---

    def _picked_up(self, call: Call, leg: Leg) -> None:
        if leg.state is not LegState.DIALING:
            return
        leg.state, leg.answered_at = LegState.TALKING, self.now
        self.note("answer", call, leg.phone, leg.role.value)
        if leg.role is Role.THIRD:
            self._third_party_answered(call, leg)
        elif leg.role is not Role.COACH:
            self._side_answered(call, leg)

    def _side_answered(self, call: Call, leg: Leg) -> None:
        contact, operator = call.leg(Role.CONTACT), call.leg(Role.OPERATOR)
        if leg is contact:
            call.answered_at = self.now
        if call.method == "start.informer_call":
            call.talked_at = self.now
            call.go("contact hears the message")
            self._talk_ends_after(call, call.script.talks, "success_finish")
        elif contact is None:
            self.ring_contact(call)
        elif operator is None:
            self.ring_operator(call)
        elif contact.on_the_line and operator.on_the_line:
            call.answered_at = call.answered_at or self.now
            call.talked_at = self.now
            call.go("both sides answered")
            self._talk_ends_after(call, call.script.talks, _HANGS_UP[call.script.hangs_up])

    def _third_party_answered(self, call: Call, leg: Leg) -> None:
        transferred = call.state is State.TRANSFERRING
        call.go("third party answered")
        if transferred:
            self.take_over(call, leg)

    def take_over(self, call: Call, third: Leg) -> None:
        """The third party is the operator from now on, and talks as long as its script says."""
        third.role = Role.OPERATOR
        third.state = LegState.TALKING
        script = self.script_of(third.phone)
        self._talk_ends_after(call, script.talks, "operator_disconnects")

    def _talk_ends_after(self, call: Call, seconds: float | None, reason: str) -> None:
        call.talk += 1
        if seconds is not None:
            talk = call.talk
            self._after(seconds, call, lambda: self._talk_is_over(call, talk, reason))

    def _talk_is_over(self, call: Call, talk: int, reason: str) -> None:
        if call.talk == talk:  # else the call was transferred, and another talk goes on
            self.finish(call, reason)

    def _not_reached(self, call: Call, leg: Leg, reason: str) -> None:
        if leg.state is not LegState.DIALING:
            return
        leg.leave(self.now)
        self.without(call, leg, reason)

    def without(self, call: Call, leg: Leg, reason: str) -> None:
        """Somebody could not be reached or has left: go on as the diagram says, or end."""
        if leg.role is Role.COACH:
            if call.can("coach left"):
                call.go("coach left")
        elif leg.role is Role.THIRD:
            if call.can("third party left"):
                call.go("third party left")
            else:
                self.finish(call, "no_success_operator_call")
        elif leg.role is Role.OPERATOR and call.state is State.SESSION and call.operators:
            self.ring_operator(call)
        elif leg.role is Role.OPERATOR and call.can("operator disconnected"):
            call.go("operator disconnected")
            self._after(POST_TALK_SECONDS, call, lambda: self.finish(call, reason))
        else:
            self.finish(call, reason)

    def finish(self, call: Call, reason: str) -> None:
        """The session is over.

        :param reason: ``finish_reason`` in the vocabulary of the Data API.
        """
        call.state = State.FINISHED
        call.ended_at, call.finish_reason = self.now, reason
        for leg in call.legs:
            leg.leave(self.now)
        self.finished.append(self.active.pop(call.call_session_id))
        self.note("end", call, call.contact, reason)

    # --- looking ---

    def listed(self, account: Account) -> Iterator[Call]:
        """The account's active calls that ``list.calls`` shows by now."""
        for call in self.active.values():
            if call.account is account and call.listed_at <= self.now:
                yield call


_NOT_REACHED = {
    (True, "busy"): "subscriber_busy",
    (True, "no_answer"): "subscriber_not_responsible",
    (False, "busy"): "operator_busy",
    (False, "no_answer"): "operator_not_responsible",
}
"""(Is it the contact?, what happened) → finish_reason."""

_HANGS_UP = {"contact": "subscriber_disconnects", "employee": "operator_disconnects"}
