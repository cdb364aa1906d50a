"""Prevents a retry that has become another kind of task from calling the people of the earlier tries."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY
from airflow_provider_callapi.calls.single_call.calls_in_task import CALLS_KEY
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.task_context.facts import TaskFacts
from airflow_provider_callapi.task_context.state_keys import IDENTITY_KEY

_KINDS: Mapping[str, str] = {
    RECORD_KEY: "a start operator",
    CALLS_KEY: "a function that calls place_call",
    IDENTITY_KEY: "a campaign",
}
"""Key in the task state → the kind of task that stores its calls under this key."""


def refuse_another_kind(facts: TaskFacts, own_key: str) -> None:
    """Raise an error if the earlier tries of a task were another kind of task, and may have called people.

    The author may change the DAG file between two tries. Each kind of task finds only its own records.

    :param facts: the facts of the running try.
    :param own_key: the key of the running task's own records in the task state.
    :raises CallApiFailure: the task state has the records of another kind, and none of this kind.
    """
    if facts.state is None or facts.try_number == 1 or facts.state.get(own_key) is not None:
        return
    for key, kind in _KINDS.items():
        if facts.state.get(key) is not None:
            raise CallApiFailure(
                f"In an earlier try, this task was {kind}, and may have called people. Start another DAG "
                "run. This try placed no call."
            )
