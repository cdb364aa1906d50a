"""Asks several databases at once, and waits a few seconds for them, also if one of them never answers.

The driver of a database may wait without a limit. A person in front of a screen may not: the person needs the
answers of the other databases, and the name of the silent one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from functools import partial
from typing import TypeVar

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.supervision.own_thread import run_in_own_thread

T = TypeVar("T")

LONGEST_WAIT = 5.0
"""Seconds after which a database counts as silent."""
_turns: dict[str, threading.Lock] = {}
"""Name of a database → the lock of the one thread in this process that may use the database now."""


def ask_each(names: Iterable[str], ask: Callable[[str], T]) -> tuple[dict[str, T], dict[str, str]]:
    """Call a function for each of several databases at once. Return after 5 seconds at the latest.

    A call that takes longer goes on in its thread, and its result is lost. Until it ends, this process asks
    the same database nothing else: a silent database never holds more than one thread for long.

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
    turn = _turns.setdefault(name, threading.Lock())
    if not turn.acquire(timeout=LONGEST_WAIT):
        raise TimeoutError
    try:
        return ask(name)
    finally:
        turn.release()
