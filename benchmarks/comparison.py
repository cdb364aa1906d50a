"""Compare our start operators with DAGs that use other operators, in a real deployment.

Six variants of a DAG (see ``dags/compared.py``) call a list of people and wait for the ends of the calls.
Each variant has an exchange of its own with the same people. The first part measures the cost of waiting: the
variants take turns with long calls. The second part counts the people who are called twice or never: all
variants run at once, and faults hit the first start requests.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import Any

from deploying import Airflow, Run, deployed
from measuring import Figure, show

from airflow_provider_callapi.emulator import Exchange, Fault, Script

CALLS = 12
TALK = 20.0
SLOTS = 24
"""More slots than calls: no task waits for a slot, so the executor's queue does not affect the comparison."""
POLL = 5.0
TIMEOUT = 5.0
FAULTS = {
    "answer lost": Fault.DROP_AFTER,
    "no answer": Fault.HANG,
    "502": Fault.BAD_GATEWAY,
}
FAULTY_CALLS = 4

WAITING: dict[str, dict[str, Any]] = {
    "HttpOperator + HttpSensor": {"variant": "http"},
    # a sensor with a response_check never defers: it waits in the worker
    "… both deferrable=True": {"variant": "http", "deferrable": True},
    "… sensor in mode=reschedule": {"variant": "http", "mode": "reschedule"},
    "PythonOperator, requests in a loop": {"variant": "loop"},
    "ours": {"variant": "ours", "deferrable": False},
    "ours, deferrable": {"variant": "ours", "deferrable": True},
}
OURS = "ours, deferrable"
STARTING: dict[str, dict[str, Any]] = {
    **{name: options for name, options in WAITING.items() if "mode" not in options},
    "ours, at_least_once": {"variant": "ours", "deferrable": False, "delivery": "at_least_once"},
}


@dataclass(frozen=True)
class Waited:
    """What a variant of the DAG costs while it waits for long calls."""

    starts: int
    polls: int
    points: int
    worker_seconds: float
    seconds_late: float

    COLUMNS = ("starts", "list.calls", "points", "worker-seconds", "task ends after call, s")

    @classmethod
    def read(cls, exchange: Exchange, run: Run) -> Waited:
        """Read the figures from the exchange and from Airflow's run."""
        assert {task.state for task in run.tasks} == {"success"}, run.tasks
        ended = {call.contact: call.ended_at for call in exchange.calls if call.ended_at is not None}
        late = [run.ended_at(index) - ended[phone] for index, phone in enumerate(phones(CALLS))]
        return cls(
            exchange.requests("start.informer_call"),
            exchange.requests("list.calls"),
            exchange.account.day_limit - exchange.limits()["day_remaining"],
            run.worker_seconds,
            median(late),
        )

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.starts, self.polls, self.points, self.worker_seconds, self.seconds_late)


@dataclass(frozen=True)
class Faulted:
    """What became of one variant of the DAG whose first start requests failed.

    The figures count the people called more than once, the people never called, and the tasks that succeeded.
    """

    twice: int
    never: int
    ended_well: int

    @classmethod
    def read(cls, exchange: Exchange, run: Run) -> Faulted:
        """Read the figures from the exchange and from Airflow's run."""
        rings = [exchange.rings(phone) for phone in phones(FAULTY_CALLS)]
        failed = {task.map_index for task in run.tasks if task.state != "success"}
        return cls(sum(n > 1 for n in rings), rings.count(0), FAULTY_CALLS - len(failed))

    def __str__(self) -> str:
        return f"{self.twice} / {self.never} / {self.ended_well}"


def phones(number: int) -> list[str]:
    """Return ``number`` different phone numbers of contacts."""
    return [str(79_040_000_000 + i) for i in range(number)]


def new_exchange(talk: float) -> Exchange:
    """Return an exchange whose people answer after a second and talk for ``talk`` seconds."""
    exchange = Exchange()
    exchange.default_script = Script(rings=1.0, talks=talk)
    return exchange


def wait(airflow: Airflow, exchanges: dict[str, Exchange]) -> dict[str, Waited]:
    """Run one variant after the other with long calls. Return name of the variant → cost of waiting."""
    results = {}
    for number, name in enumerate(WAITING):
        dag_id = f"waiting_{number}"
        (run,) = airflow.play(dag_id, within=300).values()
        results[name] = Waited.read(exchanges[dag_id], run)
    return results


def disturb(airflow: Airflow, exchanges: dict[str, Exchange]) -> dict[str, dict[str, Faulted]]:
    """Run all variants at once, each variant once for each fault. A fault hits the first start requests.

    Return name of the variant → name of the fault → what became of the variant.
    """
    for fault in FAULTS.values():
        for number in range(len(STARTING)):
            exchanges[f"{fault.label}_{number}"].fault(
                fault, method="start.informer_call", times=FAULTY_CALLS, seconds=2 * TIMEOUT
            )
    dag_ids = {
        name: {label: f"{fault.label}_{number}" for label, fault in FAULTS.items()}
        for number, name in enumerate(STARTING)
    }
    runs = airflow.play(*(dag_id for ids in dag_ids.values() for dag_id in ids.values()), within=400)
    return {
        name: {label: Faulted.read(exchanges[dag_id], runs[dag_id]) for label, dag_id in ids.items()}
        for name, ids in dag_ids.items()
    }


def print_tables(waited: dict[str, Waited], faulted: dict[str, dict[str, Faulted]]) -> None:
    """Print the figures of all variants, each with its factor relative to our deferrable variant."""
    print(f"\n{CALLS} calls at once, a poll every {POLL:g} s; (× {OURS})")
    print("".join([f"{'':<36}", *(f"{column:>25}" for column in Waited.COLUMNS)]))
    for name, variant in waited.items():
        cells = [
            f"{value:.4g} ({value / our:.3g} ×)"
            for value, our in zip(variant.numbers, waited[OURS].numbers, strict=True)
        ]
        print("".join([f"{name:<36}", *(f"{cell:>25}" for cell in cells)]))
    print(
        f"\nthe first {FAULTY_CALLS} start requests fail, retries=2:"
        f" people called twice or more / never called / tasks that succeeded, of {FAULTY_CALLS}"
    )
    print("".join([f"{'':<36}", *(f"{label:>16}" for label in FAULTS)]))
    for name, results in faulted.items():
        print("".join([f"{name:<36}", *(f"{results[label]!s:>16}" for label in FAULTS)]))
    print(flush=True)


def measure() -> list[Figure]:
    """Run both parts of the comparison, print the tables and return the figures."""
    dags, exchanges = {}, {}
    for number, options in enumerate(WAITING.values()):
        dag_id = f"waiting_{number}"
        dags[dag_id] = {**options, "contacts": phones(CALLS), "conn_id": dag_id, "poll": POLL}
        exchanges[dag_id] = new_exchange(TALK)
    for fault in FAULTS.values():
        for number, options in enumerate(STARTING.values()):
            dag_id = f"{fault.label}_{number}"
            dags[dag_id] = {**options, "contacts": phones(FAULTY_CALLS), "conn_id": dag_id, "poll": 1.0}
            exchanges[dag_id] = new_exchange(10.0)

    with deployed("compared", dags, exchanges, slots=SLOTS, timeout=TIMEOUT) as airflow:
        waited = wait(airflow, exchanges)
        faulted = disturb(airflow, exchanges)
    print_tables(waited, faulted)
    theirs, ours = waited["HttpOperator + HttpSensor"], waited[OURS]
    twice = {name: sum(fault.twice for fault in results.values()) for name, results in faulted.items()}
    return [
        Figure(f"{CALLS} calls: list.calls, HttpSensor / ours, deferrable", theirs.polls / ours.polls),
        Figure(
            f"{CALLS} calls: worker-seconds, HttpSensor / ours, deferrable",
            theirs.worker_seconds / ours.worker_seconds,
        ),
        Figure("start requests fail: people called twice, HttpOperator", twice["HttpOperator + HttpSensor"]),
        Figure(
            "start requests fail: people called twice, ours",
            sum(twice[name] for name in STARTING if name.startswith("ours")),
            at_most=0,
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
