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

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered, CallUnresolvedForNow

_AS_THE_AUTHOR_WANTS = (AirflowFailException, AirflowSkipException, CallNotAnswered, CallUnresolvedForNow)
"""Exceptions that pass: Airflow does not retry the first two, and the author wants a retry of the others."""


@contextmanager
def forbid_redial(known_call: Callable[[BaseException], str | None]) -> Iterator[None]:
    """Turn an error of the ``with`` block into `CallApiFailure`, so that no retry calls the person again.

    The error stays unchanged in these cases: this try certainly placed no call, a retry would know the call,
    the author wants a retry after this error, or Airflow does not retry after this error.

    :param known_call: a function that takes the error, and describes the call that this try may have placed
        and a retry would not know, e.g. ``call session 5 was placed``. None: this try certainly placed no
        call, or a retry would know it.
    """
    try:
        yield
    except _AS_THE_AUTHOR_WANTS:
        raise
    except (Exception, AirflowTaskTimeout) as error:
        # E.g. "call session 5 was placed". None: there is no call of which a retry would not know.
        call = known_call(error)
        if call is None:
            raise
        text = mask_phones(str(error)) or type(error).__name__
        raise CallApiFailure(
            f"{text}. Not retried: {call}, and without task state (Airflow 3.3+, durable=True) a retry could "
            "dial again"
        ) from error
