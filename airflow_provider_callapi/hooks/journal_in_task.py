"""Open the journal of a call that a Python function in a task places with `CallApiHook.place_call`.

The journal is the stored record of the call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.calls_in_task import CALLS_KEY, CallsInTask, NumberedStore
from airflow_provider_callapi.calls.stores import KeyValueStore, MemoryStore
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.observability.observed_store import ObservedStore
from airflow_provider_callapi.task_context.facts import TaskFacts, lost_its_state, refuse_regrouped_task
from airflow_provider_callapi.task_context.task_kinds import refuse_another_kind
from airflow_provider_callapi.task_context.temporary_run import refuse_test_of_another_task

_stores_without_state: dict[tuple[str, ...], MemoryStore] = {}
"""Task and try → what this process knows of the task's calls, on Airflow without task state."""
_index_lock = Lock()
_call_locks: defaultdict[tuple[str, ...], Lock] = defaultdict(Lock)
"""Task and number of a call → a lock, because the function of a task may place calls in several threads."""


@contextmanager
def open_journal(request: StartCall, context: Mapping[str, Any], *, connection: str) -> Iterator[Journal]:
    """Context manager that yields the stored record (the journal) of the call that a task is about to place.

    A task may call a person several times, with different requests. So each person has numbered journals, one
    for each content of a request. If an earlier try has sent an equal request, ``request`` gets the journal
    of that request. A request with a new content gets the person's next journal. Two equal requests of one
    try get the same journal.

    If another thread uses the same journal, this thread waits.

    :param request: the start request of the call.
    :param context: Airflow's context of the running task.
    :param connection: id of the Airflow connection through which the call is placed.
    :raises CallApiFailure: the task has retries, and this Airflow has no task state. Or the DAG run exists
        only for the test of another task, or the task was moved into a task group during the run.
    """
    facts = TaskFacts.of(context, execution_timeout=None)
    refuse_test_of_another_task(context["ti"].run_id)
    this_try = f"{facts.max_tries}/{facts.try_number}"
    store: KeyValueStore | None = facts.state
    if store is None:
        if context["task"].retries:
            raise CallApiFailure(
                "place_call needs Airflow 3.3 or later in a task with retries, because an earlier Airflow "
                "keeps no record of the call. Set retries=0 of the task. This try placed no call."
            )
        store = _stores_without_state.setdefault((*facts.owner, this_try), MemoryStore())
    refuse_another_kind(facts, CALLS_KEY)
    if store.get(CALLS_KEY) is None:
        refuse_regrouped_task(facts)
    with _index_lock:
        calls = CallsInTask(store, owner=facts.owner, this_try=this_try, deployment=facts.deployment)
        number = calls.number(request)
        lock = _call_locks[*facts.owner, this_try, str(number)]
    with lock:
        yield Journal(
            ObservedStore(NumberedStore(store, number)),
            owner=(*facts.owner, f"call {number}"),
            clears=facts.clears,
            connection=connection,
            deployment=facts.deployment,
            record_is_lost=lost_its_state(facts),
            calls_of_others=partial(calls.sessions_of_others, number),
        )
