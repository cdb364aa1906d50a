"""Asks several databases at once, and waits a few seconds for them, also if one of them never answers.

The driver of a database may wait without a limit. A person in front of a screen may not: the person needs the
answers of the other databases, and the name of the silent one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision.own_thread import run_in_own_thread

T = TypeVar("T")

LONGEST_WAIT = 5.0
"""Seconds after which a database counts as silent."""
_FIRST_PATIENCE = 60.0


@dataclass
class _Turn:
    """The turn to use a database, which one thread of this process has at a time.

    :ivar taken_at: when a thread took the turn, seconds of a clock that is never set.
    :ivar patience: after so many seconds, the thread's statement counts as lost, and another thread gets a
        turn of its own. Each lost statement doubles them: a database that loses all holds few threads.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    taken_at: float = 0.0
    patience: float = _FIRST_PATIENCE


_turns: dict[str, _Turn] = {}
"""Name of a database → the turn of the thread that may use it now."""


def ask_each(names: Iterable[str], ask: Callable[[str], T]) -> tuple[dict[str, T], dict[str, str]]:
    """Call a function for each of several databases at once. Return after 5 seconds at the latest.

    A call that takes longer goes on in its thread, and its result is lost. Until it ends, this process asks
    the same database nothing else, but for at most a minute: its statement may have been lost on the way. If
    this happens again, the minute becomes two, four and so on.

    :param names: the names of the databases, each once, such as ``["ledger"]``.
    :param ask: the function. It gets one name, and is called in a thread.
    :return: name → the function's result, and name → a text without phone numbers that states why there is no
        result. Each name is in one of the two dicts. An error that is neither a `CallApiFailure`, a
        `CallApiTrouble` nor a ``ValueError`` is raised.
    """
    futures = {name: run_in_own_thread(f"callapi-{name}", partial(_ask_in_turn, name, ask)) for name in names}
    wait(futures.values(), LONGEST_WAIT)
    answers: dict[str, T] = {}
    problems: dict[str, str] = {}
    for name, future in futures.items():
        try:
            answers[name] = future.result(timeout=0)
        except TimeoutError:
            problems[name] = f"the database does not answer within {LONGEST_WAIT:g} s"
        except (CallApiFailure, CallApiTrouble, ValueError) as error:
            problems[name] = str(error)
    return answers, problems


def _ask_in_turn(name: str, ask: Callable[[str], T]) -> T:
    """Call ``ask`` for a database when no other thread of this process uses the database.

    :raises TimeoutError: the turn did not come in time. Nobody waits for the result any more.
    """
    turn = _turns.setdefault(name, _Turn())
    if not turn.lock.acquire(timeout=LONGEST_WAIT):
        if system_clock.monotonic() >= turn.taken_at + turn.patience:
            _turns[name] = _Turn(patience=2 * turn.patience)  # for the threads that come later
        raise TimeoutError
    turn.taken_at = system_clock.monotonic()
    try:
        answer = ask(name)
    finally:
        turn.lock.release()
    turn.patience = _FIRST_PATIENCE
    return answer
