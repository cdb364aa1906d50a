"""Credentials that follow a new password or key in the Airflow connection while a task runs.

An administrator who renews a key stores the new key in the connection, and ends the old key. A task that
began before must not fail for this reason: its call is placed, and a retry would only read the new key.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from airflow_provider_callapi.api.credentials import LogIn
from airflow_provider_callapi.api.errors import AuthenticationFailed
from airflow_provider_callapi.connection.settings import ConnectionSettings


class RenewedCredentials:
    """The credentials of an Airflow connection, which is read again if the service refuses them.

    :param settings: the settings in the connection.
    :param read_again: reads the connection again, and returns its settings now.
    """

    def __init__(self, settings: ConnectionSettings, read_again: Callable[[], ConnectionSettings]) -> None:
        self._settings = settings
        self._read_again = read_again
        self._credentials = settings.credentials()
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
            try:
                settings = self._read_again()
            except Exception:  # the service's error says more about this request
                return False
            before = self._settings
            if _login_of(settings) == _login_of(before) or not _has_same_services(settings, before):
                return False
            self._settings, self._credentials = settings, settings.credentials()
            return True


def _login_of(settings: ConnectionSettings) -> tuple[str | None, str]:
    return settings.login, settings.password.get_secret_value()


def _has_same_services(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    """Return whether two settings lead to the same services: a key must not be sent to another host."""
    return (one.url, one.data_api_url) == (other.url, other.data_api_url)
