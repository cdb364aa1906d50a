"""Metrics about calls, requests and polls.

Metrics go to the backend for which Airflow is configured, e.g. StatsD. A metric that cannot be sent never
stops a task. Metrics contain no phone numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.observability.never_fails import never_fails

if TYPE_CHECKING:  # keeps the parsing of DAG files fast
    from airflow_provider_callapi.api.models import Limits
    from airflow_provider_callapi.calls.campaign.ledger import Attempt

CallOutcomeTag = Literal["answered", "not_answered", "unknown", "started", "refused", "unresolved"]
"""The ``outcome`` tag of the metric ``callapi.calls``.

``started``: the call was placed, and the task does not wait for the call's end. ``unknown``: the call ended,
and it is unknown whether the contact answered.
"""
AlertResultTag = Literal["answered", "rang", "quiet", "nobody"]
"""The ``result`` tag of the metric ``callapi.alerts``.

``answered``: a person answered the alert's call. ``rang``: a phone rang, and it is unknown whether a person
answered. ``quiet``: an earlier alert suppressed this alert. ``nobody``: no phone rang.
"""


def count_call(outcome: CallOutcomeTag) -> None:
    """Add one to the metric ``callapi.calls``, which counts the calls of start operators by outcome.

    :param outcome: the metric's tag, e.g. ``answered``. For ``unresolved``, also add one to
        ``callapi.unresolved``.
    """
    _send("incr", "callapi.calls", outcome=outcome)
    if outcome == "unresolved":
        _send("incr", "callapi.unresolved")


def count_alert(result: AlertResultTag) -> None:
    """Add one to the metric ``callapi.alerts``, which counts the notifier's alerts by result.

    :param result: the metric's tag, e.g. ``quiet``.
    """
    _send("incr", "callapi.alerts", result=result)


def record_points_left(limits: Limits, *, conn_id: str, service: str) -> None:
    """Set the metrics that show how many points (rate-limit units) the account has left.

    The metrics are ``callapi.points.minute_remaining`` and ``callapi.points.day_remaining``. A number that
    the reply lacks changes no metric.

    :param limits: the limits in the reply of the service.
    :param conn_id: id of the Airflow connection, a tag of the metrics.
    :param service: ``call_api`` or ``data_api``, a tag of the metrics.
    """
    for name in ("minute_remaining", "day_remaining"):
        if (points := getattr(limits, name)) is not None:
            _send("gauge", f"callapi.points.{name}", points, conn_id=conn_id, service=service)


def record_poll_age(seconds: float, *, conn_id: str) -> None:
    """Set the metric ``callapi.poll.age`` of a triggerer. A growing value shows that polls fail.

    :param seconds: after a poll: the seconds since the last successful poll of the connection. When no
        trigger polls the connection any more: 0.
    :param conn_id: id of the Airflow connection.
    """
    _send("gauge", "callapi.poll.age", round(seconds, 3), conn_id=conn_id)


def record_request(seconds: float, *, method: str, result: str) -> None:
    """Record the duration of one request in the metric ``callapi.requests``.

    :param seconds: the time from the start of the send to the parsed answer or the error.
    :param method: the API method, e.g. ``list.calls``.
    :param result: ``ok``, or the class name of the error.
    """
    _send("timing", "callapi.requests", timedelta(seconds=seconds), method=method, result=result)


def count_finished_attempts(campaign: str, attempts: Iterable[Attempt]) -> None:
    """Count each finished attempt of a campaign in the metric ``callapi.campaign.calls``.

    :param campaign: the campaign's name, a tag of the metric.
    :param attempts: attempts that the campaign's ledger has stored just now.
    """
    for attempt in attempts:
        if attempt.status == "finished" and attempt.result is not None:
            _send("incr", "callapi.campaign.calls", campaign=campaign, result=attempt.result.value)
            if attempt.result == "unresolved":
                _send("incr", "callapi.unresolved")


def _send(kind: Literal["incr", "gauge", "timing"], name: str, *values: Any, **tags: str) -> None:
    """Send a metric with tags.

    By default, also send it under a name with the tags' values, e.g. ``callapi.calls.answered``.
    """
    with never_fails(f"the metric {name}"):
        send = getattr(_stats(), kind)
        send(name, *values, tags=tags)
        # Airflow's default StatsD setup drops tags, so Airflow itself also sends both forms.
        if tags and _sends_names_with_tags():
            send(".".join((name, *map(_name_part, tags.values()))), *values)


@cache  # a look-up of the option is slow
def _sends_names_with_tags() -> bool:
    """Return Airflow's option ``legacy_names_on``.

    True: each metric is also sent with the tags' values in its name.
    """
    return bool(conf.getboolean("metrics", "legacy_names_on", fallback=True))


@cache
def _stats() -> Any:
    """Return Airflow's ``Stats`` object, through which a task or a trigger sends metrics."""
    # Airflow 3.2 and newer have a second `Stats` object, for tasks and triggers. A triggerer does not
    # initialize this object. The import does.
    with suppress(ImportError):  # older versions of Airflow have one `Stats` object
        import airflow.sdk.serde  # noqa: F401, PLC0415

    from airflow.providers.common.compat.sdk import Stats  # noqa: PLC0415 - keeps DAG parsing fast

    return Stats


def _name_part(tag: str) -> str:
    """Return the value of a metric's tag in a form that can be a part of the metric's name.

    Underscores replace dots and forbidden characters. If these are not ASCII, a short hash of the value
    follows: otherwise, ``весна`` and ``осень`` would be one name.
    """
    part = re.sub(r"[^A-Za-z0-9_-]", "_", tag.replace(".", "__"))  # two for a dot, as in Airflow
    if tag.isascii():
        return part
    return f"{part}_{hashlib.sha256(tag.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
