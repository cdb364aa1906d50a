"""The rules that a campaign's author sets: when and how often people are called, and when the task fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.calls.calling_hours.hours import CallingHours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.marks import Mark
from airflow_provider_callapi.calls.tagging import TagRules

NEVER = float("inf")


@dataclass(frozen=True)
class Rules:
    """When and how often a campaign calls people, and how long it waits for calls and reports.

    A mark is an operation or a tag that a call may have. A delay of a redial counts from the end of the call.

    :ivar hours: the hours and days on which people may be called.
    :ivar redial: result of a call → delay of the redial in seconds. If a result is missing or has None, there
        is no redial.
    :ivar redial_marks: mark of a call → delay of the redial in seconds; None: no redial. For a call with the
        mark, this setting replaces ``redial``, and applies even if the contact answered. If a call has
        several of these marks, the first mark in the dict applies.
    :ivar block_marks: if a call has one of these marks, the campaign puts the person on the account's
        blacklist.
    :ivar max_attempts: how many calls one person gets at most. Calls that rang no phone do not count.
    :ivar max_active: how many calls may be active at the same time.
    :ivar at_once: how many start requests may wait for an answer at the same time. If the process crashes, at
        most this many calls are lost: it is unknown whether the service placed them.
    :ivar appear_timeout: seconds from the start of a call. If no snapshot shows the call in this time, the
        call counts as ended.
    :ivar call_timeout: seconds from the start of a call. After this time, the campaign stops watching the
        call, even if the call is still active.
    :ivar report_timeout: how many seconds after the end of a call the campaign waits for the Data API's
        report. While the Data API does not answer, the campaign waits longer. None: there is no Data API.
    :ivar absence_proven_after: seconds. If snapshots prove for this long that a lost call is not active, and
        the Data API does not report the call either, the call was never placed. The campaign then dials the
        person again. None: a lost call that is not found gets the result ``unresolved``.
    :ivar timezone: IANA name of the account's time zone, in which the Data API's reports state times.
    :ivar dial_until: when dialling ends, epoch seconds; infinity: no end.
    :ivar tags: outcome of a call → id of the tag for calls with this outcome, such as ``{"answered": 36}``.
    """

    hours: CallingHours = field(default_factory=CallingHours)
    redial: Mapping[Result, float | None] = field(default_factory=dict)
    redial_marks: Mapping[Mark, float | None] = field(default_factory=dict)
    block_marks: tuple[Mark, ...] = ()
    max_attempts: int = 3
    max_active: int = 10
    at_once: int = 8
    appear_timeout: float = 60.0
    call_timeout: float = 3600.0
    report_timeout: float | None = None
    absence_proven_after: float | None = None
    timezone: str = "UTC"
    dial_until: float = NEVER
    tags: TagRules = field(default_factory=dict)


@dataclass(frozen=True)
class FailureLimits:
    """The limits above which a campaign's task fails, as shares from 0.0 to 1.0. None: there is no limit.

    For example, ``unreached=0.5`` makes the task fail if more than half of the people did not answer.
    ``unreached`` and ``unknown`` are shares of the people whom the campaign can call. Invalid rows and people
    on the do-not-call list are not counted.

    :ivar unreached: limit for the share of people without an answered call.
    :ivar unknown: limit for the share of people with the result ``unknown`` or ``unresolved``.
    :ivar invalid: limit for the share of invalid rows (rows from which no call can be made) in the contact
        list. Duplicates do not count.
    """

    unreached: float | None = None
    unknown: float | None = None
    invalid: float | None = None
