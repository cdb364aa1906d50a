"""The rules that a campaign's author sets: when and how often people are called, and when the task fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_callapi.calls.calling_hours.hours import NEVER, CallingHours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.marks import Mark
from airflow_provider_callapi.calls.outcomes.tagging import TagRules


@dataclass(frozen=True)
class Rules:
    """When and how often a campaign calls people, and how long it waits for calls and reports.

    A mark is an operation or a tag that a call may have. A delay counts from the end of the call.

    :ivar hours: the hours and days on which people may be called.
    :ivar redial: result of a call → delay of the redial in seconds. None, or no entry: no redial.
    :ivar redial_marks: mark of a call → delay of the redial in seconds; None: no redial. If the call has one
        of these marks, its delay replaces the delay in ``redial``, even if the contact answered. If the call
        has several, the first of them in this dict counts.
    :ivar block_marks: if a call has one of these marks, the person gets no redial, and the campaign puts the
        person on the account's blacklist.
    :ivar max_attempts: how many calls one person gets at most. Calls that rang no phone do not count.
    :ivar max_active: how many calls may be active at the same time.
    :ivar at_once: how many start requests may wait for an answer at the same time. After a crash of
        the process, at most this many calls are unconfirmed.
    :ivar appear_timeout: seconds from the start of a call. A call that no snapshot has shown by then counts
        as ended.
    :ivar call_timeout: for how many seconds from the start of a call the campaign watches the call. After
        this time, the call counts as ended.
    :ivar report_timeout: for how many seconds after the end of a call the campaign waits for the call's
        report. It waits longer while the Data API does not answer. None: there is no Data API.
    :ivar absence_proven_after: for how many seconds snapshots must prove that an unconfirmed call is not
        active. If no report shows the call either, the person is dialled again. None: an unconfirmed call
        that is not found gets the result ``unresolved``.
    :ivar contact_first: whether the contact's phone may ring before that of the other participant.
    :ivar timezone: IANA name of the account's time zone, in which the Data API's reports state times.
    :ivar dial_until: when dialling ends, epoch seconds; infinity: no end.
    :ivar tags: event → id of the tag for calls with this event, such as ``{"answered": 36, "ended": 38}``.
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
    contact_first: bool = False
    timezone: str = "UTC"
    dial_until: float = NEVER
    tags: TagRules = field(default_factory=dict)

    @property
    def has_data_api(self) -> bool:
        """Whether the campaign can ask the Data API for reports."""
        return self.report_timeout is not None


@dataclass(frozen=True)
class FailureLimits:
    """The shares, from 0.0 to 1.0, above which a campaign's task fails. None: there is no limit.

    For example, ``unreached=0.5`` makes the task fail if more than half of the people did not answer.

    The limits ``unreached`` and ``unknown`` concern the people who could be called. Invalid rows, people on
    the do-not-call list and people with the result ``called_recently`` do not count.

    :ivar unreached: limit for people without an answered call.
    :ivar unknown: limit for people with the result ``unknown`` or ``unresolved``.
    :ivar invalid: limit for invalid rows, as a share of all rows that are not duplicates.
    """

    unreached: float | None = None
    unknown: float | None = None
    invalid: float | None = None
