"""The notifier's parameters as one object, with defaults in place of values that cannot be used.

So a mistake in an optional parameter does not prevent the alert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.marks import Mark
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kinds import CONTACTS, IDENTIFIER, SECONDS_OR_ZERO, TEXT, seconds
from airflow_provider_callapi.parameters.schema import Schema, read_parameter

ALERT_PARAMETERS: Schema = {
    "contact": CONTACTS,
    "virtual_phone_number": TEXT,
    "callapi_conn_id": TEXT,
    "quiet_for": SECONDS_OR_ZERO,
    "settle": seconds(zero=True, at_most=60),
    "report_timeout": SECONDS_OR_ZERO,
    "scenario_id": IDENTIFIER.or_none("a message only"),
}
"""The notifier's parameters, except those in `FALLBACKS`."""
DEFAULT_QUIET_FOR = timedelta(minutes=15)
DEFAULT_SETTLE = 4.0
DEFAULT_REPORT_TIMEOUT = 30.0

FALLBACKS = {
    "message": "the default text is spoken",
    "external_id": "the id of the DAG run is used",
    "dialing_timeout": "the service's default is used",
}
"""Name of an optional template field → what happens if the field cannot be used, as a text for the log."""


@dataclass(frozen=True)
class AlertOptions:
    """The parameters of `CallApiNotifier` after their templates are rendered.

    Each attribute has the name and the meaning of a parameter of the notifier. Durations are in seconds.

    :ivar contact: the phone numbers as the author gave them: a text, a number or a list.
    :ivar message: a text, or a dict such as ``{"type": "media", "value": "2034"}``. None: the default text.
    :ivar external_id: the id of the alert. None: the default id.
    :ivar dialing_timeout: how long a phone rings. None: the service's default.
    :ivar scenario_id: the scenario that runs after the message. None: no scenario.
    :ivar acknowledged_by: the marks that acknowledge the alert. Empty: an answer acknowledges the alert.
    """

    contact: Any = field(repr=False)
    region: str
    virtual_phone_number: str
    message: Any = field(repr=False)
    callapi_conn_id: str
    external_id: str | None
    quiet_for: float
    dialing_timeout: Any
    settle: float
    scenario_id: Any
    acknowledged_by: tuple[Mark, ...]
    report_timeout: float


def read_acknowledgement(acknowledged_by: Any, scenario_id: Any) -> tuple[Mark, ...]:
    """Return the marks that acknowledge an alert if a call has one of them.

    :param acknowledged_by: a mark such as ``"operation:Confirmed"`` or ``"tag:36"``, or a list of marks.
        None: an answer acknowledges the alert, so the result is empty.
    :param scenario_id: the scenario that the alert runs. None: the alert only speaks a message.
    :raises ValueError: an entry is not a mark, or ``acknowledged_by`` is given without a scenario.
    """
    if acknowledged_by is None:
        return ()
    texts = [acknowledged_by] if isinstance(acknowledged_by, str) else acknowledged_by
    try:
        marks = tuple(map(Mark.parse, texts))
    except (TypeError, ValueError) as error:
        raise ValueError(f"acknowledged_by: {error}") from None
    if scenario_id is None:
        raise ValueError("acknowledged_by needs scenario_id: only a scenario takes phone keys")
    return marks


def render_optional(values: Mapping[str, Any], render: Callable[[Any], Any], log: Any) -> dict[str, Any]:
    """Render the notifier's optional template fields. Return field name → rendered value.

    If a field cannot be rendered, the function logs the error and uses None as the value, because a mistake
    in an optional field must not prevent the alert.

    :param values: field name → template, e.g. ``{"message": "Task {{ ti.task_id }} failed"}``.
    :param render: a function. It gets a template, and returns the rendered value.
    """
    rendered = {}
    for name, value in values.items():
        try:
            rendered[name] = render(value)
        except Exception as error:
            rendered[name] = None
            text = mask_phones(f"{type(error).__name__}: {error}")
            log.error("%s cannot be rendered, so %s: %s", name, FALLBACKS[name], text)
    return rendered


def read_duration(name: str, value: Any, default: timedelta | float, log: Any) -> float:
    """Return a duration in seconds: the value that the author gave to a parameter of the notifier.

    If the value is not allowed, the function logs the mistake and returns the default.

    :param name: the name of the notifier's parameter, e.g. ``quiet_for``.
    :param value: the author's value, as a timedelta or in seconds.
    :param default: the parameter's default, as a timedelta or in seconds.
    """
    try:
        duration: float = read_parameter(name, value, ALERT_PARAMETERS[name])
    except InvalidParameter as error:
        log.error("%s, so the default is used", error)
        duration = read_parameter(name, default, ALERT_PARAMETERS[name])
    return duration
