"""Pass each JSON-RPC request to the emulated Call API or Data API. The version in the URL decides.

The Data API answers at ``/v2.0``. The Call API answers at all other versions, e.g. ``/v4.0``.

The modules `in_process` and `asgi_app` receive the requests and call a `Dispatcher`. Its subclass `Exchange`
adds the methods that a test calls.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from airflow_provider_callapi.api.transport.loopback import is_loopback
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.clock import Clock
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.faults import FaultPlan, PlannedFault, method_of
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.json_array import JsonArray
from airflow_provider_callapi.emulator.profile import Profile
from airflow_provider_callapi.emulator.services.call_api import call_api
from airflow_provider_callapi.emulator.services.data_api import data_api
from airflow_provider_callapi.emulator.services.service import Service


class Dispatcher:
    """The part of the emulated telephone exchange that answers JSON-RPC requests.

    Tests use the subclass `Exchange`. Several threads may use one dispatcher.

    :param clock: a function that returns the exchange's time in epoch seconds, e.g. a `ManualClock`.
    :param account: the first account (customer). None: an account with example numbers, employees and
        scenarios.
    :param profile: how the exchange behaves where the vendor's brands and accounts differ.
    :ivar accounts: all accounts of the exchange. A test may append more.
    :ivar services: version in the URL → service. For a version without an entry: the Call API answers.
    """

    def __init__(self, clock: Clock, account: Account | None, profile: Profile) -> None:
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
        """The clock of the telephone exchange: a function that returns epoch seconds."""
        return self._clock

    def serves_host(self, host: str, path: str) -> bool:
        """Return whether clients can reach an API of the exchange at a host name.

        - If the profile names no host for the API: at any host.
        - If `Profile.call_api_host` or `Profile.data_api_host` names a host for the API: only at this host
          and at loopback addresses.

        :param host: the host in the URL, e.g. ``callapi.comagic.ru``.
        :param path: the path in the URL. ``/v2.0`` means the Data API, any other path means the Call API.
        """
        is_data_api = path.strip("/") in self.services
        name = self.profile.data_api_host if is_data_api else self.profile.call_api_host
        return name in (None, host) or is_loopback(host)

    def handle(self, body: Any, ip: str = "127.0.0.1", *, version: str = "v4.0") -> dict[str, Any]:
        """Carry out one parsed JSON-RPC request, and return the answer.

        Planned faults have no effect here: `handle_post` applies them.

        :param body: the parsed JSON of the request.
        :param version: the version in the URL, e.g. ``v4.0``.
        :return: the answer with ``jsonrpc``, ``id``, and either ``result`` or ``error``.
        """
        answer = self._answer(body, ip, version, charset_is_utf8=True)
        data = answer.get("result", {}).get("data")
        if isinstance(data, JsonArray):
            answer["result"]["data"] = data.values()
        return answer

    def handle_bytes(
        self, body: bytes, ip: str = "127.0.0.1", *, version: str = "v4.0", content_type: str
    ) -> dict[str, Any]:
        """Carry out the JSON-RPC request in the body of one HTTP request, and return the answer.

        Planned faults have no effect here: `handle_post` applies them.

        :param version: the version in the URL, e.g. ``v4.0``.
        :param content_type: the Content-Type header, e.g. ``application/json; charset=UTF-8``.
        :return: the answer with ``jsonrpc``, ``id``, and either ``result`` or ``error``. For ``list.calls``,
            ``result["data"]`` is a `JsonArray`.
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
        return self._answer(parsed, ip, version, charset_is_utf8=charset == "charset=utf-8")

    def take_fault(self, body: bytes, *, connecting: bool = False) -> PlannedFault | None:
        """Return the fault that is planned for a request, and record the fault in the emulator's journal.

        Each fault is planned for a number of requests. This method reduces the number by one.

        :param connecting: whether the client has yet to connect. If True, the fault can only be
            `Fault.REFUSE`: the connection is refused. If False, it can be any other fault.
        :return: the fault. None: no such fault is planned for the request.
        """
        with self._lock:
            planned = self._faults.take(body, connecting=connecting)
            if planned is not None:
                label = planned.fault.label
                entry = Entry(self._clock(), "fault", method_of(body), detail=label)
                self._current_switchboard().journal.add(entry)
            return planned

    def _answer(self, body: Any, ip: str, version: str, *, charset_is_utf8: bool) -> dict[str, Any]:
        with self._lock:
            service = self.services.get(version, self.call_api)
            switchboard = self._current_switchboard()
            return service.answer(switchboard, body, ip=ip, version=version, charset_is_utf8=charset_is_utf8)

    def _all_services(self) -> list[Service]:
        return [self.call_api, *self.services.values()]

    def _current_switchboard(self) -> Switchboard:
        """Run all due events of the calls, and return the object that contains the calls."""
        self._switchboard.run_due_events()
        return self._switchboard
