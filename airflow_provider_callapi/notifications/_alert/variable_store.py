"""Store the claims of alerts in Airflow Variables, and delete those that expired."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_callapi.calls.alerts.election import is_expired

KEY_PREFIX = "callapi_alert_"
"""The names of all Variables that hold claims begin with this."""
_CHECKED = 20
"""Number of Variables that one call of `delete_expired` checks. It exceeds the one that each alert adds."""


class VariableStore:
    """A `KeyValueStore` in Airflow Variables, which callbacks reach through Airflow's API server.

    :param description: stored with each Variable, for the person who finds it in Airflow's UI.
    """

    def __init__(self, description: str = "") -> None:
        self._description = description

    def get(self, key: str) -> Any:
        """Return the value of the Variable, or None if it does not exist or its text is not JSON."""
        with suppress(ImportError, AttributeError):  # else the cache returns an old value for minutes
            from airflow.sdk.execution_time.cache import SecretCache  # noqa: PLC0415 - not on every Airflow

            SecretCache.invalidate_variable(key)
        return _decode(Variable.get(key, default=None))

    def set(self, key: str, value: Any) -> None:
        """Create the Variable, or replace its value."""
        Variable.set(key, json.dumps(value), description=self._description)


def delete_expired(now: float, *, keep: str) -> None:
    """Check up to 20 random Variables with claims, and delete the claims that expired before ``now``.

    Does nothing before Airflow 3.3, which cannot list Variables.

    :param now: epoch seconds.
    :param keep: the name of a Variable that is not checked.
    """
    if not hasattr(Variable, "keys"):
        return
    keys = [key for key in Variable.keys(prefix=KEY_PREFIX) if key != keep]
    for key in random.sample(keys, min(len(keys), _CHECKED)):
        if is_expired(_decode(Variable.get(key, default=None)), now):
            Variable.delete(key)


def _decode(text: Any) -> Any:
    """Return the JSON value of a text, or None. A person may have edited the Variable by hand."""
    try:
        return json.loads(text or "null")
    except (TypeError, ValueError):
        return None
