"""No kill makes a phone ring twice, and the log shows what the next try does."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

import pytest
from deployment import TRIGGERER_TIMEOUT, Deployment, eventually, seconds_of
from measured_rows import Row
from scenarios import PATIENCE, SCENARIOS, TWENTY

# method=signal: after a timeout, the fixtures must still end their processes
pytestmark = pytest.mark.timeout(400, method="signal")


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_the_call_is_placed_once(
    name: str, plays: dict[str, Future[Row]], measured: Callable[[Row], None]
) -> None:
    measured(plays[name].result())


@pytest.mark.parametrize(
    ("name", "number"),
    [("triggerer_sigterm", signal.SIGTERM), ("triggerer_sigkill", signal.SIGKILL)],
)
def test_twenty_calls_survive_the_end_of_their_triggerer(
    name: str,
    number: signal.Signals,
    deployment: Deployment,
    plays: dict[str, Future[Row]],
    measured: Callable[[Row], None],
) -> None:
    wait(plays.values())  # these scenarios need the triggerer, too
    contacts, exchange = TWENTY[name], deployment.exchange
    exchange.script(contacts, rings=1.0, talks=None)
    deployment.run(name)

    def waiting() -> int:
        return sum(number for job, number in deployment.waits(name).items() if job is not None)

    eventually("twenty calls wait in the triggerer", lambda: waiting() == 20, within=PATIENCE)
    before = set(deployment.waits(name))

    began = time.time()
    took = deployment.end_triggerer(number)
    early, late = contacts[:5], contacts[5:]
    for contact in early:  # while no triggerer polls
        exchange.hang_up(contact)
    deployment.start_triggerer()

    eventually(
        "another triggerer waits for all of them",
        lambda: not {*before, None} & set(deployment.waits(name)),
        within=TRIGGERER_TIMEOUT + 60,
    )
    moved_after = time.time() - began
    ended = [contact for contact in late if exchange.call_to(contact)["ended_at"]]
    assert not ended, "the triggerer's end ended calls"
    for contact in late:
        exchange.hang_up(contact)
    eventually(
        "twenty calls end in success",
        lambda: {state for state, _ in deployment.states(name)} == {"success"},
        within=PATIENCE,
    )
    tasks = deployment.tasks(name)
    assert [task["try_number"] for task in tasks] == [1] * 20
    assert [exchange.rings(contact) for contact in contacts] == [1] * 20
    measured(
        Row(
            f"triggerer ended with {number.name} while 20 tasks wait (5 calls end before another triggerer "
            "runs)",
            "1 each",
            "success × 20",
            f"the triggerer exits after {took:.0f} s, another triggerer runs its triggers after "
            f"{moved_after:.0f} s",
            max(seconds_of(task["end_date"]) for task in tasks) - began,
        )
    )
