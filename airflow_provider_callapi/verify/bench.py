"""The `Bench`: all that a probe of ``airflow callapi verify`` needs, e.g. the services and the options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.gateway import Gateway
from airflow_provider_callapi.verify.own_call.call_run import CallPlan
from airflow_provider_callapi.verify.report_reader import ReportReader


@dataclass(frozen=True)
class Options:
    """The phone numbers that the user of ``airflow callapi verify`` gives, and the connection's time zone.

    If a phone number is None, the command leaves out the probes (experiments) that need it.

    :ivar contact: the number of the user's own phone. Each probe that places a call needs it.
    :ivar virtual_number: the account's virtual number that the ringing phone displays. Each probe that places
        a call needs it.
    :ivar dead_operator: the number of a phone that is switched off.
    :ivar second_number: the number of the user's second phone.
    :ivar timezone: the time zone in the Airflow connection; None: the connection names no zone.
    """

    contact: str | None = field(default=None, repr=False)
    virtual_number: str | None = field(default=None, repr=False)
    dead_operator: str | None = field(default=None, repr=False)
    second_number: str | None = field(default=None, repr=False)
    timezone: str | None = None


@dataclass(frozen=True)
class Bench:
    """Everything that a probe needs: the argument of each function ``probe_…``.

    :ivar gateway: the Call API, the Data API, the clock, and the output to the user.
    :ivar options: the user's phone numbers, and the connection's time zone.
    :ivar findings: what the probes have found out so far. Each probe adds its findings to this object.
    :ivar reader: reads reports of the Data API. None: the connection does not use the Data API.
    :ivar place: a function that places a call, watches it to its end, and returns what was seen.
    """

    gateway: Gateway
    options: Options
    findings: Findings
    reader: ReportReader | None
    place: Callable[[CallPlan], CallSeen]


class NotPossible(Exception):
    """The error of a probe that cannot find anything out, because of the account or of the user's options.

    The error message gives the reason, e.g. ``the connection does not use the Data API``.
    """
