"""The emulator sends the vendor's notifications: one for each event of a call, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import requests
from airflow_fakes import start_informer_call

from airflow_provider_callapi.emulator import Exchange, ManualClock, Script, notifications
from airflow_provider_callapi.emulator.notifications import NotificationSender

CONTACT = "79160000001"


class Receiver:
    """An HTTP server that records the notifications that it gets."""

    def __init__(self, status: int = 204) -> None:
        self.received: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.received.append(json.loads(self.rfile.read(length)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    receiver.thread.join()


def test_each_event_of_a_call_is_sent_once_and_in_order(receiver):
    clock = ManualClock(1_760_000_000.0)
    exchange = Exchange(clock=clock)
    exchange.script(CONTACT, Script(rings=3, talks=20))
    sender = NotificationSender(exchange, receiver.url, "secret")
    session = exchange.inbound(CONTACT)
    for _ in range(40):
        clock.advance(1)
        sender.send_new()

    assert receiver.received == [
        {"secret": "secret", "event": event, "call_session_id": session}
        for event in ("started", "answered", "ended")
    ]


def test_a_call_after_a_reset_has_its_own_events_although_it_reuses_a_session_id(receiver):
    exchange = Exchange(clock=(clock := ManualClock(1_760_000_000.0)))
    sender = NotificationSender(exchange, receiver.url, "secret")
    sessions = set()
    for _ in range(2):
        exchange.script(CONTACT, Script(rings=3, talks=20))
        sessions.add(exchange.inbound(CONTACT))
        clock.advance(40)
        sender.send_new()
        exchange.reset()

    assert len(sessions) == 1
    assert [body["event"] for body in receiver.received] == ["started", "answered", "ended"] * 2


def test_an_unanswered_call_has_no_event_answered(receiver):
    exchange = Exchange(clock=(clock := ManualClock(1_760_000_000.0)))
    exchange.script(CONTACT, Script.no_answer())
    with NotificationSender(exchange, receiver.url, "secret"):
        start_informer_call(exchange, CONTACT)
        clock.advance(200)

    assert [notification["event"] for notification in receiver.received] == ["started", "ended"]


def test_a_receiver_that_is_away_stops_no_call(caplog):
    exchange = Exchange(clock=(clock := ManualClock(1_760_000_000.0)))
    sender = NotificationSender(exchange, "http://127.0.0.1:1/", "a secret")
    exchange.inbound(CONTACT)
    clock.advance(200)
    sender.send_new()

    assert "The notification was not sent: ConnectionError" in caplog.text
    assert "a secret" not in caplog.text


def test_a_receiver_that_never_answers_does_not_keep_the_emulator_from_ending(monkeypatch):
    seconds, begun, exchange = [0.0], Event(), Exchange()
    sender = NotificationSender(exchange, "http://127.0.0.1:1/", "secret")

    def hang(url: str, *, timeout: float, **_: Any) -> None:
        begun.set()
        assert sender._stop.wait(60)
        seconds[0] += timeout
        raise requests.ReadTimeout

    monkeypatch.setattr(requests, "post", hang)
    monkeypatch.setattr(notifications, "monotonic", lambda: seconds[0])
    for _ in range(500):
        exchange.inbound(CONTACT)
    with sender:
        assert begun.wait(60)

    assert seconds[0] <= 20


def test_a_notification_to_this_machine_goes_through_no_proxy(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    exchange = Exchange()
    exchange.inbound(CONTACT)
    NotificationSender(exchange, receiver.url, "secret").send_new()

    assert [body["event"] for body in receiver.received] == ["started"]
