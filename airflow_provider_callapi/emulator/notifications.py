"""Sends an HTTP notification for each event of a call, as the vendor's exchange does.

The events are the start of the call, the start of the talk or message, and the end of the call.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Self

import requests

from airflow_provider_callapi.api.transport.loopback import proxies_for
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.exchange import Exchange

_PAUSE = 0.05
"""Seconds between two searches for new events."""
_TIMEOUT = 10.0
"""The longest time in seconds for one notification, and for the waiting ones after the ``with`` block."""
_log = logging.getLogger(__name__)


class NotificationSender:
    """Sends a notification (an HTTP POST request) for each of three events of a call.

    - ``started``: the call starts.
    - ``answered``: the talk or message begins.
    - ``ended``: the call ends.

    Inside the ``with`` block of the sender, a thread sends the notifications. At the end of the block, the
    thread sends the waiting notifications for at most ten seconds. A failed notification is not repeated.
    Example of a body: ``{"secret": "…", "event": "answered", "call_session_id": 206597836}``.

    :param secret: the value of ``secret`` in each body.
    """

    def __init__(self, exchange: Exchange, url: str, secret: str) -> None:
        self._exchange = exchange
        self._url = url
        self._secret = secret
        self._handled: dict[int, tuple[Call, int]] = {}  # session id → the call, its number of handled events
        self._proxies = proxies_for(url)
        self._gives_up_at = math.inf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callapi-notifications", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._gives_up_at = monotonic() + _TIMEOUT
        self._stop.set()
        self._thread.join()

    def send_new(self) -> None:
        """Send one notification for each new event of each call.

        An event is new if the method has not yet tried to send a notification of this event. If a
        notification fails, the method logs a warning and does not repeat the notification.
        """
        handled: dict[int, tuple[Call, int]] = {}
        for call in self._exchange.calls:
            session, events = call.call_session_id, list(_events(call))
            known, count = self._handled.get(session, (call, 0))
            handled[session] = (call, len(events))
            for event in events[count:] if known is call else events:  # a reset exchange reuses session ids
                self._send(session, event)
        self._handled = handled

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            self.send_new()
        self.send_new()

    def _send(self, session: int, event: str) -> None:
        if monotonic() >= self._gives_up_at:
            return
        body = {"secret": self._secret, "event": event, "call_session_id": session}
        try:
            answer = requests.post(self._url, json=body, timeout=_TIMEOUT, proxies=self._proxies)
        except requests.RequestException as error:
            _log.warning("The notification was not sent: %s", type(error).__name__)
        else:
            if not answer.ok:
                _log.warning("The notification was refused with HTTP %d", answer.status_code)


def _events(call: Call) -> Iterator[str]:
    """Yield the names of a call's events so far, in this order: ``started``, ``answered``, ``ended``."""
    yield "started"
    if call.talked_at is not None:
        yield "answered"
    if call.ended_at is not None:
        yield "ended"
