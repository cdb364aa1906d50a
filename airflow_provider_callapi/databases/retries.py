"""Repeats failed transactions, and removes phone numbers from the database's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import tenacity
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError

from airflow_provider_callapi.databases.connections import lasts, masked_text
from airflow_provider_callapi.exceptions import CallApiTrouble

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

T = TypeVar("T")


class LostRaceError(Exception):
    """Another process changed an attempt's row in the ledger after this process had read the row."""


def _is_hopeless(state: tenacity.RetryCallState) -> bool:
    """Return whether to give up a failed transaction.

    During an outage of the database: after five minutes. After other errors: after six failures.
    """
    error = state.outcome and state.outcome.exception()
    if isinstance(error, _OUTAGES) and not lasts(error):
        return (state.seconds_since_start or 0.0) >= _LONGEST_OUTAGE
    return state.attempt_number >= _TRIES


_TRIES = 6
_LONGEST_OUTAGE = 300.0
"""A transaction is repeated for this many seconds of an outage. A restart of the database takes less."""
_OUTAGES = (OperationalError, InterfaceError, InternalError)
RETRY_BRIEFLY = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type((DBAPIError, LostRaceError)),
    stop=tenacity.stop_after_attempt(_TRIES),
    wait=tenacity.wait_random_exponential(multiplier=0.05, max=2.0),
    reraise=True,
)
"""Repeats a failed transaction up to five times, within seconds."""
RETRY_OUTAGE = RETRY_BRIEFLY.copy(
    stop=_is_hopeless, wait=tenacity.wait_random_exponential(multiplier=0.05, max=10.0)
)
"""Repeats a failed transaction for up to five minutes if the database is not available."""
TRY_ONCE = RETRY_BRIEFLY.copy(stop=tenacity.stop_after_attempt(1))
"""Never repeats a failed transaction."""


def mask_errors(work: Callable[[], T], named: str) -> T:
    """Call a function that uses a database, and remove phone numbers from the error if the function fails.

    :param named: the beginning of the error message, such as ``the ledger's database``.
    :return: the result of the function.
    :raises CallApiTrouble: ``work`` failed, because the database does not answer, refuses a statement or
        cannot store a value, or because another process has changed the same row. The message contains no
        phone numbers.
    """
    try:
        return work()
    # A driver raises Python's own errors for a value that it cannot store, e.g. a number of 65 bits.
    except (SQLAlchemyError, LostRaceError, OverflowError, ValueError) as error:
        raise CallApiTrouble(masked_text(error, named)) from None


def in_transaction(
    engine: Engine, work: Callable[[Connection], T], *, retrying: tenacity.Retrying, named: str
) -> T:
    """Call a function in a transaction of its own, and repeat a failed transaction.

    :param work: the function. It gets a connection with an open transaction, and does not commit. A repeat
        calls the function again.
    :param retrying: decides about repeats: `TRY_ONCE`, `RETRY_BRIEFLY` or `RETRY_OUTAGE`.
    :param named: the beginning of the error message, such as ``the ledger's database``.
    :return: the result of the function.
    :raises CallApiTrouble: the last repeat failed, see `mask_errors`. The message contains no phone numbers.
    """

    def transaction() -> T:
        with engine.begin() as db:
            return work(db)

    return mask_errors(lambda: retrying(transaction), named)
