"""Credentials that follow a new password or key in the Airflow connection while a task runs.

An administrator who renews a key stores the new key in the connection, and ends the old key. A task that
began before must not fail for this reason: its call is placed, and a retry would only read the new key.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.credentials import LogIn
from airflow_provider_callapi.api.errors import AuthenticationFailed
from airflow_provider_callapi.connection.settings import ConnectionSettings

_NOT_AGAIN_FOR = 5.0
"""Seconds for which the connection is not read again after a read that gave nothing new.

Otherwise, each thread of a campaign would read it in turn.
"""


class RenewedCredentials:
    """The credentials of an Airflow connection, which is read again if the service refuses them.

    :param settings: the settings in the connection.
    :param read_again: reads the connection again, and returns its settings now.
    """

    def __init__(self, settings: ConnectionSettings, read_again: Callable[[], ConnectionSettings]) -> None:
        self._settings = settings
        self._read_again = read_again
        self._credentials = settings.credentials()
        self._read_in_vain_at = -math.inf
        self._lock = Lock()

    def token(self, log_in: LogIn, now: float) -> str:
        """Return the access token to send. Log in first if there is no valid token."""
        used = self._credentials
        try:
            return used.token(log_in, now)
        except AuthenticationFailed:
            if not self._renew(used):
                raise
        return self._credentials.token(log_in, now)

    def discard_refused(self, refused: str) -> bool:
        """Discard an access token that the service has refused.

        :return: True: `token` returns another one. False: the token is a permanent access key, and the
            connection has no other key.
        """
        used = self._credentials
        return used.discard_refused(refused) or self._renew(used)

    def forget(self) -> str | None:
        """Return the stored temporary token for a logout, and forget the token. None: no token is stored."""
        return self._credentials.forget()

    def _renew(self, refused: object) -> bool:
        """Take the credentials that are in the connection now. Return whether they are new.

        :param refused: the credentials that the service has refused.
        """
        with self._lock:
            if self._credentials is not refused:  # another thread has read the connection meanwhile
                return True
            if system_clock.monotonic() - self._read_in_vain_at < _NOT_AGAIN_FOR:
                return False
            try:
                settings = self._read_again()
            except Exception:  # the service's error says more about this request
                settings = self._settings
            if not settings.renews(self._settings):
                self._read_in_vain_at = system_clock.monotonic()
                return False
            self._settings, self._credentials = settings, settings.credentials()
            return True
