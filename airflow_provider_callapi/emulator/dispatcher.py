"""Answer JSON-RPC requests: one lock, one clock and one service for each version in the URL.

`in_process` and `asgi_app` pass requests to a `Dispatcher`. `exchange` adds what a test uses.
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
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.faults import FaultPlan, Planned, method_of
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.service import Service
from airflow_provider_callapi.emulator.switchboard import Switchboard


class Dispatcher:
    """Pass each request to its service. Thread-safe: one lock protects all state.

    Time comes from the clock. Nothing runs in the background.

    :param clock: returns epoch seconds; a `ManualClock` in tests.
    :param account: the customer; the default account has everything that the vendor's examples name.
    :ivar accounts: all customers; append to it for more than one.
    :ivar services: URL version → service. The Call API serves every other version.
    """

    def __init__(self, clock: Clock = time.time, account: Account | None = None) -> None:
        self.accounts = [account or Account()]
        self.call_api = call_api()
        self.services: dict[str, Service] = {"v2.0": data_api()}
        for service in self._all_services():
            service.accounts = self.accounts
        self._lock = threading.RLock()
        self._clock = clock
        self._board = Switchboard(clock)
        self._faults = FaultPlan()

    @property
    def clock(self) -> Clock:
        """The exchange's clock."""
        return self._clock

    def handle(
        self, body: Any, ip: str = "127.0.0.1", *, version: str = "v4.0", utf8: bool = True
    ) -> dict[str, Any]:
        """Answer one parsed request without HTTP. Planned faults do not apply."""
        with self._lock:
            service = self.services.get(version, self.call_api)
            return service.answer(self._settled(), body, ip=ip, version=version, charset_is_utf8=utf8)

    def handle_bytes(
        self, body: bytes, ip: str = "127.0.0.1", *, version: str = "v4.0", content_type: str
    ) -> dict[str, Any]:
        """Answer the body of one HTTP request."""
        kind, _, rest = content_type.partition(";")
        charset = rest.strip().lower().replace('"', "")
        if kind.strip().lower() != "application/json" or not charset.startswith("charset="):
            # the document demands both and names no error for their absence
            return {"jsonrpc": "2.0", "id": None, "error": Refusal("invalid_request").error}
        try:
            parsed = json.loads(body.decode())
        except ValueError:
            return {"jsonrpc": "2.0", "id": None, "error": Refusal("parse_error").error}
        return self.handle(parsed, ip, version=version, utf8=charset == "charset=utf-8")

    def take_fault(self, body: bytes, *, refusing: bool = False) -> Planned | None:
        """Take the fault planned for this request, and record it in the journal.

        :param refusing: True before the request is read: only REFUSE applies; False: all others.
        """
        with self._lock:
            planned = self._faults.take(body, refusing=refusing)
            if planned is not None:
                label = planned.fault.label
                entry = Entry(self._clock(), "fault", method_of(body), detail=label)
                self._board.journal.add(entry)
            return planned

    def _all_services(self) -> list[Service]:
        return [self.call_api, *self.services.values()]

    def _settled(self) -> Switchboard:
        self._board.settle()
        return self._board
