"""Compare how many ``list.calls`` requests 200 deferred sensors send, and how many one sensor sends.

All triggers run in one event loop, as in a triggerer. The exchange runs in another process and has the same
200 active calls in both cases. The journal of the exchange provides the counts. The two cases take turns.
"""

from __future__ import annotations

import asyncio
import sys
import time
from statistics import median

from measuring import ExchangeProcess, Figure, exchange_process, show

MANY = 200
INTERVAL = 0.5
SECONDS = 5.0
ROUNDS = 2


async def deferred(session_ids: list[int]) -> None:
    """Let one trigger for each call wait for some seconds. The calls stay active during the wait."""
    from airflow_provider_callapi.calls.outcomes.outcome import Outcome
    from airflow_provider_callapi.calls.watching.watch import Phase
    from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger, read_event

    async def wait(session_id: int) -> None:
        trigger = CallApiSessionTrigger(
            callapi_conn_id="callapi_default",
            call=Outcome(session_id).to_xcom(),
            until="ended",
            poll_interval=INTERVAL,
            appear_by=deadline,
            deadline=deadline,
        )
        (event,) = [event async for event in trigger.run()]
        phase, call = read_event(event.payload)
        assert call.call_session_id == session_id
        assert (phase, call.observed) == (Phase.TIMED_OUT, True)  # the trigger polled until the deadline

    deadline = time.time() + SECONDS
    await asyncio.gather(*map(wait, session_ids))


def requests_a_minute(exchange: ExchangeProcess, session_ids: list[int]) -> float:
    """Return how many polls per minute the sensors of these calls send, from the first to the last poll.

    A fixed time window would cut off a part of an interval at its ends.
    """
    before = len(exchange.request_times("list.calls"))
    asyncio.run(deferred(session_ids))
    times = exchange.request_times("list.calls")[before:]
    return (len(times) - 1) / (times[-1] - times[0]) * 60


def measure() -> list[Figure]:
    """Measure the polls per minute of one sensor and of 200 sensors, and the ratio of the two."""
    with exchange_process() as exchange:
        calls = exchange.receive(MANY)
        requests_a_minute(exchange, calls[:1])  # imports
        rates: dict[int, list[float]] = {1: [], MANY: []}
        for _ in range(ROUNDS):
            for number, measured in rates.items():
                measured.append(requests_a_minute(exchange, calls[:number]))
    one, many = median(rates[1]), median(rates[MANY])
    return [
        Figure(f"list.calls a minute, 1 deferred sensor, interval {INTERVAL:g} s", one),
        Figure(f"list.calls a minute, {MANY} deferred sensors, interval {INTERVAL:g} s", many),
        Figure(f"list.calls a minute: {MANY} sensors / 1 sensor", many / one, at_least=0.9, at_most=1.1),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
