"""Store in an Airflow Variable which callback calls people for an alert, if several tasks have failed.

The module also deletes the Variables of old alerts.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from typing import Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_callapi.calls.alerts.election import is_expired

KEY_PREFIX = "callapi_alert_"
"""The prefix of the names of all Variables that hold a claim."""
_QUICK = 0.5
"""Seconds within which an answer came so quickly that there is time for another request."""
_CHECKED = 20
"""The largest number of Variables that one run of `delete_expired` checks."""


class VariableUnreadable(Exception):
    """A Variable exists, and its value cannot be read."""


class VariableStore:
    """A `KeyValueStore` that stores each value as JSON in an Airflow Variable.

    :param description: a text that Airflow's UI shows next to each Variable.
    """

    def __init__(self, description: str = "") -> None:
        self._description = description
        self._known: set[str] = set()  # the Variables that had a value when this object used them last

    def get(self, key: str) -> Any:
        """Return the value of a Variable. None: the Variable does not exist, or does not contain JSON.

        :raises VariableUnreadable: Airflow gives no value of a Variable that exists.
        """
        # The list comes before the value, because a claim must be written soon after the reading.
        if key not in self._known and _is_listed(key) is False:
            return None
        began = time.monotonic()
        text = self._text(key)
        if text is None and time.monotonic() - began < _QUICK:
            text = self._text(key)
        if text is None and _is_listed(key):
            raise VariableUnreadable(f"Airflow gives no value of {key}, and does not say why")
        (self._known.discard if text is None else self._known.add)(key)
        return _decode(text)

    def _text(self, key: str) -> Any:
        # Airflow also gives no value if its API server does not answer, and logs nothing.
        with suppress(ImportError, AttributeError):  # else the cache returns an old value for minutes
            from airflow.sdk.execution_time.cache import SecretCache  # noqa: PLC0415 - not on every Airflow

            SecretCache.invalidate_variable(key)
        return Variable.get(key, default=None)

    def set(self, key: str, value: Any) -> None:
        """Store a value in a Variable. If the Variable does not exist, create the Variable."""
        self._known.add(key)
        Variable.set(key, json.dumps(value), description=self._description)


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
    """Return whether Airflow lists a Variable. None: unknown, e.g. before Airflow 3.3, which has no list."""
    if not hasattr(Variable, "keys"):
        return None
    try:
        return key in Variable.keys(prefix=key)
    except Exception:  # e.g. an API server that is older than the worker
        return None


def _decode(text: Any) -> Any:
    """Return the JSON value of a Variable's text. None: the text is not JSON.

    A user may have edited the Variable by hand.
    """
    try:
        return json.loads(text or "null")
    except (TypeError, ValueError):
        return None
