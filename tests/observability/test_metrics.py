"""The metrics: what is counted and measured, and that Airflow's backend receives it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from airflow_fakes import (
    CONTACT,
    PHONE,
    TTS,
    VNUMBER,
    Task,
    events_of,
    informer_task,
)
from hypothesis import example, given
from hypothesis import strategies as st
from lone_surrogates import HALF

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.event_loop import polls_by_connection
from airflow_provider_callapi.observability import metrics
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


def test_the_age_of_the_poll_grows_while_polls_fail_and_is_zero_without_a_waiting_task(desk, stats):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    session = desk.start()
    now = desk.clock()
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls", times=3)
    waiting = CallApiSessionTrigger(
        callapi_conn_id="callapi_default",
        call=Outcome(session, started_at=now).to_xcom(),
        until="answered",
        poll_interval=5.0,
        appear_by=now + 60,
        deadline=now + 600,
    )

    asyncio.run(events_of(waiting))

    assert stats.named("callapi.poll.age.callapi_default") == [0.0, 5.0, 10.0, 15.0, 0.0]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=2, unique=True))
@example(["весна", "осень"])
@example(["Ночь", "Ночб"])
@example(["🌷", "🍂"])
@example([HALF, HALF + HALF])
def test_names_with_other_letters_than_ascii_are_different_parts_of_a_metrics_name(names):
    parts = [metrics._name_part(name) for name in names if not name.isascii()]
    assert len(set(parts)) == len(parts)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", part) for part in parts)


def test_a_poll_that_ends_after_the_last_task_leaves_no_age(desk, stats, monkeypatch):
    polling, gone = threading.Event(), threading.Event()
    take_snapshot = polls_by_connection.take_snapshot

    def slow(*args):
        polling.set()
        assert gone.wait(60)
        return take_snapshot(*args)

    monkeypatch.setattr(polls_by_connection, "take_snapshot", slow)
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls")

    async def main():
        async with polls_by_connection.subscribe("callapi_default", 5.0):
            assert await asyncio.to_thread(polling.wait, 5)
            desk.clock.advance(60)
        gone.set()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(main())

    assert stats.named("callapi.poll.age.callapi_default") == [0.0]


def test_a_campaigns_calls_are_counted_by_their_result(desk, stats, monkeypatch):
    desk.exchange.default_script = Script(rings=3, talks=20)
    busy = "79160000002"
    desk.exchange.script(busy, Script.busy(3))

    def make() -> CallApiCampaignOperator:
        return CallApiCampaignOperator(
            task_id="campaign",
            campaign="july",
            contacts=[{"phone": "79160000001"}, {"phone": busy}],
            call={
                "method": "start.informer_call",
                "virtual_phone_number": VNUMBER,
                "contact_message": TTS,
            },
            max_attempts=1,
            deferrable=False,
        )

    campaign = Task(desk, make)
    if campaign.state is None:
        pytest.skip("no task state in this Airflow: the campaign would need an SQL database")
    campaign.run()

    results = sorted(stats.tagged("callapi.campaign.calls"), key=lambda tags: tags["result"])
    assert results == [
        {"campaign": "july", "result": "answered"},
        {"campaign": "july", "result": "busy"},
    ]


def test_a_metric_that_cannot_be_sent_is_in_the_debug_log_and_fails_no_task(desk, monkeypatch, caplog):
    def broken() -> Any:
        raise OSError("no metrics today")

    monkeypatch.setattr(metrics, "_stats", broken)
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    assert informer_task(desk, wait_for_completion=False).run()["status"] == "started"
    (record,) = [record for record in caplog.records if "the metric callapi.calls," in record.getMessage()]
    assert record.levelno == logging.DEBUG
    assert "no metrics today" in caplog.text


def test_no_metric_has_a_number_or_an_id_of_a_call(desk, stats):
    result = informer_task(desk).run()

    sent = json.dumps([(name, tags) for _, name, _, tags in stats.sent])
    assert not PHONE.search(sent)
    assert str(result["call_session_id"]) not in sent
    assert "order-7" not in sent


@pytest.fixture
def statsd():
    """Return a UDP port for StatsD's datagrams, and a function that returns the received lines."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(2)

        def lines(until: str) -> list[str]:
            received: list[str] = []
            while not any(until in line for line in received):
                received += udp.recv(65_535).decode().splitlines()
            return received

        yield udp.getsockname()[1], lines


PROGRAMS = {
    "a core process, such as a triggerer": """
try:
    from airflow.observability.metrics.stats_utils import get_stats_factory
    from airflow.observability import stats
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
except ImportError:
    pass
except (AttributeError, TypeError):  # 3.2
    from airflow.observability.stats import Stats
    Stats.initialize(factory=get_stats_factory(Stats))
""",
    "a process without any setup": "",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_metrics_reach_statsd_from_every_process_of_airflow(statsd, program):
    port, lines = statsd
    count = (
        "\nfrom airflow_provider_callapi.observability.metrics import count_call\ncount_call('unresolved')\n"
    )
    environment = {
        **os.environ,
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(port),
    }

    subprocess.run([sys.executable, "-c", f"{program}\n{count}"], env=environment, check=True, timeout=100)

    received = lines("callapi.unresolved")
    assert {line for line in received if "callapi" in line} == {
        "airflow.callapi.calls:1|c",
        "airflow.callapi.calls.unresolved:1|c",
        "airflow.callapi.unresolved:1|c",
    }
