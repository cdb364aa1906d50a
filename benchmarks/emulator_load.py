"""Measure what the emulator's ``list.calls`` costs while ``--load`` keeps 10 000 calls active."""

from __future__ import annotations

import sys
import time

from list_calls import bare_post
from measuring import ExchangeProcess, Figure, exchange_process, show

CALLS = 10_000
POLLS = 20
WARM_UP = 5
"""Polls until every entry's text is made."""


def measure() -> list[Figure]:
    """Measure the emulator's CPU time for each answer, without and with a second between two polls.

    In the second case, the CPU time contains the calls that end and begin in the second.
    """
    with exchange_process("--load", str(CALLS)) as exchange:
        at_once = _cpu_for_each_poll(exchange, pause=0.0)
        with_changes = _cpu_for_each_poll(exchange, pause=1.0)
    name = f"emulator with {CALLS} active calls: CPU time"
    return [
        Figure(f"{name} of list.calls", at_once, "ms", at_most=40),
        Figure(f"{name} of list.calls and of a second's changes", with_changes, "ms"),
    ]


def _cpu_for_each_poll(exchange: ExchangeProcess, *, pause: float) -> float:
    """Return the emulator's CPU time in milliseconds for each poll, with ``pause`` seconds after a poll."""
    poll = bare_post(exchange)
    for _ in range(WARM_UP):
        time.sleep(1.0)
        listed = len(poll())
    assert 0.99 * CALLS < listed <= CALLS
    before = exchange.cpu_seconds()
    for _ in range(POLLS):
        poll()
        time.sleep(pause)
    return (exchange.cpu_seconds() - before) / POLLS * 1000


if __name__ == "__main__":
    sys.exit(show(measure()))
