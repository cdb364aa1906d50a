"""The emulated telephone exchange. A test defines its phones, plans its faults, and reads its events."""

from __future__ import annotations

import time
from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice

import requests

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.script import Script
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.expectations import RingExpectations
from airflow_provider_callapi.emulator.faults import Fault, PlannedFault
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.phones import read_phone
from airflow_provider_callapi.emulator.profile import DOCUMENT, Profile
from airflow_provider_callapi.emulator.services.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.transport.in_process import in_process_session

_MAX_CLOSED_SECONDS = 5.0
"""The longest time in real seconds for which `Fault.REFUSE` closes a port."""


class Exchange(Dispatcher):
    """An emulated telephone exchange with one or more accounts (customers).

    :param clock: a function that returns the exchange's time in epoch seconds, e.g. a `ManualClock`.
    :param account: the first account. None: an account with example numbers, employees and scenarios.
    :param profile: how the exchange behaves where the vendor's brands and accounts differ.
    :ivar port_closers: one function for each open port. The function closes the port for a number of real
        seconds.
    :ivar id_block: the number of the block from which the session ids of the next calls come.
    """

    def __init__(
        self, clock: Clock = time.time, account: Account | None = None, profile: Profile = DOCUMENT
    ) -> None:
        super().__init__(clock, account, profile)
        self.port_closers: list[Callable[[float], None]] = []
        self._expectations = RingExpectations()
        self.id_block = 0

    # --- set up ---

    @property
    def account(self) -> Account:
        """The first account (customer) of the telephone exchange."""
        return self.accounts[0]

    @property
    def report_lag(self) -> float:
        """Seconds from the end of a call until the Data API's reports contain the call.

        A test may set the number. The default is `Profile.report_delay`.
        """
        return self._switchboard.report_lag

    @report_lag.setter
    def report_lag(self, seconds: float) -> None:
        with self._lock:
            self._switchboard.report_lag = seconds

    @property
    def default_script(self) -> Script:
        """What a person does when the phone rings, if a test has set no script for the phone.

        The default script applies to contacts, third parties and coaches. An operator's phone without a
        script follows the fields ``employee_…`` of the contact's script.
        """
        return self._switchboard.default_script

    @default_script.setter
    def default_script(self, script: Script) -> None:
        with self._lock:
            self._switchboard.default_script = script

    def script(self, phone: str, script: Script) -> None:
        """Set the script of a phone: what the person does when the phone rings.

        An active call whose contact has this phone keeps the old script.

        :raises ValueError: ``phone`` is not a number that can ring.
        """
        number = read_phone(phone)
        with self._lock:
            self._switchboard.scripts[number] = script

    def inbound(
        self,
        contact: str,
        virtual_number: str | None = None,
        *,
        employee_id: int | None = None,
        account: Account | None = None,
    ) -> int:
        """Place a call from a contact to a virtual number, and ring the phones of an employee.

        If the contact is on the account's blacklist, no phone rings, and the call ends at once.

        :param virtual_number: the called number. None: the account's first number in sorted order.
        :param employee_id: the id of the employee. None: the employee with the smallest id.
        :param account: the account that the contact calls. None: the first account.
        :return: the session id of the call.
        :raises KeyError: the account has no employee with this id.
        :raises ValueError: ``contact`` is no phone number; or ``virtual_number`` is None and the account has
            no number; or the account has no employee; or the employee has no phone.
        """
        contact = read_phone(contact)
        with self._lock:
            switchboard = self._current_switchboard()
            account = account or self.account
            if not (virtual_number or account.virtual_numbers) or not account.employees:
                raise ValueError("an inbound call needs an account with a virtual number and an employee")
            number = virtual_number or min(account.virtual_numbers)
            employee = account.employees[employee_id or min(account.employees)]
            if not employee.phone_numbers:
                raise ValueError(f"employee {employee.id} has no phone that an inbound call could ring")
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
        """Plan a fault, such as a broken connection, for the next requests to the exchange.

        Over HTTP, `Fault.REFUSE` does not wait for a request. It closes the emulator's port immediately, for
        ``seconds`` or for 5 s, whichever is shorter. ``method`` and ``times`` then have no effect. To close
        the port for longer, use `Emulator.refusing`.

        :param fault: the fault, e.g. `Fault.DROP_AFTER`.
        :param method: the API method whose requests the fault hits. None: requests for any method.
        :param times: the number of requests that the fault hits.
        :param seconds: for `Fault.REFUSE`, see above. For `Fault.HANG` over HTTP: the connection breaks after
            this number of real seconds at the latest. For other faults: no effect.
        :raises ValueError: no API of the exchange has the method, or ``times`` is less than 1.
        """
        methods = {name for service in self._all_services() for name in service.methods}
        if method is not None and method not in methods:
            similar = get_close_matches(method, methods, n=1)
            raise ValueError(
                "method: there is no such method" + (f"; {similar[0]} is similar" if similar else "")
            )
        if times < 1:
            raise ValueError("times: must be 1 or more")
        with self._lock:
            close_port = fault is Fault.REFUSE and bool(self.port_closers)
            if not close_port:
                self._faults.add(PlannedFault(fault, method, times, seconds))
            closers = list(self.port_closers) if close_port else []
        for close in closers:
            close(min(seconds, _MAX_CLOSED_SECONDS))

    def session(self, ip: str = "127.0.0.1") -> requests.Session:
        """Return a `requests` session whose requests this exchange answers in the same process.

        The session needs no port and no network. By default, the exchange answers requests to any host. If
        the profile names the hosts of the APIs, a request to any other host, except a loopback address, fails
        with `requests.ConnectionError` (see `Exchange.serves_host`).

        :param ip: the IP address that the exchange sees as the client's address.
        """
        return in_process_session(self, ip)

    def reset(self) -> None:
        """Bring the telephone exchange back to its first state, but keep the accounts and the clock.

        - The exchange removes the calls, the journal's events, the scripts, the expectations about rings, the
          planned faults and the temporary tokens of logins.
        - The exchange sets the used points (rate-limit units) of all accounts to 0. Other changes that a test
          has made to an account stay.
        - `report_lag` and `default_script` return to their defaults.
        """
        with self._lock:
            self._switchboard = Switchboard(self._clock, self.profile)
            self._switchboard.take_ids(self.id_block)
            self._expectations = RingExpectations()
            self._faults.clear()
            for service in self._all_services():
                service.reset()

    def take_ids(self, block: int) -> None:
        """From now on, give new calls the session ids of another block. No id is in two blocks.

        `Emulator` calls the method if another exchange in this process uses the same block as this exchange.

        :param block: the number of the block. It must be larger than the present ``id_block``.
        """
        with self._lock:
            self.id_block = block
            self._switchboard.take_ids(block)

    def forget(self, *, before: float) -> None:
        """Remove the calls that ended before a moment, and the journal's events from before this moment.

        The counts of `rings` and `requests` stay.

        :param before: the moment, in epoch seconds of the exchange's clock.
        """
        with self._lock:
            self._current_switchboard().forget(before)

    # --- expect ---

    def expect_ring(self, phone: str, script: Script | None = None, *, times: int = 1) -> None:
        """Expect that a phone rings exactly ``times`` times in the whole test.

        If the phone has rung more or less often, `check_rings` fails.

        :param phone: the phone number.
        :param script: the new script of the phone: what the person does when the phone rings. None: the phone
            keeps its present script.
        :param times: the expected number of rings. 0: the phone must not ring.
        :raises ValueError: ``times`` is negative, or ``phone`` is not a number that can ring.
        """
        if times < 0:
            raise ValueError("times: must be 0 or more")
        number = read_phone(phone)
        with self._lock:
            self._expectations.times[number] = times
            if script is not None:
                self._switchboard.scripts[number] = script

    def expect_no_other_rings(self) -> None:
        """Expect that only those phones ring that the test has named with `script` or `expect_ring`.

        If any other phone rings, `check_rings` fails. Exception: the test need not name an operator's phone
        that rings in an inbound call, or in a call to a contact whose phone the test has named.
        """
        with self._lock:
            self._expectations.no_other_rings = True

    def play_to_end(self) -> None:
        """Run the remaining events of every active call at once, without waiting for the clock.

        For example, an operator who is being called answers, and the contact's phone then rings. If no script
        ends a call, the call stays active. Use the method only at the end of a test: afterwards, the
        exchange has events that are later than the time of its clock.
        """
        with self._lock:
            self._current_switchboard().play_to_end()

    def check_rings(self) -> None:
        """Fail if the phones have rung differently from the test's expectations.

        `expect_ring` and `expect_no_other_rings` state the expectations. The pytest plugin calls
        `play_to_end` and `check_rings` after each passed test with the fixture ``callapi_emulator``.

        :raises AssertionError: the message names each phone that rang too often, too seldom or unexpectedly,
            with its number masked.
        """
        __tracebackhide__ = True  # pytest shows only the message
        with self._lock:
            self._expectations.check(self._current_switchboard())

    # --- ask ---

    def rings(self, phone: str) -> int:
        """Return how often a phone rang, in any role: contact, operator, third party or coach. 0: never.

        :raises ValueError: ``phone`` is not a number that can ring.
        """
        number = read_phone(phone)
        with self._lock:
            return self._current_switchboard().journal.rings[number]

    def requests(self, method: str) -> int:
        """Return how many requests for an API method the exchange has carried out or rejected.

        The number does not include a request that a planned fault such as `Fault.DROP_BEFORE` has stopped.

        :param method: for example ``start.simple_call``.
        """
        with self._lock:
            return self._switchboard.journal.requests[method]

    @property
    def journal(self) -> list[Entry]:
        """The events in the emulator's journal as a new list, in the order of recording."""
        with self._lock:
            return list(self._current_switchboard().journal.entries)

    @property
    def calls(self) -> list[Call]:
        """All active and finished calls of the exchange. The call that started first comes first."""
        with self._lock:
            return list(self._current_switchboard().calls.values())

    @property
    def active_calls(self) -> list[Call]:
        """The calls that have not ended. The call that started first comes first.

        The list includes calls that ``list.calls`` does not show yet.
        """
        with self._lock:
            return list(self._current_switchboard().active.values())

    def last_finished(self, count: int) -> list[Call]:
        """Return the calls that ended most recently, at most ``count`` calls.

        The call that ended last comes first.
        """
        with self._lock:
            return list(islice(reversed(self._current_switchboard().finished), count))

    def call(self, call_session_id: int) -> Call:
        """Return the active or finished call with a session id.

        :raises KeyError: no call has this session id.
        """
        with self._lock:
            return self._current_switchboard().calls[call_session_id]

    def limits(self, account: Account | None = None) -> dict[str, int]:
        """Return the limits of an account at the Call API, and the points that are left.

        :param account: the account (a customer of the exchange). None: the first account.
        :return: a dict with six keys: ``minute_limit`` and ``minute_remaining`` in points, and
            ``minute_reset``: seconds until the present minute ends. ``day_limit``, ``day_remaining`` and
            ``day_reset`` are the same for the day.
        """
        with self._lock:
            return self.call_api.points(account or self.account).limits(self._clock())
