"""The objects that every probe (measurement) of ``airflow callapi verify`` uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_callapi.verify.call_run import CallPlan
from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.gateway import Gateway
from airflow_provider_callapi.verify.report_reader import ReportReader


@dataclass(frozen=True)
class Options:
    """The values that the user of ``airflow callapi verify`` sets on the command line and in the connection.

    :ivar contact: the user's own phone; None: no call is placed.
    :ivar virtual_number: the account's number that the called phone shows.
    :ivar dead_operator: a number that is switched off; None: the probes that need such a number are left out.
    :ivar second_number: the user's second phone; None: the probes that need a second phone are left out.
    :ivar timezone: the time zone in the connection; None: the connection leaves the zone to the account.
    """

    contact: str | None = field(default=None, repr=False)
    virtual_number: str | None = field(default=None, repr=False)
    dead_operator: str | None = field(default=None, repr=False)
    second_number: str | None = field(default=None, repr=False)
    timezone: str | None = None


@dataclass(frozen=True)
class Bench:
    """The gateway, the options, the findings so far, and the means of a probe (measurement).

    :ivar reader: asks the Data API for reports; None: the connection does not use the Data API.
    :ivar place: places a call, watches it to its end, and returns what was seen.
    """

    gateway: Gateway
    options: Options
    findings: Findings
    reader: ReportReader | None
    place: Callable[[CallPlan], CallSeen]


class NotPossible(Exception):
    """A probe cannot measure anything with this account. The error text gives the reason."""
