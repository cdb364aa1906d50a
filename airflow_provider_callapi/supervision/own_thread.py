"""Runs slow work in a thread of its own, so that the work holds no other thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def run_in_own_thread(name: str, work: Callable[[], T]) -> Future[T]:
    """Call a function in a new thread. Return at once.

    The end of the process does not wait for the thread, e.g. if the function waits for a silent database.

    :param name: the name of the thread.
    :return: the future of the function's result or error. It cannot be cancelled.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
