"""The rules that the author of a campaign sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.calls.campaign.hours import CallingHours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.tagging import TagRules

NEVER = float("inf")


@dataclass(frozen=True)
class Rules:
    """When and how often people are called.

    :ivar redial: seconds from a call's end to the next attempt, by result; absent or None: no redial.
    :ivar max_attempts: how many calls one person gets at most, without those that rang no phone.
    :ivar max_active: how many calls may be active at once.
    :ivar at_once: how many calls are dialled at the same time. After a crash, so many may be lost calls.
    :ivar appear_timeout: seconds within which ``list.calls`` shows a placed call.
    :ivar call_timeout: seconds after which a call that is still listed is no longer watched.
    :ivar report_timeout: seconds within which the Data API reports a finished call; None: no Data API.
    :ivar timezone: IANA name of the account's time zone. The reports' times are in it.
    :ivar dial_until: when dialling ends, epoch seconds.
    :ivar tags: ids of tags to set, by outcome.
    """

    hours: CallingHours = field(default_factory=CallingHours)
    redial: Mapping[Result, float | None] = field(default_factory=dict)
    max_attempts: int = 3
    max_active: int = 10
    at_once: int = 8
    appear_timeout: float = 60.0
    call_timeout: float = 3600.0
    report_timeout: float | None = None
    timezone: str = "UTC"
    dial_until: float = NEVER
    tags: TagRules = field(default_factory=dict)


@dataclass(frozen=True)
class FailureLimits:
    """Shares of people, 0.0 to 1.0, above which a campaign fails; None: it never fails for this reason.

    :ivar unreached: of the people who could be called, those who were not reached.
    :ivar unknown: of the people who could be called, those whose outcome is unknown.
    :ivar invalid: of all people on the list, those whose row makes no valid call.
    """

    unreached: float | None = None
    unknown: float | None = None
    invalid: float | None = None
