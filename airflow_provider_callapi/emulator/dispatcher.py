"""Pass each JSON-RPC request to the Call API or the Data API, depending on the version in the URL.

The Data API answers at ``/v2.0``. The Call API answers at all other versions, e.g. ``/v4.0``.

The modules `in_process` and `asgi_app` receive the requests and call the `Dispatcher`. The subclass
`Exchange` adds the methods that a test uses.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call_api import call_api
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.data_api import data_api
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.faults import FaultPlan, PlannedFault, method_of
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.json_array import JsonArray
from airflow_provider_callapi.emulator.profile import DOCUMENT, Profile
from airflow_provider_callapi.emulator.service import Service
from airflow_provider_callapi.emulator.switchboard import Switchboard

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Dispatcher:
    """The part of an exchange that answers JSON-RPC requests.

    Several threads may use a dispatcher, because one lock protects all state. The dispatcher starts no thread
    and reads the time only from ``clock``.

    :param clock: returns epoch seconds; often a `ManualClock` in tests.
    :param account: the first account (customer); None: a new account from `Profile.new_account`. The new
        account contains the numbers, employees, tags and files that the vendor's examples name.
    :param profile: how the exchange behaves where the vendor's brands and accounts differ.
    :ivar accounts: all accounts (customers) of the exchange. A test may append more accounts.
    :ivar services: version in the URL → service. A request with another version goes to the Call API.
    """

    def __init__(
        self, clock: Clock = time.time, account: Account | None = None, profile: Profile = DOCUMENT
    ) -> None:
        self.profile = profile
        self.accounts = [account or profile.new_account()]
        self.call_api = call_api()
        self.services: dict[str, Service] = {"v2.0": data_api()}
        for service in self._all_services():
            service.accounts = self.accounts
            if profile.tokens_are_shared:
                service.tokens = self.call_api.tokens
        self._lock = threading.RLock()
        self._clock = clock
        self._switchboard = Switchboard(clock, profile)
        self._faults = FaultPlan()

    @property
    def clock(self) -> Clock:
        """The clock of the exchange: a function that returns epoch seconds."""
        return self._clock

    def serves_host(self, host: str, path: str) -> bool:
        """Return whether a client reaches a service of the exchange at a host name.

        If the profile names a host for the service (e.g. `Profile.call_api_host`), clients reach the service
        only at this host and at loopback addresses. Otherwise clients reach the service at any host.

        :param host: the host in the URL, e.g. ``callapi.comagic.ru``.
        :param path: the path in the URL, e.g. ``/v4.0``. The path decides which service is meant.
        """
        is_data_api = path.strip("/") in self.services
        name = self.profile.data_api_host if is_data_api else self.profile.call_api_host
        return name in (None, host) or host in _LOOPBACK_HOSTS

    def handle(
        self, body: Any, ip: str = "127.0.0.1", *, version: str = "v4.0", utf8: bool = True
    ) -> dict[str, Any]:
        """Return the JSON-RPC answer to one parsed request.

        This method ignores the faults that a test has planned. The function `handle_post` applies these
        faults.

        :param body: the parsed JSON of the request.
        :param ip: the client's IP address.
        :param version: the version in the URL, e.g. ``v4.0``.
        :param utf8: True if the Content-Type of the request names UTF-8.
        """
        answer = self._answer(body, ip, version, utf8)
        data = answer.get("result", {}).get("data")
        if isinstance(data, JsonArray):
            answer["result"]["data"] = data.values()
        return answer

    def handle_bytes(
        self, body: bytes, ip: str = "127.0.0.1", *, version: str = "v4.0", content_type: str
    ) -> dict[str, Any]:
        """Return the JSON-RPC answer to the body of one HTTP request.

        If the body or the Content-Type is wrong, the answer contains an error. The answer may contain a
        `JsonArray`.

        This method ignores the faults that a test has planned. The function `handle_post` applies these
        faults.

        :param ip: the client's IP address.
        :param version: the version in the URL, e.g. ``v4.0``.
        :param content_type: the Content-Type header, e.g. ``application/json; charset=UTF-8``.
        """
        media_type, _, parameters = content_type.partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if not charset and not self.profile.charset_is_required:
            charset = "charset=utf-8"
        if media_type.strip().lower() != "application/json" or not charset.startswith("charset="):
            # The vendor's document requires JSON and a charset, and names no error for other content types.
            return {"jsonrpc": "2.0", "id": None, "error": RpcError("invalid_request").error_object}
        try:
            parsed = json.loads(body.decode())
        except ValueError:
            return {"jsonrpc": "2.0", "id": None, "error": RpcError("parse_error").error_object}
        return self._answer(parsed, ip, version, charset == "charset=utf-8")

    def take_fault(self, body: bytes, *, connecting: bool = False) -> PlannedFault | None:
        """Return the fault that is planned for a request, and record the fault in the emulator's journal.

        A test plans a fault for a number of requests. This method reduces the number by one.

        :param body: the body of the request.
        :param connecting: True: the client still connects, so only `Fault.REFUSE` can hit the request.
            False: the client is connected, so every other fault can hit the request.
        :return: the fault; None: no fault is planned for the request.
        """
        with self._lock:
            planned = self._faults.take(body, connecting=connecting)
            if planned is not None:
                label = planned.fault.label
                entry = Entry(self._clock(), "fault", method_of(body), detail=label)
                self._switchboard.journal.add(entry)
            return planned

    def _answer(self, body: Any, ip: str, version: str, utf8: bool) -> dict[str, Any]:
        with self._lock:
            service = self.services.get(version, self.call_api)
            return service.answer(
                self._current_switchboard(), body, ip=ip, version=version, charset_is_utf8=utf8
            )

    def _all_services(self) -> list[Service]:
        return [self.call_api, *self.services.values()]

    def _current_switchboard(self) -> Switchboard:
        """Run the events that are due, and return the switchboard: the object that contains all calls."""
        self._switchboard.run_due_events()
        return self._switchboard
