"""A log that does not repeat itself, for a trigger that continues after each error."""

from __future__ import annotations

import math
from typing import Any

from airflow_provider_callapi import system_clock

_LOG_AGAIN_AFTER = 600.0
"""The least number of seconds between two log lines about the same error."""
_LINE = "%s (connection %s): %s"
_LINE_WITH_ADVICE = "%s; correct connection %s or the account: %s"


class ErrorLog:
    """Logs the errors of a trigger, but not an error that was logged in the last ten minutes.

    Two errors are the same error if their class, their mnemonic and the text before them are equal. A
    permanent error has the level ERROR. Any other error has the level WARNING.

    :param log: the trigger's logger.
    :param callapi_conn_id: id of the Airflow connection. Each log line contains it.
    """

    def __init__(self, log: Any, callapi_conn_id: str) -> None:
        self._log = log
        self._callapi_conn_id = callapi_conn_id
        self._logged_at: dict[tuple[Any, ...], float] = {}

    def log_failed_poll(self, text: str, error: Exception) -> None:
        """Log that polling failed. After a permanent error, advise to correct the connection.

        :param text: what failed.
        """
        self._write(_LINE_WITH_ADVICE if _is_permanent(error) else _LINE, text, error)

    def log_error(self, text: str, error: Exception) -> None:
        """Log that another action than a poll failed. The line gives no advice.

        :param text: what failed.
        """
        self._write(_LINE, text, error)

    def _write(self, line: str, text: str, error: Exception) -> None:
        key = (text, type(error), getattr(error, "mnemonic", None))
        now = system_clock.monotonic()
        if now - self._logged_at.get(key, -math.inf) < _LOG_AGAIN_AFTER:
            return
        self._logged_at[key] = now
        log = self._log.error if _is_permanent(error) else self._log.warning
        log(line, text, self._callapi_conn_id, error)


def _is_permanent(error: Exception) -> bool:
    # imported here, because DAG files import this module and are parsed all day
    from airflow_provider_callapi.event_loop.polls_by_connection import is_permanent  # noqa: PLC0415

    return is_permanent(error)
