"""Run slow work of a trigger or an alert in a thread of its own, e.g. a request to the Data API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

R = TypeVar("R")


async def run_in_thread(function: Callable[..., R], *args: Any) -> R:
    """Run a function in a new thread, and return its result or raise its error."""
    # The event loop has only a few threads, which all triggers share. If slow work occupied these threads,
    # the polls would have to wait.
    pool = ThreadPoolExecutor(1)
    try:
        in_context = partial(copy_context().run, function, *args)
        return await asyncio.get_running_loop().run_in_executor(pool, in_context)
    finally:
        pool.shutdown(wait=False)
