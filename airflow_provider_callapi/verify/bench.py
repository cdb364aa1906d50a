"""The object that every probe gets, with the gateway, the user's options and the findings so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_callapi.verify.call_run import CallPlan
from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.gateway import Gateway
from airflow_provider_callapi.verify.report_reader import ReportReader


@dataclass(frozen=True)
class Options:
    """The options that the user gives on the command line and in the Airflow connection.

    :ivar contact: the number of the user's own phone; None: the command places no call.
    :ivar virtual_number: the virtual number of the account that the phone displays.
    :ivar dead_operator: the number of a phone that is switched off. None: the probes that need this number
        are left out.
    :ivar second_number: the number of the user's second phone. None: the probes that need this number are
        left out.
    :ivar timezone: the time zone in the Airflow connection. None: the connection names no zone.
    """

    contact: str | None = field(default=None, repr=False)
    virtual_number: str | None = field(default=None, repr=False)
    dead_operator: str | None = field(default=None, repr=False)
    second_number: str | None = field(default=None, repr=False)
    timezone: str | None = None


@dataclass(frozen=True)
class Bench:
    """Everything that a probe (measurement) needs. Each function ``probe_…`` takes a `Bench` as its argument.

    :ivar gateway: the two services, the clock, and the output to the user.
    :ivar options: the options of the user.
    :ivar findings: where the probe stores what it finds out, and where it reads earlier findings.
    :ivar reader: reads reports of the Data API. None: the connection does not use the Data API.
    :ivar place: a function that places a call, watches the call to its end, and returns what was seen.
    """

    gateway: Gateway
    options: Options
    findings: Findings
    reader: ReportReader | None
    place: Callable[[CallPlan], CallSeen]


class NotPossible(Exception):
    """Raised if a probe cannot find anything out, because of the account or of the user's options.

    The error message gives the reason, e.g. ``the connection does not use the Data API``.
    """
