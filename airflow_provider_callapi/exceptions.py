"""What a task fails with. Airflow decides by the class whether to try again.

::

    AirflowFailException (never retried)
    ├── ConnectionSettingsInvalid    the connection is filled in wrongly
    ├── CallApiFailure               a retry would fail the same: refused, or a parameter or limit of yours
    ├── CallUnresolved               nobody knows whether it was done; a person has to look
    ├── CallTooLate                  the run is older than the task allows calls to be
    └── CallOutcomeUnknown           the call is over, and what was required of it cannot be known
    AirflowException (retried as the task says)
    ├── CallNotAnswered              an answer was required; the retry calls again
    ├── CallUnresolvedForNow         as CallUnresolved, where delivery is at_least_once
    ├── CallStillActive              the time was up before the call was over
    └── CallApiTrouble               a later try may succeed: the service, a storage, a database was away
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_callapi.api.errors import CallApiError


class ConnectionSettingsInvalid(AirflowFailException):
    """A field of the Airflow connection cannot be used; the text names it."""


class CallApiFailure(AirflowFailException):
    """A retry would fail the same way: the service refuses, a parameter cannot be used, a limit that the
    author has set is passed (``fail_if_…``).
    """


class CallUnresolved(AirflowFailException):
    """The request left and no answer came: it may have been carried out. Never retried."""


class CallTooLate(AirflowFailException):
    """The run is older than ``max_lateness``: its people are not called."""


class CallNotAnswered(AirflowException):
    """The contact did not pick up, says the Data API. A retry of the task is a decision to call again."""


class CallUnresolvedForNow(AirflowException):
    """Nobody knows whether the call was placed, and ``at_least_once`` lets the retry place another."""


class CallOutcomeUnknown(AirflowFailException):
    """The call is over, and whether it was answered (or took place at all) cannot be known."""


class CallStillActive(AirflowException):
    """The time to wait was up while the call was still active."""


class CallApiTrouble(AirflowException):
    """A later try may succeed: the service did not answer many times in a row, a storage or a database was
    away, or the task was killed.
    """


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn an error that a retry would only repeat into one that is not retried, and says what to do."""
    try:
        yield
    except CallApiError as error:
        if error.permanent:
            raise CallApiFailure(with_advice(error)) from None
        raise


def with_advice(error: CallApiError) -> str:
    """What to do about an error, and what it says."""
    # DAG files are parsed all day, and import this module
    from airflow_provider_callapi.api.advice import advice  # noqa: PLC0415
    from airflow_provider_callapi.api.data_api import DATA_METHODS  # noqa: PLC0415

    service = "Data API" if error.method in DATA_METHODS else "Call API"
    return advice(error, service=service, host=f"{service} host")
