"""Whose turn it is to ring for an alert, and how far it has got: one Airflow Variable for each alert."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_callapi.calls.alerts.election import Candidate, Progress, is_over

_PREFIX = "callapi_alert_"
_LOOKED_AT = 20
"""Old Variables to look for after a ring. One is written for each alert, so their number does not grow."""


class AlertSuppressed(Exception):
    """One call is enough, and was made."""


@dataclass
class AlertLock:
    """The turn of one callback among all that may ring for the same alert.

    A Variable that cannot be read or written keeps nobody from ringing.

    :ivar alert: the alert's external_id.
    :ivar about: what has failed, for whoever finds the Variable.
    :ivar by: who wants to ring; the same after a restart, where Airflow starts a callback again.
    :ivar quiet_for: seconds for which one call is enough; 0: every failure rings.
    :ivar may_write: False where Airflow does not answer a write at all.
    """

    alert: str
    about: str
    by: str
    quiet_for: float
    settle: float
    may_write: bool
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Any
    _claim: Candidate | None = field(default=None, init=False)
    _rang: bool = field(default=False, init=False)

    def take(self) -> Progress | None:
        """Wait for our turn; returns how far we had got before a restart.

        :raises AlertSuppressed: it is somebody else's.
        """
        if not self.quiet_for:
            return None
        claim = Candidate(
            _VariableRegister(self._key, f"Alert by telephone for {self.about}. May be deleted"),
            self.alert,
            self.by,
            self.quiet_for,
            self.settle,
            self.clock,
            self.sleep,
        )
        try:
            if step := claim.step():
                self._claim, self._rang = claim, True
                return step
            ours = claim.acquire() if self.may_write else not claim.others_have_rung()
        except Exception as error:  # no rights, no API server
            self.log.warning("Ringing without a claim, since the Variable cannot be used: %s", error)
            return None
        if not ours:
            raise AlertSuppressed("another callback rings, or has rung")
        self._claim = claim if self.may_write else None
        return None

    def confirm(self) -> None:
        """Just before the first call: what comes before it may take longer than others wait for us.

        :raises AlertSuppressed: it is not our turn any more.
        """
        if self._claim is None or self._rang:
            return
        try:
            ours = self._claim.renew()
        except Exception as error:
            self.log.warning("Others may ring as well, since the Variable cannot be used: %s", error)
            return
        if not ours:
            raise AlertSuppressed("another callback has rung meanwhile")

    def rang(self, step: Progress) -> None:
        """Tell the others, and ourselves after a restart, that this call is placed."""
        first, self._rang = not self._rang, True
        if self._claim is None:
            return
        try:
            self._claim.rang(step)
        except Exception as error:
            self.log.warning("Others may ring as well, since the Variable cannot be written: %s", error)
            return
        if first:
            self._remove_old()

    def give_up(self) -> None:
        """Leave it to the others, if no call was placed."""
        if self._claim is None or self._rang:
            return
        try:
            self._claim.give_up()
        except Exception as error:
            self.log.warning("Others wait in vain, since the Variable cannot be written: %s", error)

    @property
    def _key(self) -> str:
        return _PREFIX + hashlib.sha256(self.alert.encode()).hexdigest()[:16]

    def _remove_old(self) -> None:
        """Delete Variables of alerts whose time is over. Airflow can list them from 3.3 on."""
        if not hasattr(Variable, "keys"):
            return
        try:
            keys = [key for key in Variable.keys(prefix=_PREFIX) if key != self._key]
            for key in random.sample(keys, min(len(keys), _LOOKED_AT)):
                if is_over(Variable.get(key, default=None), self.clock()):
                    Variable.delete(key)
        except Exception as error:
            self.log.info("Old Variables %s… stay: %s", _PREFIX, error)


class _VariableRegister:
    """An Airflow Variable: read and written through the API server by whoever runs callbacks."""

    def __init__(self, name: str, description: str) -> None:
        self._name = name
        self._description = description

    def read(self) -> str | None:
        with suppress(ImportError, AttributeError):  # it would be told for minutes as it was before
            from airflow.sdk.execution_time.cache import SecretCache  # noqa: PLC0415 - not on every Airflow

            SecretCache.invalidate_variable(self._name)
        value: str | None = Variable.get(self._name, default=None)
        return value

    def write(self, value: str) -> None:
        Variable.set(self._name, value, description=self._description)
