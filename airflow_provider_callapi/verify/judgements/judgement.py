"""Defines the judgement about one assumption of this package, and the data for the judgement.

`Judgement` states whether the assumption holds. `Context` contains the findings, and the settings of the
Airflow connection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from airflow_provider_callapi.verify.findings import Findings

Settings = dict[str, str]

APPEAR_TIMEOUT, REPORT_TIMEOUT = 60.0, 120.0
"""The default values of these parameters of the Airflow operators, in seconds."""


@dataclass(frozen=True)
class Judgement:
    """The judgement about one assumption of the package: whether the assumption holds.

    :ivar seen: what the probes have seen, e.g. ``after 7.5 s at most``. Empty: they have seen nothing.
    :ivar holds: whether the assumption holds according to the findings; None: not known.
    :ivar settings: name of a setting → the value that the user should give the setting, e.g.
        ``{"appear_timeout": "90"}``. Empty: no advice.
    """

    seen: str = ""
    holds: bool | None = None
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The data for all judgements: the findings, and some contents of the Airflow connection.

    :ivar findings: what the probes (experiments) have found out.
    :ivar timezone: the time zone in the connection. None: the connection names no zone.
    :ivar has_data_api: whether the connection uses the Data API.
    :ivar now: the present time, epoch seconds.
    """

    findings: Findings
    timezone: str | None
    has_data_api: bool
    now: float

    @property
    def second_witness(self) -> Settings:
        """The advice to use the Data API as a second source about calls, beside ``list.calls``.

        The dict has the form of `Judgement.settings`: name of a setting → advised value. It is
        ``{"data_api": "true"}``, or empty if the connection already uses the Data API.
        """
        return {} if self.has_data_api else {"data_api": "true"}


def with_margin(seconds: float) -> int:
    """Return a safe time limit, in seconds, for an event that took a measured time.

    The result is twice the measured time plus 10, rounded up to a multiple of 5. For example, 7 gives 25.

    :param seconds: the measured time.
    """
    return math.ceil((2 * seconds + 10) / 5) * 5


def seconds_text(value: float) -> str:
    """Return a number of seconds as text, e.g. ``7.5 s``."""
    return f"{value:g} s"
