"""Converts attempts of a campaign to short plain JSON, and the JSON back to attempts."""

from __future__ import annotations

from typing import Any

from msgspec import NODEFAULT
from msgspec.structs import fields

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

_OF_ATTEMPT = {field.name: field.default for field in fields(Attempt) if field.name != "call"}
_OF_CALL = {field.name: field.default for field in fields(Outcome)}
_KNOWN_TWICE = ("external_id", "attempt")
"""Fields that an attempt and its call have both, usually with the same value."""


def json_of_attempt(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as plain JSON: name of a field → value. Times are epoch seconds.

    To save space, the JSON omits each field that has its default value. The field ``call`` contains the
    attempt's call. Both the attempt and the call have the fields ``external_id`` and ``attempt`` (a number).
    The JSON of the call omits such a field if both have the same value.
    """
    value = _changed(attempt, _OF_ATTEMPT)
    if attempt.call is not None:
        same = {name: getattr(attempt, name) for name in _KNOWN_TWICE}
        value["call"] = _changed(attempt.call, _OF_CALL | same)
    return value


def attempt_of_json(value: dict[str, Any]) -> Attempt:
    """Return the attempt that a dict from `json_of_attempt` describes."""
    known = dict(value)
    known["status"] = Status(known["status"])
    if "result" in known:
        known["result"] = Result(known["result"])
    if (call := known.get("call")) is not None:
        same = {name: value[name] for name in _KNOWN_TWICE}
        lists = {name: tuple(items) for name, items in call.items() if isinstance(items, list)}
        known["call"] = Outcome(**{**same, **call, **lists})
    return Attempt(**known)


def _changed(item: Attempt | Outcome, defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an attempt or a call as plain JSON. Omit fields with their default value."""
    changed = {}
    for name, default in defaults.items():
        value = getattr(item, name)
        if default is NODEFAULT or value != default:
            changed[name] = _plain(value)
    return changed


def _plain(value: Any) -> Any:
    if isinstance(value, Status | Result):
        return value.value
    return list(value) if isinstance(value, tuple) else value
