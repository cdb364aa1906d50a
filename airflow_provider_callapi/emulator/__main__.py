"""``python -m airflow_provider_callapi.emulator``: the exchange, until it is told to stop."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_callapi.emulator.clock import Clock, FastClock, ManualClock
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.http import Emulator
from airflow_provider_callapi.emulator.web import load_scripts


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_callapi.emulator",
        description="A telephone exchange that speaks the Call API, for demos and tests.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one")
    clocks = parser.add_mutually_exclusive_group()
    clocks.add_argument("--speed", type=float, help="a clock so many times as fast")
    clocks.add_argument(
        "--manual-clock",
        action="store_true",
        help="a clock that only POST /emulator/clock moves",
    )
    parser.add_argument(
        "--script",
        type=Path,
        metavar="FILE.json",
        help='{"default": {"rings": 3}, "scripts": {"79260000001": {"answer": "busy"}}}',
    )
    return parser.parse_args(given)


def _clock(arguments: argparse.Namespace) -> Clock:
    if arguments.manual_clock:
        return ManualClock(time.time())
    return FastClock(arguments.speed) if arguments.speed else time.time


def main(given: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    :param given: the arguments; those of the command line by default.
    """
    arguments = _arguments(given)
    exchange = Exchange(clock=_clock(arguments))
    if arguments.script:
        load_scripts(exchange, json.loads(arguments.script.read_text("utf-8")))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Emulator(exchange, host=arguments.host, port=arguments.port) as emulator:
        connection = json.dumps(emulator.connection())
        sys.stdout.write(
            f"Telephone exchange on {emulator.url} (calls as they happen: {emulator.url}/)\n"
            f"export AIRFLOW_CONN_CALLAPI_DEFAULT='{connection}'\n"
        )
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
