"""Let only one of several Airflow callbacks ring for an alert. Store whom this callback has called."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed, Candidate, NoWinner
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT, Deployment
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.notifications._alert.alert_reason import CONTINUED, AlertReason
from airflow_provider_callapi.notifications._alert.answer_wait import Acknowledgement
from airflow_provider_callapi.notifications._alert.contacts import read_people
from airflow_provider_callapi.notifications._alert.options import AlertOptions
from airflow_provider_callapi.notifications._alert.time_limits import possible_settle, ring_within
from airflow_provider_callapi.notifications._alert.variable_store import (
    KEY_PREFIX,
    VariableStore,
    delete_expired,
)

_LONGEST_DIALING = 120.0
"""The longest time, in seconds, for which an alert lets a phone ring."""
_LONGEST_START = 60.0
"""The longest time, in seconds, that a start request and the search for its call usually take."""


class RightLost(Exception):
    """Raised before a call if another process may have placed a call since this one got the right."""


def _deployment(log: Any) -> Deployment:
    """Return the name and the secret keys of this Airflow as a `Deployment`.

    `NO_DEPLOYMENT`: the name or a key cannot be read.
    """
    try:
        return read_deployment()  # the name and the keys are part of the alert's id
    except Exception as error:  # e.g. of a secrets backend; a wrong configuration must not prevent the alert
        log.warning(
            "Other callbacks may ring too, because the configuration cannot be read: %s",
            mask_phones(str(error)),
        )
        return NO_DEPLOYMENT


def _abandoned_after(options: AlertOptions, reason: AlertReason) -> float:
    """Return after how many seconds without a further call an alert counts as abandoned.

    Infinity: this callback does not wait for that, because Airflow ends it soon, or because it could ring
    again before.
    """
    # The requests are not built yet. Without them, the longest call has the service's dialling timeout.
    dialing = 0.0 if options.dialing_timeout is None else _LONGEST_DIALING
    seconds = Acknowledgement.of(options, ()).longest_call + options.settle + dialing + _LONGEST_START
    return seconds if reason.kind in CONTINUED and seconds < options.quiet_for else math.inf


@dataclass
class AlertLock:
    """Makes sure that only one of several Airflow callbacks rings for an alert.

    If Airflow Variables cannot be used, several callbacks may ring.
    """

    alert: str  # the alert's ``external_id``
    log: Any
    # An Airflow Variable stores which callback may ring: the candidate's claim. None: each callback rings.
    candidate: Candidate | None
    _newest: Progress | None = field(default=None, init=False)

    @classmethod
    def make(cls, options: AlertOptions, reason: AlertReason, *, may_write: bool, log: Any) -> AlertLock:
        """Return the lock for an alert.

        The callback must use `AlertLock.acquire` before it rings.

        :param reason: what the alert is about.
        :param may_write: False: this callback cannot write Airflow Variables, and only reads them.
        """
        ring_by = system_clock.monotonic() + ring_within(reason.kind)  # Airflow's time limit already runs
        deployment, people = _deployment(log), read_people(options.contact, options.region)
        # Without quiet_for, each reason has its own alert. A search must not take the call of one alert for
        # that of another.
        only_of = "" if options.quiet_for else uuid.uuid4().hex
        alert = str(options.external_id or reason.external_id(deployment, people, only_of=only_of))
        if not options.quiet_for:
            return cls(alert, log, None)
        candidate = Candidate(
            VariableStore(f"Phone alert for {reason}. You can delete this Variable"),
            KEY_PREFIX + hashlib.sha256(deployment.scope(alert, *people).encode()).hexdigest()[:16],
            reason.caller or uuid.uuid4().hex,
            options.quiet_for,
            possible_settle(reason.kind, options.settle, log),
            system_clock.now,
            system_clock.monotonic,
            system_clock.sleep,
            token=uuid.uuid4().hex,
            may_write=may_write,
            abandoned_after=_abandoned_after(options, reason) if may_write else math.inf,
            ring_by=ring_by,
        )
        return cls(alert, log, candidate)

    def acquire(self) -> Progress | None:
        """Wait until this callback may ring. Use this method again after a `RightLost`.

        :return: the newest call with which this callback continues. This callback placed the call, maybe
            before Airflow restarted it, or another callback that has stopped before its last person. None: no
            such call is known.
        :raises AlertSuppressed: another callback has placed a call, or a person has acknowledged the alert.
        """
        if (candidate := self.candidate) is None:
            return None
        with self._log_failure("Ringing without a claim"):
            candidate.acquire()
        return furthest(candidate.seen_call, self._newest)

    def check_right(self) -> None:
        """Check just before a call that this process may still ring.

        :raises RightLost: use `acquire` again, and look for a call of another process.
        """
        if (candidate := self.candidate) is None:
            return
        may_ring = True
        with self._log_failure("Other callbacks may ring too"):
            may_ring = candidate.may_continue(self._newest) if self._newest else candidate.may_begin()
        if not may_ring:
            raise RightLost

    def record_call(self, progress: Progress) -> None:
        """Store the alert's newest call in an Airflow Variable, and whether the call was acknowledged.

        The method stores nothing if ``quiet_for`` is 0, or if this callback cannot write Variables.

        :param progress: the call, the called person, and whether the person has acknowledged the alert. This
            process has placed the call, or continues with it.
        """
        self._newest = progress
        if self.candidate is None:  # for example with ``quiet_for=0``
            return
        with self._log_failure("Other callbacks may ring too"):
            self.candidate.record_call(progress)

    def record_acknowledgement(self, progress: Progress, *, pauses: Sequence[float]) -> None:
        """Store that a person has acknowledged the alert, so that no other callback calls the next people.

        :param progress: the call to the person.
        :param pauses: seconds before each repetition, if the Variable cannot be written.
        """
        if self.candidate is None:
            return
        with self._log_failure("Other callbacks may ring too"):
            for pause in (*pauses, None):
                try:
                    self.candidate.record_call(replace(progress, acknowledged=True))
                    return
                except Exception:
                    if pause is None:
                        raise
                system_clock.sleep(pause)

    def record_found_call(self, progress: Progress) -> None:
        """Store a call of this alert that another process has placed. This process calls no one else."""
        if self.candidate is not None and self.candidate.is_elected:
            with self._log_failure("Other callbacks may ring too"):
                self.candidate.record_found_call(progress)

    def withdraw(self) -> None:
        """Give up the claim (the right to ring), so that another callback can ring immediately.

        If this callback has placed a call, the method does nothing.
        """
        if self.candidate is None or self._newest is not None:
            return
        with self._log_failure("Other callbacks wait for this one"):
            self.candidate.withdraw()

    def delete_expired(self) -> None:
        """Delete expired Variables of other alerts, if this callback has placed a call and can delete them.

        The method takes seconds, so use it after the last call.
        """
        if self.candidate is None or self._newest is None or not self.candidate.may_write:
            return
        with self._log_failure(f"Expired Variables {KEY_PREFIX}… are not deleted"):
            delete_expired(system_clock.now(), keep=self.candidate.key)

    @contextmanager
    def _log_failure(self, consequence: str) -> Iterator[None]:
        """Context manager: log an error instead of raising it, because an alert must ring.

        The log line begins with the error's ``consequence``.
        """
        try:
            yield
        except AlertSuppressed:
            raise
        except Exception as error:  # for example no permission, or no connection to Airflow's API server
            reason = "" if isinstance(error, NoWinner) else "the Airflow Variable cannot be used: "
            self.log.warning("%s, because %s%s", consequence, reason, mask_phones(str(error)))


def furthest(*progresses: Progress | None) -> Progress | None:
    """Return the call whose person comes last in the alert's list. None: there is no call."""
    return max(filter(None, progresses), key=lambda progress: progress.person, default=None)
