"""The notifier's parameters as one object, with defaults in place of values that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.outcomes.marks import Mark
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.notifications._alert.contacts import check_external_id, read_region
from airflow_provider_callapi.parameters.kind import Kind, count, seconds
from airflow_provider_callapi.parameters.kinds import CONTACTS, IDENTIFIER, SECONDS_OR_ZERO, TEXT
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
    "scenario_id": "only the message is spoken",
    "acknowledged_by": "an answer acknowledges the alert",
    "quiet_for": f"the default ({DEFAULT_QUIET_FOR.total_seconds():g} s) is used",
    "settle": f"the default ({DEFAULT_SETTLE:g} s) is used",
    "report_timeout": f"the default ({DEFAULT_REPORT_TIMEOUT:g} s) is used",
}
"""Name of an optional parameter → what happens if the parameter cannot be used, as a text for the log."""


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


def read_options(given: Mapping[str, Any], log: Any) -> AlertOptions:
    """Read the parameters of an alert that is due.

    If an optional parameter cannot be used, the alert must ring nevertheless. The function then logs the
    error, and uses the parameter's default. It leaves the message and the dialling timeout unchanged, because
    they are checked with the start request.

    :param given: the notifier's parameters, name → value, after their templates are rendered.
    """

    def read(name: str, default: Any, check: Callable[[Any], Any] | None = None) -> Any:
        check = check or partial(read_parameter, name, kind=ALERT_PARAMETERS[name])
        try:
            return check(given[name])
        except InvalidParameter as error:
            log.error("%s, so %s", error, FALLBACKS[name])
            return default

    contact = given["contact"]
    region = read("region", "", read_region)  # with a guessed region, the phone of a stranger could ring
    scenario_id = read("scenario_id", None)
    return AlertOptions(
        contact=contact,
        region=region,
        virtual_phone_number=given["virtual_phone_number"],
        message=given["message"],
        callapi_conn_id=given["callapi_conn_id"],
        external_id=read("external_id", None, lambda own_id: _read_external_id(own_id, contact, region)),
        quiet_for=read("quiet_for", DEFAULT_QUIET_FOR.total_seconds()),
        dialing_timeout=given["dialing_timeout"],
        settle=read("settle", DEFAULT_SETTLE),
        scenario_id=scenario_id,
        acknowledged_by=read("acknowledged_by", (), lambda marks: read_acknowledgement(marks, scenario_id)),
        report_timeout=read("report_timeout", DEFAULT_REPORT_TIMEOUT),
    )


def _read_external_id(external_id: Any, contact: Any, region: str) -> str | None:
    """Return an alert's own id. None: the author set no id.

    :raises InvalidParameter: the id is no text, or contains the phone number of a person to ring.
    """
    if external_id is None or external_id == "":
        return None
    own_id: str = read_parameter("external_id", external_id, TEXT)
    check_external_id(own_id, contact, region)
    return own_id


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
