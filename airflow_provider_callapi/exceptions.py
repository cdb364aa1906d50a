"""Exceptions that a task raises. Airflow decides by the class whether it retries the task.

::

    AirflowFailException (never retried)
    ├── ConnectionSettingsInvalid    a field of the connection is invalid
    ├── CallApiFailure               a retry would fail the same way: refused, invalid, or a limit of the task
    ├── CallUnresolved               the call may have been placed; check manually
    ├── CallTooLate                  the run is too old for calls
    └── CallOutcomeUnknown           the call ended, and whether it was answered is unknown
    AirflowException (retried up to the task's retries)
    ├── CallNotAnswered              the contact did not answer; the retry calls again
    ├── CallUnresolvedForNow         like CallUnresolved, with delivery at_least_once
    ├── CallStillActive              the call was still active at the timeout
    └── CallApiTrouble               a later try may succeed: service, storage or database failed
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_callapi.api.errors import CallApiError


class ConnectionSettingsInvalid(AirflowFailException):
    """A field of the Airflow connection is invalid. The text names the field."""


class CallApiFailure(AirflowFailException):
    """A retry of the task would fail the same way.

    The service refuses the request, a parameter is invalid, or the task exceeds a limit (``fail_if_…``).
    """


class CallUnresolved(AirflowFailException):
    """The start request was sent and no answer came back: the call may have been placed. Never retried."""


class CallTooLate(AirflowFailException):
    """The DAG run is older than ``max_lateness``, so the task places no calls."""


class CallNotAnswered(AirflowException):
    """The Data API reports that the contact did not answer. A retry of the task calls the contact again."""


class CallUnresolvedForNow(AirflowException):
    """The call may have been placed. With ``delivery="at_least_once"``, a retry may place a second call."""


class CallOutcomeUnknown(AirflowFailException):
    """The call has ended, and it is unknown whether the contact answered or whether the call took place."""


class CallStillActive(AirflowException):
    """The call was still active when the task's timeout was up."""


class CallApiTrouble(AirflowException):
    """A later try of the task may succeed.

    The service failed many times in a row, a storage or a database was unavailable, or the task was killed.
    """


@contextmanager
def translate_errors() -> Iterator[None]:
    """Convert permanent API errors into `CallApiFailure`, which is never retried, and add advice."""
    try:
        yield
    except CallApiError as error:
        if error.permanent:
            raise CallApiFailure(with_advice(error)) from None
        raise


def with_advice(error: CallApiError) -> str:
    """Return the text of an API error, with advice for the person who maintains the connection."""
    # DAG files import this module and are parsed often
    from airflow_provider_callapi.api.advice import advice  # noqa: PLC0415
    from airflow_provider_callapi.api.data_api import DATA_METHODS  # noqa: PLC0415

    service = "Data API" if error.method in DATA_METHODS else "Call API"
    return advice(error, service=service, host=f"{service} host")
