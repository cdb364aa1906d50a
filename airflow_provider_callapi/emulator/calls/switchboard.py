"""The calls of the emulated telephone exchange: phones ring, people answer, talk and hang up.

The phones' scripts decide which events a call has and when, e.g. an answer after three seconds.
`Switchboard.run_due_events` runs the events whose time has come, earliest event first. There are no threads,
even for a hundred thousand calls.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from operator import attrgetter
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account, Employee, Operation
from airflow_provider_callapi.emulator.calls.call import Call, Leg
from airflow_provider_callapi.emulator.calls.entry_texts import EntryTexts
from airflow_provider_callapi.emulator.calls.finish_reasons import (
    HANG_UP_REASONS,
    not_reached_reason,
    reason_of_other_legs,
    session_reason,
)
from airflow_provider_callapi.emulator.calls.listing import is_listed
from airflow_provider_callapi.emulator.calls.script import SECONDS_TO_KEY, Script
from airflow_provider_callapi.emulator.calls.state_diagram import Role, State
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.journal import Entry, Journal, Kind
from airflow_provider_callapi.emulator.profile import Profile

POST_TALK_SECONDS = 2.0
"""How many seconds a call continues after the operator has left.

The number is an assumption, because the vendor's document gives none.
"""

_IDS_IN_BLOCK = 2_772_000
"""A multiple of each number of legs up to 12: with `Profile.session_reason` ``any``, blocks do not differ."""

Event = Callable[[], None]


class Switchboard:
    """The calls of the emulated telephone exchange, and the future events of the calls.

    A phone's script states what the person at the phone does when the phone rings.

    :ivar clock: function that returns the present time in epoch seconds.
    :ivar profile: how the exchange behaves where the vendor's brands and accounts differ.
    :ivar now: the time of the event or request that the exchange is carrying out, in epoch seconds.
    :ivar journal: the list of all events.
    :ivar calls: session id → call, for active and finished calls.
    :ivar by_start_time: the same calls in the order of their start.
    :ivar active: session id → active call.
    :ivar finished: the finished calls, in the order of their end.
    :ivar scripts: phone number → script of the phone.
    :ivar default_script: the script of a phone without an entry in ``scripts``. An operator's phone without
        an entry follows the fields ``employee_…`` of the contact's script.
    :ivar report_lag: seconds from the end of a call until the Data API reports the call.
    :ivar entry_texts: the JSON texts of the active calls in ``list.calls``, kept to save time.
    """

    def __init__(self, clock: Clock, profile: Profile) -> None:
        self.clock = clock
        self.profile = profile
        self.now = clock()
        self.journal = Journal()
        self.calls: dict[int, Call] = {}
        self.by_start_time: list[Call] = []
        self.active: dict[int, Call] = {}
        self.finished: list[Call] = []
        self.scripts: dict[str, Script] = {}
        self.default_script = Script()
        self.report_lag = profile.report_delay
        self.entry_texts = EntryTexts(profile)
        self._events: list[tuple[float, int, Call, Event]] = []
        self._order = count()
        self.take_ids(0)

    def take_ids(self, block: int) -> None:
        """Take the ids of all further calls and legs from a block of ids.

        No id is in two blocks, so the calls of exchanges with different blocks have different ids.

        :param block: the number of the block, 0 or more.
        """
        self._call_ids = count(206_597_836 + block * _IDS_IN_BLOCK)
        self._leg_ids = count(287_866_221 + block * _IDS_IN_BLOCK)

    # --- time ---

    def run_due_events(self) -> None:
        """Run the due events of all calls, earliest event first, and set ``now`` to the clock's present time.

        An event, such as an answer, is due if its time is not later than the present time. The method ignores
        the events of calls that have ended.
        """
        deadline = self.clock()
        self._run_events(deadline)
        self.now = deadline

    def play_to_end(self) -> None:
        """Run all future events of the calls now, as if the clock had reached the time of the last event."""
        self._run_events(math.inf)

    def _run_events(self, deadline: float) -> None:
        while self._events and self._events[0][0] <= deadline:
            when, _, call, event = heapq.heappop(self._events)
            if call.active:
                self.now = when
                self.entry_texts.forget(call)
                event()

    def log_event(self, kind: Kind, call: Call, phone: str | None = None, detail: str = "") -> None:
        """Add an event of a call to the emulator's journal, with the exchange's present time.

        :param kind: the kind of the event, for example ``ring``.
        :param phone: the phone number that the event concerns. None: it concerns no phone.
        :param detail: a text whose meaning depends on the kind, see `Entry.detail`. For ``ring``: the role of
            the leg.
        """
        self.journal.add(Entry(self.now, kind, None, call.call_session_id, phone, None, detail or None))

    def _schedule(self, seconds: float, call: Call, event: Event) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), call, event))

    # --- a call starts, phones ring ---

    def script_for(self, phone: str) -> Script:
        """Return the script of a phone: what the person at the phone does when the phone rings.

        If no script is set for the phone, return the default script.
        """
        return self.scripts.get(phone, self.default_script)

    def new_call(self, account: Account, method: str, contact: str, virtual_number: str) -> Call:
        """Create and return an active call. No phone rings yet.

        :param method: the ``start.…`` method that starts the call, or ``inbound`` for a call by the contact.
        :param contact: the contact's phone number.
        :param virtual_number: the account's virtual number in the call.
        """
        zone = ZoneInfo(account.timezone)
        local = datetime.fromtimestamp(self.now, zone).replace(tzinfo=None)
        call = Call(
            call_session_id=next(self._call_ids),
            account=account,
            method=method,
            contact=contact,
            virtual_phone_number=virtual_number,
            script=self.script_for(contact),
            started_at=self.now,
            start_time=local.isoformat(timespec="milliseconds"),
            recorded=account.forced_recording,
        )
        self.calls[call.call_session_id] = call
        self.by_start_time.append(call)
        self.active[call.call_session_id] = call
        self.log_event("start", call, contact, method)
        return call

    def ring_contact(self, call: Call) -> None:
        """Ring the phone of the call's contact.

        The contact's script decides what happens next. The phone rings for at most `Call.dialing_timeout`
        seconds.
        """
        leg = self._new_leg(call, Role.CONTACT, call.contact, call.virtual_phone_number)
        leg.called += call.dtmf_string
        self._ring(call, leg, call.script, call.dialing_timeout)

    def ring_operator(self, call: Call) -> None:
        """Ring the next phone in `Call.operators`, the list of the operator's phones that have not rung yet.

        The method removes the phone from the list. The phone's script decides what happens next. If the phone
        has no script, the fields ``employee_…`` of the contact's script decide.
        """
        phone, employee = call.operators.pop(0)
        calling = call.virtual_phone_number if call.shows_virtual_number else call.contact
        leg = self._new_leg(call, Role.OPERATOR, phone, calling, employee)
        script = self.scripts.get(phone) or Script(
            rings=call.script.employee_rings,
            answer=call.script.employee_answer,
            fails_with=call.script.employee_fails_with,
        )
        self._ring(call, leg, script)

    def ring_participant(self, call: Call, role: Role, phone: str) -> None:
        """Ring the phone of a third party or a coach. If the person answers, the person joins the call.

        The script of the phone decides what happens.

        :param role: `Role.THIRD_PARTY` or `Role.COACH`.
        """
        employee = call.account.find_employee(phone)
        leg = self._new_leg(call, role, phone, call.virtual_phone_number, employee)
        self._ring(call, leg, self.script_for(phone))

    def enqueue_contact(self, call: Call) -> None:
        """Let the contact of an inbound call wait, and ring the first phone of the call's employee."""
        leg = self._new_leg(call, Role.CONTACT, call.virtual_phone_number, call.contact)
        leg.phone, leg.state = call.contact, LegState.QUEUED
        self.ring_operator(call)

    def _new_leg(
        self, call: Call, role: Role, phone: str, calling: str, employee: Employee | None = None
    ) -> Leg:
        leg = Leg(next(self._leg_ids), role, phone, calling, phone, employee, started_at=self.now)
        call.legs.append(leg)
        return leg

    def _ring(self, call: Call, leg: Leg, script: Script, timeout: float | None = None) -> None:
        self.log_event("ring", call, leg.phone, leg.role.value)
        reason = not_reached_reason(leg.role, script)
        if timeout is not None and script.rings > timeout:
            self._schedule(timeout, call, lambda: self._on_not_reached(call, leg, "timeout"))
        elif reason is None:
            self._schedule(script.rings, call, lambda: self._on_answered(call, leg))
        else:
            self._schedule(script.rings, call, lambda: self._on_not_reached(call, leg, reason))

    # --- people answer, talk and leave ---

    def _on_answered(self, call: Call, leg: Leg) -> None:
        if leg.state is not LegState.DIALING:
            return
        leg.state, leg.answered_at = LegState.TALKING, self.now
        self.log_event("answer", call, leg.phone, leg.role.value)
        if leg.role is Role.THIRD_PARTY:
            self._on_third_party_answered(call, leg)
        elif leg.role is not Role.COACH:
            self._on_side_answered(call, leg)

    def _on_side_answered(self, call: Call, leg: Leg) -> None:
        contact, operator = call.leg(Role.CONTACT), call.leg(Role.OPERATOR)
        if leg is contact:
            call.answered_at = self.now
            self._begin_scenario(call)
        if call.method == "start.informer_call":
            call.talked_at = self.now
            call.move("contact hears the message")
            self._schedule_talk_end(call, call.script.talks, "success_finish")
        elif contact is None:
            self.ring_contact(call)
        elif operator is None and call.operators:
            self.ring_operator(call)
        elif operator is None:
            call.talked_at = self.now
            call.move("contact hears the message")
            self._schedule_talk_end(call, call.script.talks, HANG_UP_REASONS["contact"])
        elif contact.connected and operator.connected:
            call.answered_at = call.answered_at or self.now
            call.talked_at = self.now
            call.move("both sides answered")
            self._schedule_talk_end(call, call.script.talks, HANG_UP_REASONS[call.script.hangs_up])

    def _begin_scenario(self, call: Call) -> None:
        """Begin a call's scenario, if any: run its first steps, and schedule the contact's key presses."""
        if call.scenario is None:
            return
        for operation in call.scenario.begins_with:
            self._pass_operation(call, operation)
        for number, key in enumerate(call.script.keys, 1):
            self._schedule(number * SECONDS_TO_KEY, call, partial(self._press, call, key))

    def _press(self, call: Call, key: str) -> None:
        self.log_event("key", call, call.contact, key)
        if call.scenario is not None and (operation := call.scenario.keys.get(key)):
            self._pass_operation(call, operation)

    def _pass_operation(self, call: Call, operation: Operation) -> None:
        call.operations.append(operation)
        if operation.tag_id is not None:
            # A test may have replaced the account's tags. An error here would hit any request of any call.
            call.tags[operation.tag_id] = call.account.tags.get(operation.tag_id, str(operation.tag_id))

    def _on_third_party_answered(self, call: Call, leg: Leg) -> None:
        transferred = call.state is State.TRANSFERRING
        call.move("third party answered")
        if transferred:
            self.complete_transfer(call, leg)

    def complete_transfer(self, call: Call, third: Leg) -> None:
        """Complete a transfer: the third party replaces the operator of the call, and a new talk begins.

        The length of the new talk is `Script.talks` in the script of the third party's phone.

        :param third: the leg of the third party.
        """
        third.role = Role.OPERATOR
        third.state = LegState.TALKING
        script = self.script_for(third.phone)
        self._schedule_talk_end(call, script.talks, "operator_disconnects")

    def _schedule_talk_end(self, call: Call, seconds: float | None, reason: str) -> None:
        call.talk_number += 1
        if seconds is not None:
            talk = call.talk_number
            self._schedule(seconds, call, lambda: self._end_talk(call, talk, reason))

    def _end_talk(self, call: Call, talk: int, reason: str) -> None:
        if call.talk_number == talk:  # else a transfer has begun another talk
            self.finish(call, reason)

    def _on_not_reached(self, call: Call, leg: Leg, reason: str) -> None:
        if leg.state is not LegState.DIALING:
            return
        leg.disconnect(self.now, reason)
        self.continue_without(call, leg, reason)

    def continue_without(self, call: Call, leg: Leg, reason: str) -> None:
        """Continue or end a call after one participant has left, or could not be reached.

        - Coach: the call continues.
        - Third party, before the transfer is complete: the contact is on hold again.
        - Third party, after the transfer: the call ends.
        - Operator, before the talk: the operator's next phone rings. If no phone is left, the call ends.
        - Operator, in a talk with the contact: the call ends two seconds later.
        - Operator, in any other state of the call: the call ends.
        - Contact: the call ends.

        :param leg: the participant's leg, which has already ended.
        :param reason: the finish reason of the call if the call ends. If a third party ends the call, the
            finish reason is always ``no_success_operator_call``.
        """
        if leg.role is Role.COACH:
            if call.allows("coach left"):
                call.move("coach left")
        elif leg.role is Role.THIRD_PARTY:
            if call.allows("third party left"):
                call.move("third party left")
            else:
                self.finish(call, "no_success_operator_call", leg.role)
        elif leg.role is Role.OPERATOR and call.state is State.SESSION and call.operators:
            self.ring_operator(call)
        elif leg.role is Role.OPERATOR and call.allows("operator disconnected"):
            call.move("operator disconnected")
            self._schedule(POST_TALK_SECONDS, call, lambda: self.finish(call, reason, leg.role))
        else:
            self.finish(call, reason, leg.role)

    def finish(self, call: Call, reason: str, ending: Role | None = None) -> None:
        """End a call and disconnect all participants.

        :param reason: why the call ends, a ``finish_reason`` of the Data API. The report of the call shows
            this reason, or one that `session_reason` chooses from the reasons of the legs.
        :param ending: the role of the participant whose leg ended the call; None: no single leg ended the
            call.
        """
        call.state = State.FINISHED
        for leg in call.legs:
            leg.disconnect(self.now, reason_of_other_legs(reason, ending))
        call.ended_at, call.finish_reason = self.now, session_reason(call, reason, self.profile)
        self.finished.append(self.active.pop(call.call_session_id))
        self.log_event("end", call, call.contact, call.finish_reason)

    def forget(self, before: float) -> None:
        """Remove the calls that ended before a moment, and the events of the journal from before this moment.

        :param before: the moment, in epoch seconds.
        """
        old = bisect_left(self.finished, before, key=attrgetter("ended_at"))
        for call in self.finished[:old]:
            del self.calls[call.call_session_id]
        del self.finished[:old]
        self.by_start_time = [call for call in self.by_start_time if call.call_session_id in self.calls]
        self.journal.forget(before)

    # --- list.calls ---

    def listed_calls(self, account: Account) -> list[Call]:
        """Return the active calls that ``list.calls`` shows to an account now, by the clock of the exchange.

        The call that started first comes first.
        """
        return [
            call
            for call in self.active.values()
            if call.account is account and is_listed(call, self.profile, self.now)
        ]
