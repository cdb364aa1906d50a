"""Reads the ids, the number and the time limits of a task's try from Airflow's task context."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Self

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.deployment import Deployment
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.task_context.mapped_task import MappedTask
from airflow_provider_callapi.task_context.regrouped_task import find_removed_task
from airflow_provider_callapi.task_context.start_mark import StartMark
from airflow_provider_callapi.task_context.task_state import TaskState
from airflow_provider_callapi.task_context.temporary_run import refuse_test_of_another_task

_BEGUN_KEY = "callapi_begun"
"""The key in task state that a task sets in its first try, if Airflow deletes the state of successful tasks.

If the key is missing in a later try, Airflow has deleted the state.
"""
DELETED_STATE = (
    "Airflow has deleted the record of the people whom this task has called, because [state_store] "
    "clear_on_success is set. To call the people again, start a new DAG run"
)


@dataclass(frozen=True)
class TaskFacts:
    """What Airflow's task context shows of one try of one task: ids, counts and time limits.

    Times are epoch seconds.

    :ivar owner: dag id, run id, task id and map index (``"-1"``: not mapped). All tries have the same owner.
    :ivar max_tries: Airflow's ``max_tries``. A clear sets it to the number of tries plus ``retries``; a retry
        does not change it.
    :ivar retries: the task's ``retries`` in the DAG file of this try.
    :ivar try_number: the number of the try; the first try is 1.
    :ivar run_after: when the DAG run was due. None: not known.
    :ivar execution_deadline: when ``execution_timeout`` of the try ends. A deferral does not move it. None:
        no deadline.
    :ivar state: Airflow's key-value store of the task. None: Airflow is older than 3.3.
    :ivar deployment: the name and the secret keys of this Airflow deployment, from which ids and hashes are
        derived.
    :ivar start_mark: the message of earlier tries without task state that they may have placed a call.
    :ivar run_clears: how often users have cleared tasks of the DAG run. Airflow does not count a clear
        through its REST API with ``reset_dag_runs=false``.
    :ivar was_cleared: whether a user has cleared this task instance.
    :ivar mapped: access to the other map indexes of the task. None: the task is not mapped.
    :ivar removed_task: a function that returns the id of the removed task that this task was before it was
        moved into a task group, see `find_removed_task`.
    """

    owner: tuple[str, str, str, str]
    max_tries: int
    retries: int
    try_number: int
    run_after: float | None
    execution_deadline: float | None
    state: TaskState | None
    deployment: Deployment
    start_mark: StartMark
    run_clears: int = 0
    was_cleared: bool = False
    mapped: MappedTask | None = None
    removed_task: Callable[[], str | None] = lambda: None

    @property
    def clears(self) -> Clears:
        """The facts from which a try finds out whether a user has cleared the task since an earlier try."""
        return Clears(self.max_tries, self.retries, self.run_clears, self.try_number - 1)

    @property
    def cleared_after(self) -> int:
        """The number of the last try before a user cleared the task. 0: there was no clear."""
        return _cleared_after(self.max_tries, self.retries, self.run_clears)

    @property
    def follows_clear(self) -> bool:
        """Whether a user has cleared tasks of the DAG run, as far as Airflow shows."""
        return bool(self.run_clears) or self.was_cleared

    @classmethod
    def of(cls, context: Mapping[str, Any], *, execution_timeout: timedelta | None) -> Self:
        """Read the ids, counts and time limits of the running try from Airflow's task context.

        :param context: Airflow's context of the running task.
        :param execution_timeout: the task's ``execution_timeout``. None: the task has no such timeout.
        """
        ti = context["ti"]
        run_after = getattr(context.get("dag_run"), "run_after", None)
        retries = getattr(context.get("task"), "retries", 0)
        map_index = -1 if ti.map_index is None else ti.map_index
        run_clears = getattr(context.get("dag_run"), "clear_number", None) or 0
        return cls(
            owner=(ti.dag_id, ti.run_id, ti.task_id, str(map_index)),
            max_tries=ti.max_tries,
            retries=retries,
            try_number=ti.try_number,
            run_after=None if run_after is None else run_after.timestamp(),
            execution_deadline=execution_deadline(ti, execution_timeout),
            state=TaskState.of(context),
            deployment=read_deployment(),
            run_clears=run_clears,
            was_cleared=ti.max_tries > retries and ti.try_number > 1,  # a policy may change max_tries, too
            mapped=MappedTask.of(context),
            start_mark=StartMark(
                ti.xcom_push,
                _left_keys(ti),
                try_number=ti.try_number,
                cleared_after=_cleared_after(ti.max_tries, retries, run_clears),
                is_resumed=next_method_of(ti) is not None,
            ),
            removed_task=partial(find_removed_task, ti),
        )


def execution_deadline(ti: Any, execution_timeout: timedelta | None) -> float | None:
    """Return when the ``execution_timeout`` of a try ends, in epoch seconds.

    Before the first deferral, the time counts from now, as Airflow counts it: Airflow has parsed the DAG file
    since the start of the try, and this does not count. After a deferral, the time counts from the start of
    the try, because nothing else is known.

    :param ti: the task instance in Airflow's context.
    :param execution_timeout: the task's ``execution_timeout``. None: the task has no such timeout.
    :return: the time. None: the task has no such timeout, or the start of the try is not known.
    """
    if execution_timeout is None or ti.start_date is None:
        return None
    begun_at = system_clock.now() if next_method_of(ti) is None else ti.start_date.timestamp()
    return float(begun_at + execution_timeout.total_seconds())


def next_method_of(ti: Any) -> str | None:
    """Return the method with which Airflow resumes a deferred task. None: the task was not deferred."""
    method: str | None = _from_server(ti, "next_method")
    return method


def _left_keys(ti: Any) -> Collection[str]:
    """Return the keys of the XComs that earlier tries have left. In a resumed try, there are none."""
    return _from_server(ti, "xcom_keys_to_clear") or ()


def _from_server(ti: Any, name: str) -> Any:
    """Return what Airflow's API server has told the try at its begin, or None."""
    # Airflow has no public attribute for this.
    return getattr(getattr(ti, "_ti_context_from_server", None), name, None)


def _cleared_after(max_tries: int, retries: int, run_clears: int) -> int:
    # A clear by a user raises max_tries. Without a clear in the DAG run, each later try is a retry, even if
    # the DAG file now has other retries.
    return max_tries - retries if run_clears else 0


def lost_its_state(facts: TaskFacts) -> bool:
    """Return whether Airflow has deleted the task's state, and with it the record of the task's calls.

    Airflow's option ``[state_store] clear_on_success`` deletes the state when the task succeeds. If a user
    then clears the task, the new try does not know whom the task has called.

    Call this function at the beginning of each try. In the first try, the function stores a flag in the task
    state. If the flag is missing in a later try after a clear, Airflow has deleted the state.

    :param facts: the facts of the running try.
    :return: True: the state was deleted, so earlier tries may have called people. False: no record is lost,
        or this Airflow has no task state.
    """
    if facts.state is None or not conf.getboolean("state_store", "clear_on_success", fallback=False):
        return False
    if facts.state.get(_BEGUN_KEY):
        return False
    if facts.follows_clear and facts.try_number > 1:
        return True
    facts.state.set(_BEGUN_KEY, True)
    return False


def refuse_regrouped_task(facts: TaskFacts) -> None:
    """Raise an error if the task may be a removed task of the DAG run that has called people.

    Call this function before the first call of a task that has no record of a call.

    :raises CallApiFailure: the task was moved into a task group after the DAG run had begun.
    """
    if removed := facts.removed_task():
        raise CallApiFailure(
            f"Task {removed} was moved into a task group of the DAG file during this DAG run. It may have "
            f"called people, and task {facts.owner[2]}, which places no call, does not know whom. To call "
            "these people, start a new DAG run"
        )


def refuse_another_task(context: Mapping[str, Any], operator: BaseOperator) -> None:
    """Raise an error if an operator runs inside another task, for example in a ``@task`` function.

    Several operators in one task would overwrite each other's records of calls. A retry would then call
    people a second time.

    :param context: Airflow's context of the running task.
    :param operator: the operator. Its class is compared, too, because an operator inside another task may
        have the id of that task.
    :raises CallApiFailure: the running task is not the operator's task. This try placed no call.
    :raises CallApiFailure: the DAG run exists only for the test of another task. This try placed no call.
    """
    if "ti" not in context:
        raise CallApiFailure(
            f"Operator {operator.task_id} is executed without the context of a running task. Make the "
            "operator a task of its own. This try placed no call, and no request was sent."
        )
    refuse_test_of_another_task(context["ti"].run_id)
    running, task = context["ti"].task_id, context.get("task")
    # Airflow may execute a copy of the task in the context, so the two may be different objects.
    is_other = isinstance(task, BaseOperator) and type(task) is not type(operator)
    if running != operator.task_id or is_other:
        raise CallApiFailure(
            f"Operator {operator.task_id} is executed inside task {running}, which has only one journal. "
            "Make the operator a task of its own; for several people, map the operator with "
            "expand(contact=[…]). This try placed no call, and no request was sent."
        )
