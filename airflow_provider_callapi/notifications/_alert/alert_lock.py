"""Let one of several callbacks ring for an alert, and keep the alert's progress across restarts."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.calls.alerts.election import Candidate, Progress
from airflow_provider_callapi.notifications._alert.failure import Failure
from airflow_provider_callapi.notifications._alert.options import AlertOptions
from airflow_provider_callapi.notifications._alert.variable_store import (
    KEY_PREFIX,
    VariableStore,
    delete_expired,
)


class AlertSuppressed(Exception):
    """The alert needs no call of this callback, because there is one already."""


@dataclass
class AlertLock:
    """The right of one callback to ring for an alert, held as a claim in an Airflow Variable.

    Errors of the Variable are logged and do not prevent a call. Without it, two callbacks may ring.

    :ivar alert: the alert's external_id.
    :ivar about: what failed, in words. The Variable's description shows it.
    :ivar candidate_id: unique among the callbacks. It stays the same if Airflow restarts the callback.
    :ivar quiet_for: seconds after a call during which the alert does not ring again; 0: every failure rings.
    :ivar settle: seconds between a claim and the check whether it still holds.
    :ivar may_write: whether Airflow lets this callback write Variables. If not, it only reads.
    :ivar clock: returns epoch seconds.
    """

    alert: str
    about: str
    candidate_id: str
    quiet_for: float
    settle: float
    may_write: bool
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Any
    _candidate: Candidate | None = field(default=None, init=False)
    _has_rung: bool = field(default=False, init=False)

    @classmethod
    def make(cls, options: AlertOptions, failure: Failure, *, may_write: bool, log: Any) -> AlertLock:
        """Make the lock of a callback for this failure."""
        deadline = f"deadline {failure.deadline_id}" if failure.deadline_id else ""
        return cls(
            alert=str(options.external_id or failure.external_id),
            about=str(failure),
            candidate_id=deadline or uuid.uuid4().hex,
            quiet_for=options.quiet_for,
            settle=options.settle,
            may_write=may_write,
            clock=time.time,
            sleep=time.sleep,
            log=log,
        )

    def acquire(self) -> Progress | None:
        """Wait for the right to ring. Return the progress that this callback made before a restart, or None.

        :raises AlertSuppressed: another callback rings or has rung.
        """
        if not self.quiet_for:
            return None
        candidate = Candidate(
            VariableStore(f"Phone alert for {self.about}. You can delete this Variable"),
            self._key,
            self.alert,
            self.candidate_id,
            self.quiet_for,
            self.settle,
            self.clock,
            self.sleep,
        )
        try:
            if progress := candidate.progress():
                self._candidate, self._has_rung = candidate, True
                return progress
            acquired = candidate.acquire() if self.may_write else not candidate.rival_has_rung()
        except Exception as error:  # e.g. no permission, or no connection to Airflow's API server
            self.log.warning(
                "Ringing without a claim, because the Airflow Variable cannot be used: %s", error
            )
            return None
        if not acquired:
            raise AlertSuppressed("another callback rings or has rung")
        self._candidate = candidate if self.may_write else None
        return None

    def renew(self) -> None:
        """Check shortly before the first call that no other callback has rung since `acquire`.

        The work in between may take longer than other callbacks wait.

        :raises AlertSuppressed: another callback has rung.
        """
        if self._candidate is None or self._has_rung:
            return
        try:
            renewed = self._candidate.renew()
        except Exception as error:
            self.log.warning(
                "Other callbacks may ring too, because the Airflow Variable cannot be used: %s", error
            )
            return
        if not renewed:
            raise AlertSuppressed("another callback has rung in the meantime")

    def record_call(self, progress: Progress) -> None:
        """Store that a call was placed, for the other callbacks and for this one after a restart.

        After the first call, Variables of expired alerts are deleted.
        """
        first, self._has_rung = not self._has_rung, True
        if self._candidate is None:
            return
        try:
            self._candidate.record_call(progress)
        except Exception as error:
            self.log.warning(
                "Other callbacks may ring too, because the Airflow Variable cannot be written: %s", error
            )
            return
        if first:
            self._delete_expired()

    def withdraw(self) -> None:
        """Let another callback ring at once. Does nothing after a placed call."""
        if self._candidate is None or self._has_rung:
            return
        try:
            self._candidate.withdraw()
        except Exception as error:
            self.log.warning(
                "Other callbacks wait for this one, because the Airflow Variable cannot be written: %s",
                error,
            )

    @property
    def _key(self) -> str:
        return KEY_PREFIX + hashlib.sha256(self.alert.encode()).hexdigest()[:16]

    def _delete_expired(self) -> None:
        try:
            delete_expired(self.clock(), keep=self._key)
        except Exception as error:
            self.log.info("Expired Variables %s… are not deleted: %s", KEY_PREFIX, error)
