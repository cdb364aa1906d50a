"""Answers that drip, unpack to a bomb or never end: a wait ends in time, and no one is rung twice."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airflow.exceptions import AirflowException
from airflow_fakes import CONTACT, informer_task, start_informer_call
from ways_to_wait import WAITS

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.transport.bounded_http import MAX_ANSWER_BYTES
from airflow_provider_callapi.emulator import Emulator, Exchange, Script

START = "start.informer_call"
MEGABYTE = b" " * 1_000_000
HARMFUL = ["drip", "bomb", "flood"]


class Front(ThreadingHTTPServer):
    """A server before the emulator. The answers to requests for one method do harm.

    :ivar spoiled: the method.
    :ivar harm: ``drip``: byte after byte, without an end. ``bomb``: 100 MB, packed. ``flood``: 100 MB.
    """

    daemon_threads = True

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.target = emulator.url
        self.spoiled = self.harm = ""
        self.stopped = Event()
        self.bomb = gzip.compress(MEGABYTE * 100, 9)


class FrontHandler(BaseHTTPRequestHandler):
    server: Front

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = requests.post(
            self.server.target + self.path,
            body,
            headers={"Content-Type": self.headers["Content-Type"]},
            timeout=5,
        )
        with suppress(OSError):  # the client has given up
            if json.loads(body)["method"] == self.server.spoiled:
                getattr(self, self.server.harm)()
            else:
                self.begin(len(answer.content))
                self.wfile.write(answer.content)

    def begin(self, length: int, *, encoding: str = "identity") -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Encoding", encoding)
        self.end_headers()

    def drip(self) -> None:
        self.begin(100_000)
        while not self.server.stopped.wait(0.05):
            self.wfile.write(b" ")

    def bomb(self) -> None:
        self.begin(len(self.server.bomb), encoding="gzip")
        self.wfile.write(self.server.bomb)

    def flood(self) -> None:
        self.begin(100 * len(MEGABYTE))
        for _ in range(100):
            self.wfile.write(MEGABYTE)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def front(callapi_emulator: Emulator, connection: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """Return a server before the emulator, to which ``callapi_default`` leads."""
    with Front(callapi_emulator) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        connection(port=server.server_port, extra={"timeout": 3, "data_api": False})
        for module in ("hooks.polls", "sensors.call_session", "event_loop.watch_call"):
            monkeypatch.setattr(f"airflow_provider_callapi.{module}.LAST_POLL_SECONDS", 0.3)
        yield server
        server.stopped.set()
        server.shutdown()
        thread.join()


REAL_TIME: Any = SimpleNamespace(clock=time.time, sleep=time.sleep)


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("harm", HARMFUL)
def test_a_wait_for_a_call_ends_in_time_although_the_polls_get_harmful_answers(
    front: Front, exchange: Exchange, wait: str, harm: str
) -> None:
    exchange.script(CONTACT, Script(rings=0, talks=None))
    front.spoiled, front.harm = "list.calls", harm
    make, how = WAITS[wait]
    desk = SimpleNamespace(**vars(REAL_TIME), start=lambda: start_informer_call(exchange))
    waiting = make(desk, 0.2, 1, **how)
    began = time.monotonic()

    with pytest.raises((AirflowException, CallApiError)):
        waiting.run()

    assert time.monotonic() - began < 6
    assert exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("harm", HARMFUL)
def test_a_call_whose_start_request_gets_a_harmful_answer_is_found_and_not_repeated(
    front: Front, exchange: Exchange, connection: Any, harm: str, deferrable: bool
) -> None:
    exchange.script(CONTACT, Script(rings=0.3, talks=3))
    connection(port=front.server_port, extra={"timeout": 1, "data_api": False})
    front.spoiled, front.harm = START, harm
    began = time.monotonic()
    tracemalloc.start()
    try:
        result = informer_task(
            REAL_TIME, external_id=None, poll_interval=0.2, timeout=20, deferrable=deferrable
        ).run()
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    (call,) = exchange.calls
    assert (result["call_session_id"], result["answered"]) == (call.call_session_id, True)
    assert exchange.rings(CONTACT) == 1
    assert memory < 4 * MAX_ANSWER_BYTES
    assert time.monotonic() - began < 20
