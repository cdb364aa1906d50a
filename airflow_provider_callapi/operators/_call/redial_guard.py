"""Forbid the retry of a failed task, if the retry could not read the record of a placed call.

Such a retry would call the person again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered, CallUnresolvedForNow

_AS_THE_AUTHOR_WANTS = (AirflowFailException, AirflowSkipException, CallNotAnswered, CallUnresolvedForNow)
"""Exceptions that pass: Airflow does not retry the first two, and the author wants a retry of the others."""


@contextmanager
def forbid_redial(describe_call: Callable[[BaseException], str | None]) -> Iterator[None]:
    """Turn an error of the ``with`` block into `CallApiFailure`, so that no retry calls the person again.

    The error stays unchanged in these cases:

    - ``describe_call`` returns None.
    - The class of the error means that a retry is wanted, such as `CallNotAnswered`.
    - The class of the error already prevents a retry, such as `AirflowFailException`.

    :param describe_call: a function that takes the error. If a retry could call the person again, the
        function returns a text about the call, e.g. ``call session 5 was placed``. Otherwise, it returns
        None.
    """
    try:
        yield
    except _AS_THE_AUTHOR_WANTS:
        raise
    except (Exception, AirflowTaskTimeout) as error:
        call = describe_call(error)
        if call is None:
            raise
        text = mask_phones(str(error)) or type(error).__name__
        raise CallApiFailure(
            f"{text}. Not retried: {call}, and without task state (Airflow 3.3+, durable=True) a retry would "
            "not know the call"
        ) from error
