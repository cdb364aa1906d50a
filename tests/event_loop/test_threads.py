"""Threads for slow work next to an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from contextvars import ContextVar

import pytest

from airflow_provider_callapi.event_loop.threads import run_in_thread

WHO: ContextVar[str] = ContextVar("WHO")


def test_run_in_thread_takes_no_thread_from_the_pool_of_the_loop():
    """More slow functions run than the pool has threads, and the pool still works."""
    done = threading.Event()

    async def main():
        slow = [asyncio.create_task(run_in_thread(done.wait, 10)) for _ in range((os.cpu_count() or 1) + 5)]
        await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.to_thread(done.set), 5)
        return await asyncio.gather(*slow)

    assert {*asyncio.run(main())} == {True}


def test_run_in_thread_uses_the_context_variables_and_raises_the_functions_error():
    async def main():
        WHO.set("task 7")
        assert await run_in_thread(WHO.get) == "task 7"
        await run_in_thread(int, "seven")

    with pytest.raises(ValueError, match="seven"):
        asyncio.run(main())
