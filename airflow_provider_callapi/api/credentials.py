"""How a request gets its access token: from a permanent key, or from a login that is kept fresh."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from airflow_provider_callapi.api.models import AccessToken

LogIn = Callable[[str, str], AccessToken]
"""Sends ``login.user`` with a login and a password."""

_EARLY = 60.0
"""Seconds before its end at which a temporary token is replaced, and the least time it is trusted
for after a login, so that a wrong clock does not log in before every request."""


class Credentials(Protocol):
    """What the client needs to know of credentials."""

    def token(self, log_in: LogIn, now: float) -> str:
        """The token to send now (epoch seconds); logs in where that is needed."""

    def renewable(self, refused: str) -> bool:
        """The service refused this token: forget it, and say whether another one can be had."""

    def forget(self) -> str | None:
        """The temporary token in hand, to be logged out and not used again; None where there is none."""


class AccessKey:
    """A permanent key of the account: never renewed, and never logged out."""

    def __init__(self, key: str) -> None:
        self._key = key

    def token(self, log_in: LogIn, now: float) -> str:
        return self._key

    def renewable(self, refused: str) -> bool:
        return False

    def forget(self) -> str | None:
        return None


class LoginSession:
    """A login and password; logs in lazily and again before the token ends. Thread-safe."""

    def __init__(self, login: str, password: str) -> None:
        self._login = login
        self._password = password
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def token(self, log_in: LogIn, now: float) -> str:
        with self._lock:
            if self._token is None or now >= self._until:
                answer = log_in(self._login, self._password)
                self._token = answer.access_token
                self._until = max(answer.expire_at - _EARLY, now + _EARLY)
            return self._token

    def renewable(self, refused: str) -> bool:
        with self._lock:
            if self._token == refused:  # else another thread has logged in again already
                self._token = None
        return True

    def forget(self) -> str | None:
        with self._lock:
            token, self._token = self._token, None
        return token
