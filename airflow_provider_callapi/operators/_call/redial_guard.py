"""Prevent a retry that would call the person again, because the retry cannot read the record of the call."""

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
    """If a retry would call the person a second time, raise a failure that Airflow never retries.

    A retry could do so if a call was placed or may have been placed, the ``with`` block raises an error, and
    the next try cannot read the record of the call. Other errors pass unchanged, and so do errors after which
    the author wants a second call, such as `CallNotAnswered`.

    :param known_call: a function that gets the error. If the next try cannot read the record of such a call,
        the function returns words about the call, e.g. ``"call session 5 was placed"``. Otherwise None.
    :raises CallApiFailure: the ``with`` block raised an error, and ``known_call`` returned words.
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
