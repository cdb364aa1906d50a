"""An Airflow hook with a short timeout, for the command line and for Airflow's page *Calls*.

A person who waits in front of a screen needs an answer, or an error, within seconds.
"""

from __future__ import annotations

from functools import cached_property

from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.hooks.callapi import CallApiHook

_TIMEOUT = 10.0
"""The longest time in seconds for which the hook waits for the answer to a request."""


class ShortTimeoutHook(CallApiHook):
    """A `CallApiHook` that waits at most 10 seconds for the answer to each request.

    If the connection has a shorter timeout, the shorter timeout applies.
    """

    @cached_property
    def settings(self) -> ConnectionSettings:
        settings = super().settings
        return settings.model_copy(update={"timeout": min(settings.timeout, _TIMEOUT)})
