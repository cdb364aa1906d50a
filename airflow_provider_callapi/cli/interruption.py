"""What ends an ``airflow callapi`` command early: Ctrl-C, and the signals that count as Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EXIT_CODE = 130
"""The exit code of a shell command after Ctrl-C."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Context manager and decorator: Ctrl-C ends the command with the exit code ``130`` and no traceback."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(_EXIT_CODE)


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Context manager: let SIGTERM and SIGHUP interrupt the ``with`` block as Ctrl-C does.

    A process gets SIGHUP if its terminal closes, for example after a lost connection of ssh. If the process
    ignores a signal, for example after ``nohup``, it goes on to ignore it.
    """

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
