"""Command ``python -m airflow_provider_callapi.emulator``.

The command runs a telephone exchange for tests until the process receives SIGTERM or SIGINT.
"""

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
from urllib.parse import urlsplit

from airflow_provider_callapi.emulator.clock import Clock, FastClock, ManualClock
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.load import MAX_CALLS, Load
from airflow_provider_callapi.emulator.notifications import NotificationSender
from airflow_provider_callapi.emulator.profile import PROFILE_NAMES, Profile
from airflow_provider_callapi.emulator.remote_control import ScriptsRequest
from airflow_provider_callapi.emulator.server import Emulator

_COMMAND = "python -m airflow_provider_callapi.emulator"
_PORT = 8484
"""Not 8080, which Airflow itself listens on."""


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError("must be a number greater than 0")
    return speed


def _number_of_calls(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_CALLS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {MAX_CALLS}")
    return int(text)


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError("must be a URL that begins with http:// or https://")
    return text


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="A telephone exchange that speaks the Call API, for demos and tests.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 also admits other machines"
    )
    parser.add_argument(
        "--port", type=_port, default=_PORT, help="port to listen on (default: %(default)s); 0: any free port"
    )
    clocks = parser.add_mutually_exclusive_group()
    clocks.add_argument("--speed", type=_speed, help="run the clock this many times as fast as real time")
    clocks.add_argument(
        "--manual-clock",
        action="store_true",
        help="move the clock only through POST /emulator/clock",
    )
    parser.add_argument(
        "--script",
        type=Path,
        metavar="FILE.json",
        help=f"scripts of phones, for example {ScriptsRequest.example}",
    )
    parser.add_argument(
        "--profile",
        default="document",
        metavar="NAME_OR_FILE.json",
        help=f"how the exchange behaves where services differ: {', '.join(PROFILE_NAMES)}, or a JSON file",
    )
    parser.add_argument(
        "--load",
        type=_number_of_calls,
        default=0,
        metavar="CALLS",
        help="keep this many calls active, which come and go",
    )
    parser.add_argument(
        "--notify",
        type=_url,
        metavar="URL",
        help="send an HTTP notification for each event of a call, with the secret of --notify-secret",
    )
    parser.add_argument("--notify-secret", default="", metavar="TEXT")
    return parser.parse_args(argv)


def _clock(arguments: argparse.Namespace) -> Clock:
    if arguments.manual_clock:
        return ManualClock(time.time())
    return FastClock(arguments.speed) if arguments.speed else time.time


def _fail(options: str, error: Exception) -> int:
    sys.stderr.write(f"{_COMMAND}: error: {options}: {error}\n")
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a telephone exchange until the process receives SIGTERM or SIGINT.

    :param argv: the arguments of the command. None: the arguments in ``sys.argv``.
    :return: the exit code. 0: a signal ended the exchange. 2: the exchange did not start, because the value
        of an argument cannot be used. The function then prints the name of the argument to stderr.
    """
    arguments = _parse_arguments(argv)
    try:
        profile = Profile.load(arguments.profile)
    except (OSError, ValueError) as error:
        return _fail("--profile", error)
    exchange = Exchange(clock=_clock(arguments), profile=profile)
    emulator = Emulator(exchange, host=arguments.host, port=arguments.port)
    stop = threading.Event()
    with ExitStack() as stack:
        try:
            if arguments.script:
                ScriptsRequest.parse(arguments.script.read_bytes()).apply(exchange)
        except (OSError, ValueError) as error:
            return _fail("--script", error)
        try:
            stack.enter_context(emulator)
        except OSError as error:
            return _fail(f"--host {arguments.host} --port {arguments.port}", error)
        if arguments.load:
            stack.enter_context(Load(exchange, arguments.load))
        if arguments.notify:
            sender = NotificationSender(exchange, arguments.notify, arguments.notify_secret)
            stack.enter_context(sender)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        connection = json.dumps(emulator.connection())
        sys.stdout.write(
            f"Telephone exchange on {emulator.url} (live view of the calls: {emulator.url}/)\n"
            f"export AIRFLOW_CONN_CALLAPI_DEFAULT='{connection}'\n"
        )
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
