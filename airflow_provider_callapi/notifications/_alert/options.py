"""The notifier's parameters as one object, with defaults in place of values that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.marks import Mark
from airflow_provider_callapi.calls.phone_numbers.comparison import SHOWN_NUMBER
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_region
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.notifications._alert.contacts import shows_number
from airflow_provider_callapi.parameters.kinds import (
    CONTACTS,
    IDENTIFIER,
    SECONDS_OR_ZERO,
    TEXT,
    Kind,
    count,
    seconds,
)
from airflow_provider_callapi.parameters.schema import Schema, read_parameter


def _read_id(value: Any) -> str:
    return "" if value == "" else TEXT.read(value)


ALERT_PARAMETERS: Schema = {
    "contact": CONTACTS,
    "region": TEXT,
    "virtual_phone_number": TEXT,
    "callapi_conn_id": TEXT,
    "quiet_for": SECONDS_OR_ZERO,
    "settle": seconds(zero=True, at_most=60),
    "report_timeout": SECONDS_OR_ZERO,
    "scenario_id": IDENTIFIER.or_none("a message only"),
}
"""The notifier's parameters, except the message, the id and the dialling timeout."""
OPTIONAL_PARAMETERS: Schema = {
    "external_id": Kind("a text", _read_id).or_none("the id of the DAG run"),
    "dialing_timeout": count(at_most=120).or_none("the service's default"),
}
"""The parameters whose constants must be valid. A template whose value is not valid counts as not set."""
DEFAULT_QUIET_FOR = timedelta(minutes=15)
DEFAULT_SETTLE = 4.0
DEFAULT_REPORT_TIMEOUT = 30.0

FALLBACKS = {
    "region": "only numbers with a country code are called",
    "message": "the default text is spoken",
    "external_id": "the id of the DAG run is used",
    "dialing_timeout": "the service's default is used",
}
"""Name of an optional template field → what happens if the field cannot be used, as a text for the log."""


@dataclass(frozen=True)
class AlertOptions:
    """The parameters of `CallApiNotifier` after their templates are rendered. Durations are in seconds."""

    contact: Any = field(repr=False)  # as the author gave it: a text, a number or a list
    region: str  # empty: unknown
    virtual_phone_number: str
    message: Any = field(repr=False)  # None: the default text
    callapi_conn_id: str
    external_id: str | None  # None: the default id
    quiet_for: float
    dialing_timeout: Any  # None: the service's default
    settle: float
    scenario_id: Any  # None: only a message
    acknowledged_by: tuple[Mark, ...]  # empty: an answer acknowledges the alert
    report_timeout: float


def read_acknowledgement(acknowledged_by: Any, scenario_id: Any) -> tuple[Mark, ...]:
    """Read the parameter ``acknowledged_by``. Return the marks that acknowledge an alert, e.g. ``tag:36``.

    A mark is an operation or a tag that the scenario gives the call, e.g. when the person presses a phone
    key. Empty: any answered call acknowledges the alert.

    :raises InvalidParameter: a mark cannot be used, or the alert has marks and no scenario.
    """
    if acknowledged_by is None:
        return ()
    texts = [acknowledged_by] if isinstance(acknowledged_by, str) else acknowledged_by
    if not isinstance(texts, list | tuple) or not texts:  # an empty list may be a mistake, unlike None
        raise InvalidParameter("acknowledged_by: a mark such as 'tag:36', a list of marks, or None is needed")
    try:
        marks = tuple(map(Mark.parse, texts))
    except (TypeError, ValueError) as error:
        raise InvalidParameter(f"acknowledged_by: {error}") from None
    if scenario_id is None:
        raise InvalidParameter("acknowledged_by needs scenario_id: only a scenario takes phone keys")
    return marks


def read_due_acknowledgement(acknowledged_by: Any, scenario_id: Any, log: Any) -> tuple[Mark, ...]:
    """Read the parameter ``acknowledged_by`` while the alert is being sent. Return the marks.

    A mark is an operation or a tag of a call. If a mark cannot be used, the function logs an error, and
    returns an empty tuple: any answered call then acknowledges the alert.
    """
    try:
        return read_acknowledgement(acknowledged_by, scenario_id)
    except InvalidParameter as error:  # the alert must ring nevertheless
        log.error("%s; so an answer acknowledges the alert", error)
        return ()


def read_scenario(scenario_id: Any, log: Any) -> int | None:
    """Return the id of an alert's scenario. None: no valid id is set, so a call only speaks the message."""
    try:
        scenario: int | None = read_parameter("scenario_id", scenario_id, ALERT_PARAMETERS["scenario_id"])
    except InvalidParameter as error:  # the alert must ring nevertheless
        log.error("%s, so only the message is spoken", error)
        return None
    return scenario


def render_optional(values: Mapping[str, Any], render: Callable[[str, Any], Any], log: Any) -> dict[str, Any]:
    """Render the notifier's optional fields. Return name → value; None: the field cannot be rendered."""
    rendered = {}
    for name, value in values.items():
        try:
            rendered[name] = render(name, value)
        except Exception as error:  # a mistake in an optional field must not prevent the alert
            rendered[name] = None
            text = mask_phones(f"{type(error).__name__}: {error}")
            log.error("%s cannot be rendered, so %s: %s", name, FALLBACKS[name], text)
    return rendered


def read_region(region: Any, log: Any) -> str:
    """Return the ISO 3166 code ``region`` of an alert. If it is no such code, log this and return ``""``."""
    if isinstance(region, str) and is_region(region):
        return region
    # With a guessed region, the phone of a stranger could ring.
    shown = mask_phones(repr(region))
    log.error("region: %s is not a code of ISO 3166, such as 'RU', so %s", shown, FALLBACKS["region"])
    return ""


def read_external_id(external_id: Any, contact: Any, region: str, log: Any) -> Any:
    """Return an alert's ``external_id``. None: the author set no id, or the id cannot be used.

    An id cannot be used if it is no text, or contains the contact's number. The function logs such an error.
    """
    if external_id is None or external_id == "":
        return None
    try:
        external_id = read_parameter("external_id", external_id, TEXT)
    except InvalidParameter as error:
        log.error("%s, so %s", error, FALLBACKS["external_id"])
        return None
    if not shows_number(external_id, contact, region):
        return external_id
    log.error("external_id: %s, so %s", SHOWN_NUMBER, FALLBACKS["external_id"])
    return None


def read_duration(name: str, value: Any, default: timedelta | float, log: Any) -> float:
    """Return a duration of the notifier in seconds. If the value is not allowed, return the default."""
    try:
        duration: float = read_parameter(name, value, ALERT_PARAMETERS[name])
    except InvalidParameter as error:  # a mistake in a duration must not prevent the alert
        duration = read_parameter(name, default, ALERT_PARAMETERS[name])
        log.error("%s, so the default (%g s) is used", error, duration)
    return duration
