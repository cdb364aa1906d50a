"""Let only one of several Airflow callbacks ring for an alert, and store whom this callback has called.

An alert is one or several phone calls about a failure. If Airflow restarts the ringing callback, the callback
reads whom it has already called, and continues with the next person.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.calls.alerts.election import Candidate, Progress
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT, Deployment
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.notifications._alert.contacts import read_people
from airflow_provider_callapi.notifications._alert.failure import Failure
from airflow_provider_callapi.notifications._alert.options import AlertOptions
from airflow_provider_callapi.notifications._alert.variable_store import (
    KEY_PREFIX,
    VariableStore,
    delete_expired,
)


class AlertSuppressed(Exception):
    """Raised if a callback must not ring, because another callback rings or has rung for the same alert."""


def _deployment(log: Any) -> Deployment:
    """Return the name and the secret keys of this Airflow deployment, as a `Deployment`.

    The id of an alert depends on the name and the keys. If Airflow's configuration cannot be read, the
    function logs a warning, and returns a `Deployment` without name and keys. So a wrong configuration does
    not prevent the alert.
    """
    try:
        return read_deployment()
    except Exception as error:  # a command or a secrets backend gives the key
        log.warning("Other callbacks may ring too, because the configuration cannot be read: %s", error)
        return NO_DEPLOYMENT


@dataclass
class AlertLock:
    """Makes sure that only one of several callbacks rings for an alert.

    An Airflow Variable stores which callback may ring: the *claim*. If the Variable cannot be used, the lock
    logs a warning and lets the callback ring. Several callbacks may then ring for the same alert.

    :ivar alert: the alert's ``external_id``.
    :ivar key: the name of the Variable: ``callapi_alert_`` and a hash of the Airflow deployment, of ``alert``
        and of the people to call.
    :ivar about: a text that states what failed. Airflow's UI shows the text next to the Variable.
    :ivar candidate_id: the id of this callback. A deadline's callback keeps its id after a restart. A task
        that runs the notifier keeps its id in its retries.
    :ivar quiet_for: for how many seconds after a call of one callback the other callbacks do not ring. 0:
        each callback rings.
    :ivar settle: how many seconds a callback waits at least before it checks that the Variable still contains
        its claim.
    :ivar may_write: whether this callback can write Variables. False: it only reads them.
    :ivar clock: function that returns the time in epoch seconds.
    :ivar sleep: function that waits for a number of seconds.
    :ivar log: the notifier's logger.
    """

    alert: str
    key: str
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
        """Return the lock for the alert about a failure.

        The callback must `acquire` the lock before the callback rings.

        :param failure: what failed.
        :param may_write: whether this callback can write Airflow Variables.
        :param log: the notifier's logger.
        """
        deployment, people = _deployment(log), read_people(options.contact, options.region)
        alert = str(options.external_id or failure.external_id(deployment, people))
        return cls(
            alert=alert,
            key=KEY_PREFIX + hashlib.sha256(deployment.scope(alert, *people).encode()).hexdigest()[:16],
            about=str(failure),
            candidate_id=failure.caller or uuid.uuid4().hex,
            quiet_for=options.quiet_for,
            settle=options.settle,
            may_write=may_write,
            clock=time.time,
            sleep=time.sleep,
            log=log,
        )

    def acquire(self) -> Progress | None:
        """Wait until this callback may ring.

        The method waits while another callback holds a claim (the right to ring) but has placed no call yet.
        Such a claim expires after ``settle`` + 15 seconds. The method does not wait if ``quiet_for`` is 0, if
        ``may_write`` is False, or if the alert's Airflow Variable cannot be used.

        :return: the newest call that this callback placed before Airflow restarted it. None: no such call of
            the last ``quiet_for`` seconds is known.
        :raises AlertSuppressed: another callback has placed a call in the last ``quiet_for`` seconds.
        """
        if not self.quiet_for:
            return None
        candidate = Candidate(
            VariableStore(f"Phone alert for {self.about}. You can delete this Variable"),
            self.key,
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
        except Exception as error:  # for example no permission, or no connection to Airflow's API server
            self.log.warning(
                "Ringing without a claim, because the Airflow Variable cannot be used: %s", error
            )
            return None
        if not acquired:
            raise AlertSuppressed("another callback rings or has rung")
        self._candidate = candidate if self.may_write else None
        return None

    def renew(self) -> None:
        """Check, just before the first call, that no other callback has rung since `AlertLock.acquire`.

        The claim (the right to ring) expires some seconds after `AlertLock.acquire`. If this callback has
        been slow, another callback may have taken over the claim and placed a call. Without a claim, the
        method does nothing.

        :raises AlertSuppressed: another callback has placed a call.
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
        """Store a call of the alert in the alert's Airflow Variable, so that no other callback rings.

        After a restart of this callback, the alert continues with the next person. Without a claim, for
        example with ``quiet_for=0``, the method stores nothing.

        :param progress: the call's session id, and the called person's position in the alert's list of
            people.
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
        """Give up the claim (the right to ring), so that another callback can ring immediately.

        If this callback has placed a call, the method does nothing.
        """
        if self._candidate is None or self._has_rung:
            return
        try:
            self._candidate.withdraw()
        except Exception as error:
            self.log.warning(
                "Other callbacks wait for this one, because the Airflow Variable cannot be written: %s",
                error,
            )

    def _delete_expired(self) -> None:
        try:
            delete_expired(self.clock(), keep=self.key)
        except Exception as error:
            self.log.info("Expired Variables %s… are not deleted: %s", KEY_PREFIX, error)
