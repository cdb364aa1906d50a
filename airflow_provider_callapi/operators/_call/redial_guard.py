"""Prevent a retry of a task that has placed a call, if the retry could not read the record of the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered, CallUnresolvedForNow

_AS_THE_AUTHOR_WANTS = (AirflowFailException, AirflowSkipException, CallNotAnswered, CallUnresolvedForNow)
"""Exceptions that pass: Airflow does not retry the first two, and the author wants a retry of the others."""


@contextmanager
def forbid_redial(known_call: Callable[[BaseException], str | None]) -> Iterator[None]:
    """Convert an error of the ``with`` block into a failure without a retry, if a retry would redial.

    A retry would redial if a call was placed and the next try cannot read the journal. Errors after which the
    author wants a second call, such as `CallNotAnswered`, pass unchanged.

    :param known_call: a function that takes the error, and returns words about the placed call, e.g. ``"call
        session 5 was placed"``. The function returns None if no call was placed, or if the next try can read
        the journal. The error then passes unchanged.
    :raises CallApiFailure: a call was placed before the error, and the next try cannot read the journal.
    """
    try:
        yield
    except _AS_THE_AUTHOR_WANTS:
        raise
    except (Exception, AirflowTaskTimeout) as error:
        call = known_call(error)
        if call is None:
            raise
        text = mask_phones(str(error)) or type(error).__name__
        raise CallApiFailure(
            f"{text}. Not retried: {call}, and without task state (Airflow 3.3+) a retry could dial again"
        ) from error
