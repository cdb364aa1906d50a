"""What the author of a campaign decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.calls.campaign.hours import CallingHours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.tagging import TagRules

NEVER = float("inf")


@dataclass(frozen=True)
class Rules:
    """Times are seconds, ``dial_until`` is an epoch time.

    :ivar redial: seconds from a call's end to the next attempt, by its result; absent or None: never.
    :ivar max_attempts: calls to one person, not counting those that rang no phone.
    :ivar max_active: calls that may be active at once.
    :ivar at_once: calls dialled at the same time: so many may be in doubt after a crash.
    :ivar appear_timeout: within which a placed call is listed.
    :ivar call_timeout: after which a call that is still listed is not watched any more.
    :ivar report_timeout: within which the Data API reports a call; None: there is no Data API.
    :ivar timezone: the account's, which the reports' times are in.
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
