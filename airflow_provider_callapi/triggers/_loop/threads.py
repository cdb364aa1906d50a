"""Slow work beside an event loop. The threads of the loop's own pool are few, and its polls need them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

R = TypeVar("R")


async def in_a_thread(function: Callable[..., R], *args: Any) -> R:
    """Run a function in a thread of its own, in the present context."""
    pool = ThreadPoolExecutor(1)
    try:
        called = partial(copy_context().run, function, *args)
        return await asyncio.get_running_loop().run_in_executor(pool, called)
    finally:
        pool.shutdown(wait=False)
