"""Log and count the errors of an alert instead of raising them, so that Airflow's callback does not fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed
from airflow_provider_callapi.notifications._alert.alert_reason import AlertReason
from airflow_provider_callapi.observability.metrics import count_alert


class NoPersonRung(Exception):
    """Raised if no call of the alert is known to be placed. Earlier log lines give the reasons."""


@contextmanager
def log_instead_of_raising(context: Mapping[str, Any], log: Any) -> Iterator[None]:
    """Log and count an error of the ``with`` block instead of raising it. The log says why no phone rang."""
    try:
        yield
    except AlertSuppressed as suppressed:
        log.info("The alert for %s does not ring: %s", AlertReason.from_context(context), suppressed)
        count_alert("quiet")
    except Exception as error:
        kind = "" if isinstance(error, NoPersonRung) else f"{type(error).__name__}: "
        text = mask_phones(f"{kind}{error}")
        log.error("No person was rung for %s: %s", AlertReason.from_context(context), text)
        count_alert("nobody")


@contextmanager
def log_interrupted_escalation(reason: AlertReason, log: Any) -> Iterator[None]:
    """Log an error of the ``with`` block instead of raising it, and count the alert as one that has rung.

    Use the block only after a call was placed: the log says that a phone was rung.
    """
    try:
        yield
    except AlertSuppressed as suppressed:
        log.info("A phone was rung for %s, and this callback calls no one else: %s", reason, suppressed)
        count_alert("rang")
    except Exception as error:
        text = mask_phones(f"{type(error).__name__}: {error}")
        log.error("A phone was rung for %s, but the next people are not called: %s", reason, text)
        count_alert("rang")
