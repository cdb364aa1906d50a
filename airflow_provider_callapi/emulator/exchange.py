"""The telephone exchange as a test uses it: set phones up, plan faults, ask what happened."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.expectations import RingExpectations
from airflow_provider_callapi.emulator.faults import Fault, PlannedFault
from airflow_provider_callapi.emulator.in_process import in_process_session
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.script import Script
from airflow_provider_callapi.emulator.switchboard import Switchboard

_MAX_CLOSED_SECONDS = 5.0


class Exchange(Dispatcher):
    """A telephone exchange with one account (`account`) or more (`accounts`).

    :param clock: returns epoch seconds; a `ManualClock` in tests.
    :param account: the customer; the default account has everything that the vendor's examples name.
    :ivar port_closers: one function for each open port. It closes the port for some seconds of
        real time. REFUSE over HTTP needs this.
    """

    def __init__(self, clock: Clock = time.time, account: Account | None = None) -> None:
        super().__init__(clock, account)
        self.port_closers: list[Callable[[float], None]] = []
        self._expectations = RingExpectations()

    # --- set up ---

    @property
    def account(self) -> Account:
        """The first account."""
        return self.accounts[0]

    @property
    def report_lag(self) -> float:
        """Seconds from a call's end to its first appearance in the Data API's reports."""
        return self._switchboard.report_lag

    @report_lag.setter
    def report_lag(self, seconds: float) -> None:
        with self._lock:
            self._switchboard.report_lag = seconds

    @property
    def default_script(self) -> Script:
        """The script of all phones without a script of their own."""
        return self._switchboard.default_script

    @default_script.setter
    def default_script(self, script: Script) -> None:
        with self._lock:
            self._switchboard.default_script = script

    def script(self, phone: str, script: Script) -> None:
        """Set the script of a phone. Calls in progress keep their script."""
        with self._lock:
            self._switchboard.scripts[phone] = script

    def inbound(
        self,
        contact: str,
        virtual_number: str | None = None,
        *,
        employee_id: int | None = None,
        account: Account | None = None,
    ) -> int:
        """Call one of the account's numbers. The phones of an employee ring.

        :return: the session id. The call of a blacklisted contact has already ended.
        """
        with self._lock:
            switchboard = self._current_switchboard()
            account = account or self.account
            number = virtual_number or min(account.virtual_numbers)
            employee = account.employees[employee_id or min(account.employees)]
            call = switchboard.new_call(account, "inbound", contact, number)
            call.direction = "in"
            call.operators = [(phone, employee) for phone in employee.phone_numbers]
            if contact in account.blacklist:
                switchboard.finish(call, "numa_in_black_list")
            else:
                switchboard.enqueue_contact(call)
            return call.call_session_id

    def fault(
        self, fault: Fault, *, method: str | None = None, times: int = 1, seconds: float = 60.0
    ) -> None:
        """Plan a fault for the next matching requests.

        :param method: only requests for this method; None: any.
        :param times: how many requests.
        :param seconds: HANG over HTTP: how long the connection is held.

        REFUSE over HTTP ignores ``method`` and ``times``, because a refused connection carries no
        request. It closes the port for ``seconds`` of real time (at most five). `Emulator.refusing`
        closes it exactly for a block.
        """
        with self._lock:
            close_port = fault is Fault.REFUSE and bool(self.port_closers)
            if not close_port:
                self._faults.add(PlannedFault(fault, method, times, seconds))
            closers = list(self.port_closers) if close_port else []
        for close in closers:
            close(min(seconds, _MAX_CLOSED_SECONDS))

    def session(self, ip: str = "127.0.0.1") -> requests.Session:
        """Return a `requests` session that this exchange answers without a port, for every URL."""
        return in_process_session(self, ip)

    def reset(self) -> None:
        """Remove calls, journal, scripts, expectations, faults, logins and used points.

        Accounts keep their state.
        """
        with self._lock:
            self._switchboard = Switchboard(self._clock)
            self._expectations = RingExpectations()
            self._faults.clear()
            for service in self._all_services():
                service.reset()

    # --- expect ---

    def expect_ring(self, phone: str, script: Script | None = None, *, times: int = 1) -> None:
        """Expect a phone to ring. `check_rings` compares the number of rings.

        :param script: sets the script of the phone.
        :param times: how often it must ring in the whole test; 0: never.
        :raises ValueError: ``times`` is negative.
        """
        if times < 0:
            raise ValueError("times: must be 0 or more")
        with self._lock:
            self._expectations.times[phone] = times
            if script is not None:
                self._switchboard.scripts[phone] = script

    def expect_no_other_rings(self) -> None:
        """Expect rings only at phones with a script or an `expect_ring`.

        The contact's script or expectation covers the operator's side of the call. An inbound call
        is expected, because the test places it.
        """
        with self._lock:
            self._expectations.no_other_rings = True

    def check_rings(self) -> None:
        """Compare the expectations with all rings so far. The pytest fixture does this after the test.

        :raises AssertionError: one line for each difference, with masked number and method.
        """
        __tracebackhide__ = True  # pytest shows only the message
        with self._lock:
            self._expectations.check(self._current_switchboard())

    # --- ask ---

    def rings(self, phone: str) -> int:
        """Return how often this phone rang, in any role: contact, employee, third party, coach."""
        with self._lock:
            return self._current_switchboard().journal.rings[phone]

    def requests(self, method: str) -> int:
        """Return how many requests for this method arrived, failed ones included."""
        with self._lock:
            return self._switchboard.journal.requests[method]

    @property
    def journal(self) -> list[Entry]:
        """All events so far, oldest first."""
        with self._lock:
            return list(self._current_switchboard().journal.entries)

    @property
    def calls(self) -> list[Call]:
        """All sessions, active and finished, oldest first."""
        with self._lock:
            return list(self._current_switchboard().calls.values())

    @property
    def active_calls(self) -> list[Call]:
        """The sessions that have not ended, even if ``list.calls`` does not show them yet."""
        with self._lock:
            return list(self._current_switchboard().active.values())

    def last_finished(self, number: int) -> list[Call]:
        """Return the ``number`` sessions that ended last, newest first."""
        with self._lock:
            return list(reversed(self._current_switchboard().finished[-number:]))

    def call(self, call_session_id: int) -> Call:
        """Return one session.

        :raises KeyError: no session has this id.
        """
        with self._lock:
            return self._current_switchboard().calls[call_session_id]

    def limits(self, account: Account | None = None) -> dict[str, int]:
        """Return the Call API limits and the points left."""
        with self._lock:
            return self.call_api.points(account or self.account).limits(self._clock())
