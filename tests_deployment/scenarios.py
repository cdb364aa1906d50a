"""The kill matrix: events that disturb a task with a call, and the expected effects.

A scenario is a DAG with one task, a person with one phone, and steps that the suite takes one after the
other. All scenarios run at once in one deployment.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deployment import HEARTBEAT_TIMEOUT, Deployment, eventually, seconds_of
from measured_rows import Row

PATIENCE = 150.0
"""The seconds that a loaded machine may need for one step. No measured limit depends on this value."""
RELEASE = 10.0
"""The seconds within which a call is released. A call that is active after this time is not released."""


@dataclass
class Play:
    """A running scenario.

    :ivar since: the time of the kill, mark or clear, in epoch seconds.
    """

    deployment: Deployment
    scenario: Scenario
    since: float = 0.0

    @property
    def name(self) -> str:
        return self.scenario.name

    def task(self) -> dict[str, Any]:
        (task,) = self.deployment.tasks(self.name)
        return task

    def lines(self) -> list[str]:
        return [line for lines in self.deployment.log(self.name).values() for line in lines]

    def call(self) -> dict[str, Any]:
        call = self.deployment.exchange.call_to(self.scenario.contact)
        assert call is not None, f"there is no call to {self.scenario.contact}"
        return call

    def await_log(self, text: str) -> None:
        eventually(
            f"{self.name}: the log contains {text!r}",
            lambda: any(text in line for line in self.lines()),
            within=PATIENCE,
        )

    def await_end(self) -> dict[str, Any]:
        eventually(f"{self.name} ends", lambda: self.deployment.has_ended(self.name), within=PATIENCE)
        return self.task()


Step = Callable[[Play], None]


@dataclass(frozen=True)
class Scenario:
    """One line of the matrix.

    :ivar options: the parameters of the Airflow operator.
    :ivar rings: the expected number of rings.
    :ivar state: the expected final state of the task.
    :ivar logged: texts that the log must contain, in any order. The table shows these lines.
    :ivar tries: the expected number of the task's last try, without the tries that Airflow itself has lost,
        see :meth:`deployment.Deployment.lost_tries`.
    :ivar script: the person's behaviour, see ``emulator.Script``. The default talk lasts until ``hang_up``.
    :ivar within: the seconds that the scenario may take; None means no limit.
    :ivar answered: the expected ``answered`` of the result; None means that the suite does not check it.
    """

    name: str
    title: str
    number: int
    options: dict[str, Any]
    steps: tuple[Step, ...]
    rings: int
    state: str
    logged: tuple[str, ...]
    tries: int
    script: dict[str, Any] = field(default_factory=lambda: {"rings": 1.0, "talks": None})
    within: float | None = None
    answered: bool | None = None

    @property
    def contact(self) -> str:
        return f"7909000{self.number:04}"

    def play(self, deployment: Deployment) -> Row:
        """Run the DAG, take the steps, check the effects, and return the measured row."""
        play = Play(deployment, self)
        deployment.exchange.script([self.contact], **self.script)
        deployment.run(self.name)
        for step in self.steps:
            step(play)
        task = play.await_end()
        rings, lines = deployment.exchange.rings(self.contact), play.lines()
        story = f"rings: {rings}, state: {task['state']}, try: {task['try_number']}, log:\n" + "\n".join(
            lines
        )
        for text in self.logged:
            assert any(text in line for line in lines), f"the log does not contain {text!r}; {story}"
        assert rings == self.rings, story
        tries = self.tries + deployment.lost_tries(self.name)
        assert (task["state"], task["try_number"]) == (self.state, tries), story
        if self.answered is not None:
            result = deployment.result(self.name)
            assert result["answered"] is self.answered, f"{result}; {story}"
        seconds = seconds_of(task["end_date"]) - play.since
        if self.within:
            assert seconds < self.within, f"it took {seconds:.1f} s; {story}"
        return Row(self.title, str(rings), self.state, matching_lines(lines, self.logged), seconds)


def matching_lines(lines: list[str], texts: tuple[str, ...]) -> str:
    """Return the lines that contain these texts, each line once, without the masked phone numbers."""
    found = [line for line in lines if any(text in line for text in texts)]
    noise = r"start\.\w+ to \S+: |Task failed with exception: "
    short = [re.sub(r"(?<=af-)[0-9a-f]+(?=-)", "…", re.sub(noise, "", line)) for line in found]
    return " / ".join(dict.fromkeys(short))


# --- steps ---


def killed(play: Play) -> None:
    """Wait until the worker has killed or frozen itself at the configured point."""
    kill = eventually(
        f"{play.name}: the worker is killed", lambda: play.deployment.kill_of(play.name), within=PATIENCE
    )
    play.since = kill["at"]


def thaw(play: Play) -> None:
    """Let the frozen worker continue, and wait long enough for any harm that it does."""
    kill = play.deployment.kill_of(play.name)
    assert kill is not None
    for pid in kill["pids"]:
        os.kill(pid, signal.SIGCONT)
    time.sleep(RELEASE)


def logged(text: str) -> Step:
    """Return a step that waits until the log contains the text."""
    return lambda play: play.await_log(text)


def hang_up(play: Play) -> None:
    """Let the person hang up after the waiting task has polled once or twice."""
    time.sleep(3)
    play.deployment.exchange.hang_up(play.scenario.contact)


def failed(play: Play) -> None:
    """Wait until the task and its run have failed.

    The step also waits for the run, because Airflow loses a clear that comes while the scheduler ends a run.
    """
    assert play.await_end()["state"] == "failed"
    eventually(
        f"{play.name}: the run fails",
        lambda: play.deployment.run_state(play.name) == "failed",
        within=PATIENCE,
    )


def deferred(play: Play) -> None:
    """Wait until the task waits in the triggerer and the person talks."""
    eventually(
        f"{play.name} waits in the triggerer",
        lambda: not set(play.deployment.waits(play.name)) <= {None},
        within=PATIENCE,
    )
    talking(play)
    # the trigger is assigned to the triggerer, whose child process asks for new triggers every second
    time.sleep(3)


def talking(play: Play) -> None:
    """Wait until the person has answered."""
    eventually(
        f"{play.name}: the person answers",
        lambda: (play.deployment.exchange.call_to(play.scenario.contact) or {}).get("answered_at"),
        within=PATIENCE,
    )


def mark(state: str) -> Step:
    """Return a step in which a user marks the task."""

    def step(play: Play) -> None:
        play.since = time.time()
        play.deployment.mark(play.name, state)

    return step


def clear(play: Play) -> None:
    """Clear the task, as a person does."""
    play.since = time.time()
    play.deployment.clear(play.name)


def released(play: Play) -> None:
    """Wait until the call is released."""
    eventually(f"{play.name}: the call is released", lambda: play.call()["ended_at"], within=3 * RELEASE)


def left_alone(play: Play) -> None:
    """Check that the call is still active after a long time, then end it."""
    time.sleep(RELEASE)
    assert play.call()["ended_at"] is None, "the call was released"
    play.deployment.exchange.hang_up(play.scenario.contact)


def timed(play: Play) -> None:
    """Wait until the task begins, and measure from its begin."""
    task = eventually(f"{play.name} begins", lambda: (t := play.task())["start_date"] and t, within=PATIENCE)
    play.since = seconds_of(task["start_date"])


def ended(play: Play) -> None:
    """Wait until the task has ended."""
    play.await_end()


# --- the matrix ---

DEFERRED: dict[str, Any] = {"deferrable": True, "retries": 2}
AFTER_A_CLEAR = (
    "An earlier search did not find the call, and a user has cleared this task: placing a new call"
)
GO_ON = "An earlier try placed the call: continuing with the call, without dialling"
SEARCH = "An earlier try may have placed the call: searching for the call"
FOUND = "by its external_id: it was placed"
UNRESOLVED = "so it is not placed again"
TIME_IS_UP = "execution_timeout is up"
TALKS_SHORTLY = {"rings": 1.0, "talks": 1.0}
EXECUTION_TIMEOUT = 20
LATE = EXECUTION_TIMEOUT + 25
"""The latest end of a task on a loaded machine: 1 s for the poll, the rest until a worker has the event."""

_WORKER = (
    Scenario(
        "intent_stored",
        "worker killed after the intent was stored",
        1,
        {"dies_at": "intent stored"},
        (killed,),
        0,
        "failed",
        (SEARCH, UNRESOLVED),
        2,
    ),
    Scenario(
        "intent_cleared",
        "worker killed after the intent was stored; then a user clears the task",
        2,
        {"dies_at": "intent stored"},
        (killed, failed, clear, logged(AFTER_A_CLEAR)),
        1,
        "success",
        (UNRESOLVED, AFTER_A_CLEAR),
        3,
        TALKS_SHORTLY,
        answered=True,
    ),
    Scenario(
        "intent_at_least_once",
        "worker killed after the intent was stored, delivery=at_least_once",
        3,
        {"dies_at": "intent stored", "delivery": "at_least_once"},
        (killed,),
        1,
        "success",
        (SEARCH, "delivery is at_least_once"),
        2,
        TALKS_SHORTLY,
        answered=True,
    ),
    Scenario(
        "request_left",
        "worker killed after the request left, before it read the answer",
        4,
        {"dies_at": "request left"},
        (killed, logged(FOUND), hang_up),
        1,
        "success",
        (SEARCH, FOUND),
        2,
        answered=True,
    ),
    Scenario(
        "request_left_over",
        "worker killed after the request left, before it read the answer; the call ends before the retry, "
        "Data API",
        5,
        {"dies_at": "request left"},
        (killed,),
        1,
        "success",
        (SEARCH, FOUND),
        2,
        TALKS_SHORTLY,
        answered=True,
    ),
    Scenario(
        "request_left_unknown",
        "worker killed after the request left, before it read the answer; the call ends before the retry, "
        "no Data API",
        6,
        {"dies_at": "request left", "callapi_conn_id": "callapi_alone"},
        (killed,),
        1,
        "failed",
        (SEARCH, UNRESOLVED),
        2,
        TALKS_SHORTLY,
    ),
    Scenario(
        "answer_read",
        "worker killed after the answer, before it was stored",
        7,
        {"dies_at": "answer read", "callapi_conn_id": "callapi_alone"},
        (killed, logged(FOUND), hang_up),
        1,
        "success",
        (SEARCH, FOUND),
        2,
        answered=True,
    ),
    Scenario(
        "answer_stored",
        "worker killed after the answer was stored",
        8,
        {"dies_at": "answer stored"},
        (killed, logged(GO_ON), hang_up),
        1,
        "success",
        (GO_ON,),
        2,
        answered=True,
    ),
    Scenario(
        "started_only",
        "worker killed after the answer was stored, wait_for_completion=False",
        9,
        {"dies_at": "answer stored", "wait_for_completion": False},
        (killed,),
        1,
        "success",
        (GO_ON,),
        2,
        TALKS_SHORTLY,
    ),
    Scenario(
        "waiting",
        "worker killed while it waits",
        10,
        {"dies_at": "waiting"},
        (killed, logged(GO_ON), hang_up),
        1,
        "success",
        (GO_ON,),
        2,
        answered=True,
    ),
    Scenario(
        "waiting_task_only",
        "task process alone killed while it waits (out of memory)",
        11,
        {"dies_at": "waiting", "only_task": True},
        (killed, logged(GO_ON), hang_up),
        1,
        "success",
        (GO_ON,),
        2,
        within=HEARTBEAT_TIMEOUT + 30,
        answered=True,
    ),
    Scenario(
        "waiting_not_durable",
        "worker killed while it waits, durable=False",
        12,
        {"dies_at": "waiting", "durable": False, "callapi_conn_id": "callapi_alone"},
        (killed, logged("an earlier try placed it"), hang_up),
        1,
        "success",
        ("an earlier try placed it",),
        2,
        answered=True,
    ),
    Scenario(
        "waiting_not_durable_over",
        "worker killed while it waits, durable=False; the call ends before the retry, no Data API",
        31,
        {"dies_at": "waiting", "durable": False, "callapi_conn_id": "callapi_alone"},
        (killed,),
        1,
        "failed",
        ("CallUnresolved: An earlier try ended, and may have placed the call",),
        2,
        TALKS_SHORTLY,
    ),
    Scenario(
        "event_read",
        "worker killed after the trigger's event",
        13,
        {"dies_at": "event read", "deferrable": True},
        (killed,),
        1,
        "success",
        (GO_ON,),
        2,
        {"rings": 1.0, "talks": 15.0},
        answered=True,
    ),
    Scenario(
        "frozen_before",
        "worker suspended before the intent; resumes after a retry has placed the call",
        14,
        {"dies_at": "nothing stored", "freeze": True},
        (killed, talking, thaw, hang_up),
        1,
        "success",
        ("First attempt: placing the call",),
        2,
        answered=True,
    ),
    Scenario(
        "frozen_after",
        "worker suspended after the intent was stored; resumes after the retry has failed",
        15,
        {"dies_at": "intent stored", "freeze": True},
        (killed, failed, thaw),
        1,
        "failed",
        (SEARCH, UNRESOLVED),
        2,
        TALKS_SHORTLY,
    ),
)

_DEFERRED = (
    Scenario(
        "failed_release",
        "marked failed while deferred, cancel_on_kill=True",
        21,
        {**DEFERRED, "cancel_on_kill": True},
        (deferred, mark("failed"), released, logged("Released call session")),
        1,
        "failed",
        ("Released call session",),
        1,
    ),
    Scenario(
        "failed_leave",
        "marked failed while deferred",
        22,
        DEFERRED,
        (deferred, mark("failed"), left_alone),
        1,
        "failed",
        (),
        1,
    ),
    Scenario(
        "success_release",
        "marked success while deferred, cancel_on_kill=True",
        23,
        {**DEFERRED, "cancel_on_kill": True},
        (deferred, mark("success"), released, logged("Released call session")),
        1,
        "success",
        ("Released call session",),
        1,
    ),
    Scenario(
        "success_leave",
        "marked success while deferred",
        24,
        DEFERRED,
        (deferred, mark("success"), left_alone),
        1,
        "success",
        (),
        1,
    ),
    Scenario(
        "clear_leave",
        "cleared while deferred",
        25,
        DEFERRED,
        (deferred, clear, logged(GO_ON), left_alone),
        1,
        "success",
        (GO_ON,),
        2,
        answered=True,
    ),
    Scenario(
        "clear_release",
        "cleared while deferred, cancel_on_kill=True",
        26,
        {**DEFERRED, "cancel_on_kill": True},
        (deferred, clear, released, logged(GO_ON)),
        1,
        "success",
        ("Released call session", GO_ON),
        2,
        answered=True,
    ),
    Scenario(
        "running_release",
        "marked failed while the worker waits, cancel_on_kill=True",
        27,
        {"cancel_on_kill": True, "retries": 2},
        (talking, mark("failed"), released, logged("Releasing call session")),
        1,
        "failed",
        ("Releasing call session",),
        1,
    ),
    Scenario(
        "timeout_leave",
        f"execution_timeout of {EXECUTION_TIMEOUT} s while deferred",
        28,
        {**DEFERRED, "retries": 0, "execution_timeout": EXECUTION_TIMEOUT},
        (timed, ended, left_alone),
        1,
        "failed",
        (TIME_IS_UP,),
        1,
        within=LATE,
    ),
    Scenario(
        "timeout_release",
        f"execution_timeout of {EXECUTION_TIMEOUT} s while deferred, cancel_on_kill=True",
        29,
        {**DEFERRED, "retries": 0, "execution_timeout": EXECUTION_TIMEOUT, "cancel_on_kill": True},
        (timed, ended, released),
        1,
        "failed",
        ("Releasing call session", TIME_IS_UP),
        1,
        within=LATE,
    ),
    Scenario(
        "timeout_retry",
        f"execution_timeout of {EXECUTION_TIMEOUT} s while deferred, with a retry",
        30,
        {**DEFERRED, "retries": 1, "execution_timeout": EXECUTION_TIMEOUT},
        (timed, logged(TIME_IS_UP), logged(GO_ON), hang_up),
        1,
        "success",
        (TIME_IS_UP, GO_ON),
        2,
        answered=True,
    ),
)

SCENARIOS = _WORKER + _DEFERRED
TWENTY = {
    name: [f"79091{place}{number:05}" for number in range(20)]
    for place, name in enumerate(("triggerer_sigterm", "triggerer_sigkill"))
}
"""DAG id → the contacts of twenty mapped calls that wait in a triggerer before the test ends it."""

ALL: dict[str, Any] = {
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Здравствуйте!"},
    "wait_for_completion": True,
    "deferrable": False,
    "poll_interval": 1.0,
    "appear_timeout": 20.0,
    "report_timeout": 30.0,
    "retries": 3,
    "retry_delay": 1.0,
}


def dags() -> dict[str, dict[str, Any]]:
    """Return DAG id → the options of its task."""
    singles = {
        scenario.name: {**ALL, "contact": scenario.contact, **scenario.options} for scenario in SCENARIOS
    }
    twenties = {
        # the end of a triggerer must not end any call, also with cancel_on_kill
        name: {**ALL, **DEFERRED, "contacts": contacts, "cancel_on_kill": True}
        for name, contacts in TWENTY.items()
    }
    return singles | twenties
