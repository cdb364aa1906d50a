"""The telephone exchange: one core, whatever door a request comes in by.

Thread-safe: one lock around everything. Time is the clock's; nothing runs in the background.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.faults import Fault, Planned
from airflow_provider_callapi.emulator.in_process import in_process_session
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.script import Script
from airflow_provider_callapi.emulator.switchboard import Switchboard


class Exchange(Dispatcher):
    """A telephone exchange with one account (`account`), or more (`accounts`).

    :param clock: epoch seconds now; a `ManualClock` in tests.
    :param account: the customer; the default one knows all that the document's examples name.
    """

    def __init__(self, clock: Clock = time.time, account: Account | None = None) -> None:
        super().__init__(clock, account)
        self.refuse_for: list[Callable[[float], None]] = []
        """Listening sockets that can be closed for some seconds: a real REFUSE needs one."""

    # --- what a test sets up ---

    @property
    def account(self) -> Account:
        """The first account."""
        return self.accounts[0]

    @property
    def report_lag(self) -> float:
        """Seconds from a call's end to its first appearance in the Data API's reports."""
        return self._board.report_lag

    @report_lag.setter
    def report_lag(self, seconds: float) -> None:
        with self._lock:
            self._board.report_lag = seconds

    @property
    def default_script(self) -> Script:
        """What numbers without a script do."""
        return self._board.default_script

    @default_script.setter
    def default_script(self, script: Script) -> None:
        with self._lock:
            self._board.default_script = script

    def script(self, phone: str, script: Script) -> None:
        """Say what happens at a phone from now on; calls in progress keep their script."""
        with self._lock:
            self._board.scripts[phone] = script

    def inbound(
        self,
        contact: str,
        virtual_number: str | None = None,
        *,
        employee_id: int | None = None,
        account: Account | None = None,
    ) -> int:
        """Somebody calls one of the account's numbers; an employee's phones ring.

        :return: the session id. A blacklisted contact's call has ended when this returns.
        """
        with self._lock:
            board = self._settled()
            account = account or self.account
            number = virtual_number or min(account.virtual_numbers)
            employee = account.employees[employee_id or min(account.employees)]
            call = board.new_call(account, "inbound", contact, number)
            call.direction = "in"
            call.operators = [(phone, employee) for phone in employee.phone_numbers]
            if contact in account.blacklist:
                board.finish(call, "numa_in_black_list")
            else:
                board.receive(call)
            return call.call_session_id

    def fault(
        self, fault: Fault, *, method: str | None = None, times: int = 1, seconds: float = 60.0
    ) -> None:
        """Spoil the next request(s).

        :param method: only requests for this method; None: any.
        :param times: how many requests.
        :param seconds: HANG over HTTP: how long the connection is held.

        REFUSE over HTTP is decided before anything can be read, so that neither ``method`` nor
        ``times`` can be honoured there: the port is closed for ``seconds`` of real time (at most
        five). `Emulator.refusing` is exact.
        """
        with self._lock:
            if fault is Fault.REFUSE and self.refuse_for:
                doors = list(self.refuse_for)
            else:
                doors = []
                self._faults.add(Planned(fault, method, times, seconds))
        for close in doors:
            close(min(seconds, 5.0))

    def session(self, ip: str = "127.0.0.1") -> requests.Session:
        """A `requests` session that this exchange answers in process, whatever the URL's host."""
        return in_process_session(self, ip)

    def reset(self) -> None:
        """Forget calls, journal, scripts, faults, logins and points. Accounts stay as they are."""
        with self._lock:
            self._board = Switchboard(self._clock)
            self._faults.clear()
            for service in self._all_services():
                service.forget()

    # --- what a test asks ---

    def rings(self, phone: str) -> int:
        """How often this phone was dialled, as anybody: contact, employee, third party, coach."""
        with self._lock:
            return self._settled().journal.rings[phone]

    def requests(self, method: str) -> int:
        """How many requests for this method reached the exchange, refused ones included."""
        with self._lock:
            return self._board.journal.requests[method]

    @property
    def journal(self) -> list[Entry]:
        """What happened so far, oldest first."""
        with self._lock:
            return list(self._settled().journal.entries)

    @property
    def calls(self) -> list[Call]:
        """All sessions, active and finished, oldest first."""
        with self._lock:
            return list(self._settled().calls.values())

    @property
    def active_calls(self) -> list[Call]:
        """The sessions that have not ended, listed or not."""
        with self._lock:
            return list(self._settled().active.values())

    def last_finished(self, number: int) -> list[Call]:
        """The sessions that ended last, newest first."""
        with self._lock:
            return list(reversed(self._settled().finished[-number:]))

    def call(self, call_session_id: int) -> Call:
        """One session."""
        with self._lock:
            return self._settled().calls[call_session_id]

    def limits(self, account: Account | None = None) -> dict[str, int]:
        """The Call API points left."""
        with self._lock:
            return self.call_api.points(account or self.account).limits(self._clock())
