"""Recognises the DAG runs that the command ``airflow tasks test`` creates for the test of one task."""

from __future__ import annotations

from airflow_provider_callapi.exceptions import CallApiFailure

_PREFIX = "__airflow_temporary_run_"
"""The beginning of the run ids of these DAG runs."""


def is_test_of_another_task(run_id: str) -> bool:
    """Return whether a DAG run exists only because ``airflow tasks test`` tests another task of the DAG.

    Airflow stores such a run like every other run. So a running scheduler starts all other tasks of the DAG,
    and these would call people about whom no user has asked. Airflow deletes the run after the test, with the
    records of the calls. The command itself executes the tested task in its own process.
    """
    if not run_id.startswith(_PREFIX):
        return False
    from airflow.sdk.execution_time import task_runner  # noqa: PLC0415 - parse time

    # Airflow has no public sign for the process of the command.
    return type(getattr(task_runner, "SUPERVISOR_COMMS", None)).__name__ != "InProcessSupervisorComms"


def refuse_test_of_another_task(run_id: str) -> None:
    """Raise an error in a DAG run that exists only for the test of another task.

    :raises CallApiFailure: see `is_test_of_another_task`. This try placed no call.
    """
    if is_test_of_another_task(run_id):
        raise CallApiFailure(
            "This DAG run exists only because `airflow tasks test` tests another task of the DAG, and a "
            "running scheduler starts the others, too. This try placed no call, and no request was sent. "
            "Pause the DAG before such a test"
        )
