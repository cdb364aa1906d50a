"""``python -m airflow_provider_callapi.emulator``: the exchange, until it is told to stop."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from airflow_provider_callapi.emulator.clock import Clock, FastClock, ManualClock
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.remote_control import Scripts
from airflow_provider_callapi.emulator.server import Emulator

_COMMAND = "python -m airflow_provider_callapi.emulator"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a number from 0 to 65535 is needed")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError("a number above 0 is needed")
    return speed


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="A telephone exchange that speaks the Call API, for demos and tests.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=_port, default=8080, help="0: any free one")
    clocks = parser.add_mutually_exclusive_group()
    clocks.add_argument("--speed", type=_speed, help="a clock so many times as fast")
    clocks.add_argument(
        "--manual-clock",
        action="store_true",
        help="a clock that only POST /emulator/clock moves",
    )
    parser.add_argument(
        "--script",
        type=Path,
        metavar="FILE.json",
        help=Scripts.example,
    )
    return parser.parse_args(given)


def _clock(arguments: argparse.Namespace) -> Clock:
    if arguments.manual_clock:
        return ManualClock(time.time())
    return FastClock(arguments.speed) if arguments.speed else time.time


def _refused(options: str, error: Exception) -> int:
    sys.stderr.write(f"{_COMMAND}: error: {options}: {error}\n")
    return 2


def main(given: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    :param given: the arguments; those of the command line by default.
    :return: the exit code; 2: the exchange cannot be as the arguments say, and stderr tells which.
    """
    arguments = _arguments(given)
    exchange = Exchange(clock=_clock(arguments))
    emulator = Emulator(exchange, host=arguments.host, port=arguments.port)
    stop = threading.Event()
    with ExitStack() as stack:
        try:
            if arguments.script:
                Scripts.read(arguments.script.read_bytes()).apply(exchange)
        except (OSError, ValueError) as error:
            return _refused("--script", error)
        try:
            stack.enter_context(emulator)
        except OSError as error:
            return _refused(f"--host {arguments.host} --port {arguments.port}", error)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
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
