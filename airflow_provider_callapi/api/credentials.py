"""Where a client gets access tokens: from a permanent key, or from a login that returns temporary tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from airflow_provider_callapi.api.models import AccessToken

LogIn = Callable[[str, str], AccessToken]
"""A function that sends ``login.user`` with a login and a password, and returns the new access token."""

_LIFETIME = 3600.0
"""How many seconds a temporary token is valid, if the answer to the login does not state the time."""
_LONGEST_LIFETIME = 86_400.0
"""The longest time in seconds for which a stated end of a token is believed."""
_RENEW_MARGIN = 60.0
"""The time in seconds before a temporary token expires at which the client gets a new token."""


class Credentials(Protocol):
    """The credentials with which a `Client` gets the access tokens for its requests."""

    def token(self, log_in: LogIn, now: float) -> str:
        """Return the access token to send. Log in first if there is no valid token.

        :param log_in: a function that sends ``login.user``.
        :param now: the current time in epoch seconds.
        """

    def discard_refused(self, refused: str) -> bool:
        """Discard an access token that the service has refused.

        :return: True: the method `token` returns another token now, after a login if needed. False: the
            refused token is a permanent access key, so there is no other one.
        """

    def forget(self) -> str | None:
        """Return the stored temporary token for a logout, and forget the token. None: no token is stored."""


class AccessKey:
    """A permanent access key of the account. A client with this key needs no login and no logout."""

    def __init__(self, key: str) -> None:
        self._key = key

    def token(self, log_in: LogIn, now: float) -> str:
        return self._key

    def discard_refused(self, refused: str) -> bool:
        return refused != self._key  # another thread may have replaced the refused key by this key

    def forget(self) -> str | None:
        return None


class LoginSession:
    """A login and a password. Several threads may use one `LoginSession`.

    The client logs in before its first request. If the token is about to expire, the client logs in again
    before it sends the next request.
    """

    def __init__(self, login: str, password: str) -> None:
        self._login = login
        self._password = password
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def token(self, log_in: LogIn, now: float) -> str:
        with self._lock:
            if self._token is None or now >= self._renew_at:
                answer = log_in(self._login, self._password)
                self._token = answer.access_token
                self._renew_at = now + _usable_for(answer, now)
            return self._token

    def discard_refused(self, refused: str) -> bool:
        with self._lock:
            if self._token == refused:  # otherwise another thread has already logged in again
                self._token = None
        return True

    def forget(self) -> str | None:
        with self._lock:
            token, self._token = self._token, None
        return token


def _usable_for(token: AccessToken, now: float) -> float:
    """Return for how many seconds a new token is used before the next login."""
    # The stated end is wrong if it is a number of seconds, or if the clock of this machine is wrong. Then a
    # login a minute would use up the account's points. The client also logs in if a token is refused.
    left = None if token.expire_at is None else token.expire_at - now
    if left is None or not 2 * _RENEW_MARGIN <= left <= _LONGEST_LIFETIME:
        left = _LIFETIME
    return left - _RENEW_MARGIN
