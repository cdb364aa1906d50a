"""Place one call to the user's own phone, and watch the call.

The docstring of `CallRun.watch` lists the events that end the watch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.errors import CallApiError, Unanswered
from airflow_provider_callapi.verify.findings import CallSeen, Side
from airflow_provider_callapi.verify.gateway import Answer, Gateway, read_session_id
from airflow_provider_callapi.verify.own_call.list_watch import ListWatch
from airflow_provider_callapi.verify.own_call.report_watch import ReportWatch
from airflow_provider_callapi.verify.report_reader import ReportReader

_TICK = 1.0
"""Seconds between two polls."""
_LONGEST_CALL = 120.0
"""The longest time of a call, in seconds. After this time, the program releases (ends) the call."""
_LONGEST_REPORT_WAIT = 180.0
"""The longest wait, in seconds, for the report of a call that ``list.calls`` no longer shows."""
_LONGEST_WATCH = 420.0
"""The longest time of a watch, in seconds."""
_MISSES_THAT_PROVE_THE_END = 30
"""Without the Data API, a call counts as ended after this many misses in a row.

A miss is a poll without the call.
"""
_FIRST_HOLD_AT = 10.0
"""Seconds from the reply to the start request until the program first tries to put the contact on hold."""
_HOLD_INTERVAL = 3.0
"""Seconds between two tries to put the contact on hold."""
_MOST_HOLDS = 10
"""How often the program tries to put the contact on hold at most."""
_HELD_SECONDS = 4.0
"""Seconds for which the contact is on hold."""
_TALK_AFTER_HOLD = 3.0
"""Seconds from the end of the hold until the program ends the call."""
_POINTS_FOR_A_CALL = 100
"""How many points must be left in the present minute before a call."""


@dataclass(frozen=True)
class CallPlan:
    """How ``airflow callapi verify`` places one call, and what the program does during the call.

    "The reply" below is the service's reply to the start request.

    :ivar method: the start method, e.g. ``start.informer_call``.
    :ivar params: the parameters of the start request, without ``external_id``.
    :ivar instruction: what the person at the phone must do. The user reads this text before the call.
    :ivar numbers: side of the call (``contact`` or ``operator``) → phone number.
    :ivar release_after: seconds from the first poll that shows the call until the program ends the call.
        None: the program ends the call 120 seconds after the reply, or after a hold (see ``holds``).
    :ivar holds: True: the program puts the contact on hold 10 seconds after the reply, for 4 seconds, and
        ends the call 3 seconds later.
    :ivar measure_ongoing: True: the program asks for the Data API's report during the call, too. False: it
        asks only while ``list.calls`` does not show the call.
    :ivar needs_points: True: the program waits for the next minute if few points (rate-limit units) are left.
        False: it does not wait, because it tests how the service answers if no points are left.
    :ivar others: the session ids of the calls that were active before the start request. Used only if
        ``needs_points`` is False: a poll before the start request would then cost points.
    """

    method: str
    params: dict[str, Any] = field(repr=False)
    instruction: str
    numbers: dict[Side, str] = field(repr=False)
    release_after: float | None = None
    holds: bool = False
    measure_ongoing: bool = False
    needs_points: bool = True
    others: Sequence[int] = ()


class CallRun:
    """Places one call of ``airflow callapi verify``, and watches it.

    Invoke the methods in this order: `prepare`, `place`, `watch`.

    :param plan: how to place the call, and what to do during the call.
    :param gateway: the Call API, the Data API, the clock, and the output to the user.
    :param reader: reads reports of the Data API. None: the connection does not use the Data API.
    :param external_id: the ``external_id`` of the call.
    :ivar seen: what the polls and the reports have shown of the call so far.
    """

    def __init__(
        self, plan: CallPlan, gateway: Gateway, reader: ReportReader | None, external_id: str
    ) -> None:
        self.plan = plan
        self.seen = CallSeen()
        self._gateway = gateway
        self._reader = reader
        self._external_id = external_id
        self._day_remaining: int | None = None
        self._counted: tuple[str, int] | None = None
        self._release_due: float | None = None
        self._is_released = False
        self._next_hold = _FIRST_HOLD_AT
        self._holds = 0
        self._held_at: float | None = None

    def prepare(self) -> list[int]:
        """Wait for enough points, and return the session ids of all active calls.

        Invoke this method before the start request. A search for an unconfirmed call leaves out the returned
        calls. If `CallPlan.needs_points` is False, the method neither waits nor polls, and returns
        `CallPlan.others`.

        :raises CallApiError: the service refuses ``list.calls``, or gives no answer.
        """
        if not self.plan.needs_points:
            return list(self.plan.others)
        call_api = self._gateway.call_api
        call_api.await_points(_POINTS_FOR_A_CALL)
        answer = call_api.send("list.calls")
        self._remember_points(answer)
        return [call.call_session_id for call in answer.calls]

    def place(self) -> int:
        """Send the start request once, and return the session id of the call.

        :raises CallApiError: the service refuses the call, or gives no answer with a session id.
        """
        self._count_points("start_points")
        answer = self._gateway.call_api.send_once(
            self.plan.method, {**self.plan.params, "external_id": self._external_id}
        )
        answer.raise_for_error()
        session_id = next((read_session_id(row.get("call_session_id")) for row in answer.rows), None)
        if session_id is None:
            raise Unanswered("the answer contains no session id", method=self.plan.method)
        return session_id

    def watch(self, session_id: int) -> CallSeen:
        """Poll ``list.calls`` each second, and do what the plan requires meanwhile.

        The watch ends when one of these conditions is met:

        - ``list.calls`` does not show the call, and the Data API's report contains the finished call.
        - With the Data API: ``list.calls`` has not shown the call for more than 3 minutes.
        - Without the Data API: 30 successful polls in a row have not shown the call. If no poll has ever
          shown the call, the watch goes on for at least 120 seconds.
        - The watch has lasted more than 7 minutes.

        :param session_id: the session id of the placed call.
        :return: what the polls and the reports have shown of the call.
        """
        clock = self._gateway.clock
        started_at = clock()
        listing = ListWatch(
            self.seen,
            session_id=session_id,
            external_id=self._external_id,
            numbers=self.plan.numbers,
            started_at=started_at,
        )
        reports = self._report_watch(session_id, started_at)
        while True:
            at = round(clock() - started_at, 3)
            self._poll(listing, at)
            if reports is not None:
                reports.take(at, listing.missing_since)
            if self._is_over(listing, reports, at):
                break
            self._act(session_id, listing, at)
            self._gateway.sleep(max(0.0, _TICK - (clock() - started_at - at)))
        if reports is not None:
            reports.complete()
        if self.seen.ended is None:
            self.seen.ended = self.seen.left_list
        return self.seen

    def _report_watch(self, session_id: int, started_at: float) -> ReportWatch | None:
        if self._reader is None:
            return None
        return ReportWatch(
            self.seen,
            self._reader,
            session_id=session_id,
            external_id=self._external_id,
            numbers=self.plan.numbers,
            started_at=started_at,
            measure_ongoing=self.plan.measure_ongoing,
        )

    def _poll(self, listing: ListWatch, at: float) -> None:
        answer = self._gateway.call_api.try_send("list.calls")
        if answer is None:
            return
        self._remember_points(answer)
        listing.take(answer.rows, at)
        if self._held_at is not None and self.seen.held_state is None and at > self._held_at:
            self.seen.held_state = listing.state_of("contact")

    def _is_over(self, listing: ListWatch, reports: ReportWatch | None, at: float) -> bool:
        if at > _LONGEST_WATCH:
            return True
        if listing.missing_since is None:
            return False
        if reports is not None:
            return reports.has_finished or at - listing.missing_since > _LONGEST_REPORT_WAIT
        appeared_or_late = self.seen.appeared is not None or at > _LONGEST_CALL
        return appeared_or_late and listing.misses >= _MISSES_THAT_PROVE_THE_END

    # --- what the program does during the call ---

    def _act(self, session_id: int, listing: ListWatch, at: float) -> None:
        if not listing.is_listed or self._is_released:
            return
        if self.plan.holds:
            self._hold(session_id, at)
        elif self.plan.release_after is not None and self._release_due is None:
            self._release_due = at + self.plan.release_after
        if at >= (_LONGEST_CALL if self._release_due is None else self._release_due):
            self._count_points("release_points")
            self.seen.released = True
            self._is_released = self._send("release.call", call_session_id=session_id)

    def _hold(self, session_id: int, at: float) -> None:
        """Begin the hold of the contact, or end it, if this is due at the time ``at``.

        ``at``: seconds since the reply to the start request.
        """
        if self._held_at is not None:
            if self._release_due is None and at >= self._held_at + _HELD_SECONDS:
                self._send("unhold.call", call_session_id=session_id)
                self._release_due = at + _TALK_AFTER_HOLD
        elif at >= self._next_hold and self._holds < _MOST_HOLDS:
            self._holds += 1
            self._next_hold = at + _HOLD_INTERVAL  # if this try fails
            message = {"type": "tts", "value": "You are on hold. Please wait."}
            if self._send("hold.call", call_session_id=session_id, contact_message=message):
                self._held_at = at

    def _send(self, method: str, **params: Any) -> bool:
        try:
            return self._gateway.call_api.send_once(method, params).error is None
        except CallApiError:
            return False

    # --- points ---

    def _remember_points(self, answer: Answer) -> None:
        self._day_remaining = answer.limits.get("day_remaining")
        if self._counted is not None and self._day_remaining is not None:
            name, before = self._counted
            self._counted = None
            if before >= self._day_remaining:
                # The difference is the cost of the request and of this poll together.
                setattr(self.seen, name, before - self._day_remaining)

    def _count_points(self, name: str) -> None:
        """Remember how many points are left before a request, to measure its cost.

        ``name``: the attribute of `CallSeen` in which the next poll stores the cost.
        """
        self._counted = None if self._day_remaining is None else (name, self._day_remaining)
