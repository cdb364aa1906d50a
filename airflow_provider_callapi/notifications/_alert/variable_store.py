"""Store in an Airflow Variable which callback calls people for an alert, if several tasks have failed.

The module also deletes the Variables of old alerts.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.alerts.claims import is_expired

R = TypeVar("R")

KEY_PREFIX = "callapi_alert_"
"""The prefix of the names of all Variables that hold a claim."""
_QUICK = 0.5
"""Seconds. An access that fails within this time is repeated after the same time."""
_CHECKED = 20
"""The largest number of Variables that one run of `delete_expired` checks."""


class VariableUnreadable(Exception):
    """The value of a Variable cannot be read, and the Variable may exist."""


class VariableStore:
    """A `KeyValueStore` that stores each value as JSON in an Airflow Variable.

    :param description: a text that Airflow's UI shows next to each Variable.
    """

    def __init__(self, description: str = "") -> None:
        self._description = description
        self._known: set[str] = set()  # the Variables that had a value when this object used them last

    def get(self, key: str) -> Any:
        """Return the value of a Variable. None: the Variable does not exist, or does not contain JSON.

        :raises VariableUnreadable: Airflow gives no value of a Variable that exists, or does not answer.
        """
        # The list comes before the value, because a claim must be written soon after the reading.
        if key not in self._known and _is_listed(key) is False:
            return None
        try:
            text = _twice_if_quick(lambda: _read(key))
        except VariableUnreadable:
            if _is_listed(key):
                raise
            self._known.discard(key)
            return None
        self._known.add(key)
        return _decode(text)

    def set(self, key: str, value: Any) -> None:
        """Store a value in a Variable. If the Variable does not exist, create the Variable."""
        self._known.add(key)
        text = json.dumps(value)
        _twice_if_quick(lambda: Variable.set(key, text, description=self._description))


def _twice_if_quick(access: Callable[[], R]) -> R:
    """Use a Variable. If this fails at once, repeat it: one failure could let two callbacks ring.

    If it fails slowly, do not repeat it: an alert must ring in time.
    """
    began = system_clock.monotonic()
    try:
        return access()
    except Exception:
        if system_clock.monotonic() - began > _QUICK:
            raise
    if hasattr(Variable, "keys"):  # else a Variable that does not exist fails, too, and must not take longer
        system_clock.sleep(_QUICK)
    return access()


def _read(key: str) -> Any:
    """Return the text of a Variable.

    :raises VariableUnreadable: Airflow gives no value. Either the Variable does not exist, or Airflow's API
        server does not answer: Airflow then raises no error, and logs nothing.
    """
    with suppress(ImportError, AttributeError):  # else the cache returns an old value for minutes
        from airflow.sdk.execution_time.cache import SecretCache  # noqa: PLC0415 - not on every Airflow

        SecretCache.invalidate_variable(key)
    text = Variable.get(key, default=None)
    if text is None:
        raise VariableUnreadable(f"Airflow gives no value of {key}, and does not say why")
    return text


def delete_expired(now: float, *, keep: str) -> None:
    """Check up to 20 Airflow Variables of alerts at random, and delete the expired ones.

    The Variable ``keep`` stays. The time ``now`` is in epoch seconds. Before Airflow 3.3, nothing is deleted.
    """
    if not hasattr(Variable, "keys"):  # before Airflow 3.3
        return
    keys = [key for key in Variable.keys(prefix=KEY_PREFIX) if key != keep]
    for key in random.sample(keys, min(len(keys), _CHECKED)):
        if is_expired(_decode(Variable.get(key, default=None)), now):
            Variable.delete(key)


def _is_listed(key: str) -> bool | None:
    """Return whether Airflow lists a Variable. None: unknown, e.g. before Airflow 3.3, which has no list.

    :raises VariableUnreadable: Airflow's API server does not answer.
    """
    if not hasattr(Variable, "keys"):
        return None
    began = system_clock.monotonic()
    try:
        return key in Variable.keys(prefix=key)
    except Exception as error:  # e.g. an API server that is older than the worker refuses the list at once
        if system_clock.monotonic() - began > _QUICK:  # Airflow has repeated the request, which takes seconds
            raise VariableUnreadable(f"Airflow does not list Variables: {error}") from error
        return None


def _decode(text: Any) -> Any:
    """Return the JSON value of a Variable's text. None: the text is not JSON.

    A user may have edited the Variable by hand.
    """
    try:
        return json.loads(text or "null")
    except (TypeError, ValueError):
        return None
