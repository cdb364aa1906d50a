"""The exceptions with which a task fails. The base class decides whether Airflow retries the task.

::

    AirflowFailException (never retried)
    ├── ConnectionSettingsInvalid    a field of the connection is invalid
    ├── CallApiFailure               a retry would fail the same way: refused, invalid, or a limit of the task
    │   └── InvalidParameter         a parameter of the DAG file is not allowed; also a ValueError
    ├── CallUnresolved               the call may have been placed; check manually
    ├── CallTooLate                  the run is too old for calls
    └── CallOutcomeUnknown           the call ended, and whether it was answered is unknown
    AirflowException (retried up to the task's retries)
    ├── CallNotAnswered              the contact did not answer; the retry calls again
    ├── CallUnresolvedForNow         like CallUnresolved, with delivery at_least_once
    ├── CallStillActive              the call was still active at the timeout
    └── CallApiTrouble               a later try may succeed: service, storage or database failed

A limit of the task is, for example, the parameter ``fail_if_unreached_over`` of a campaign.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_callapi.api.errors import CallApiError, NotSent
from airflow_provider_callapi.api.values.masking import mask_phones


class ConnectionSettingsInvalid(AirflowFailException):
    """A field of the Airflow connection is invalid. The error message names the field."""


class CallApiFailure(AirflowFailException):
    """The task failed, and a retry would fail for the same reason.

    Examples: the service refuses the request, a parameter is invalid, or a campaign exceeds a ``fail_if_…``
    limit.
    """


class InvalidParameter(CallApiFailure, ValueError):
    """The value of a parameter is not allowed.

    The error message names the parameter. Most messages do not contain the value.

    An operator's constructor raises this error while Airflow reads the DAG file. In a mapped task, the worker
    calls the constructor, and Airflow does not retry the task after this error.

    :param message: what is wrong. The exception shortens phone numbers in the message: the message may
        contain a value, and an author may have given a phone number to the wrong parameter.
    """

    def __init__(self, message: str) -> None:
        super().__init__(mask_phones(message))


class CallUnresolved(AirflowFailException):
    """A request got no usable answer, and the service may have carried out the request.

    Airflow never retries the task. Example: a start request got no answer, and the search did not find the
    call.
    """


class CallTooLate(AirflowFailException):
    """The DAG run was due more than ``max_lateness`` ago, so the task places no calls.

    The task also fails with this error if the calling hours open more than ``max_lateness`` after the run was
    due.
    """


class CallNotAnswered(AirflowException):
    """The Data API reports that the contact did not answer. A retry of the task calls the contact again."""


class CallUnresolvedForNow(AirflowException):
    """A start request got no usable answer, and the operator has ``delivery="at_least_once"``.

    The call may have been placed. Airflow retries the task, and the retry may place a second call.
    """


class CallOutcomeUnknown(AirflowFailException):
    """The call is over, but it is unknown whether the contact answered.

    It may also be unknown whether the phone rang. Airflow never retries the task.
    """


class CallStillActive(AirflowException):
    """The call was still active when the task's timeout was up.

    A retry of the task waits for the same call again, and places no new call.
    """


class CallApiTrouble(AirflowException):
    """The task failed, and a later try may succeed.

    Examples: the service failed many times in a row, a storage or a database was unavailable, or the task was
    killed.
    """


def unresolved_call(error: Exception, *, may_dial_again: bool) -> CallUnresolved | CallUnresolvedForNow:
    """Return the exception for a task whose call may have been placed, but cannot be found.

    - With ``may_dial_again``: `CallUnresolvedForNow`. Airflow retries the task.
    - Otherwise: `CallUnresolved`. Airflow does not retry the task.

    :param error: the error whose message the new exception gets.
    :param may_dial_again: whether the DAG author accepts that a retry places a second call.
    """
    return (CallUnresolvedForNow if may_dial_again else CallUnresolved)(str(error))


@contextmanager
def translate_errors() -> Iterator[None]:
    """Convert permanent API errors of the ``with`` block into `CallApiFailure`, which Airflow never retries.

    The error message of the `CallApiFailure` also contains advice, e.g. which field of the connection to
    correct. So does the message of a `NotSent` error, which keeps its class: a wrong host is such an error.
    Other errors pass unchanged.
    """
    try:
        yield
    except CallApiError as error:
        if error.permanent:
            raise CallApiFailure(with_advice(error)) from None
        if isinstance(error, NotSent) and (text := _advice_only(error)) not in str(error):
            error.args = (f"{error.args[0]}. {text}",)
        raise


def with_advice(error: CallApiError) -> str:
    """Return one text: the message of an API error, and advice on what a user should do about the error.

    If only the Data API has the request's method, the advice names the Data API. Otherwise, the advice names
    the Call API, also for ``login.user``, a method of both services.

    :param error: the error of the request.
    """
    from airflow_provider_callapi.api.advice import advice  # noqa: PLC0415 - parse time

    return advice(error, service=_service_of(error))


def _advice_only(error: CallApiError) -> str:
    from airflow_provider_callapi.api.advice import advice_only  # noqa: PLC0415 - parse time

    return advice_only(error, service=_service_of(error))


def _service_of(error: CallApiError) -> str:
    from airflow_provider_callapi.api.data_api import DATA_METHODS  # noqa: PLC0415 - parse time

    return "Data API" if error.method in DATA_METHODS else "Call API"
