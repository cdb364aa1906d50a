"""The judgement of one assumption, and the facts on which a judgement is based."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from airflow_provider_callapi.verify.findings import Findings

Settings = dict[str, str]

APPEAR_TIMEOUT, REPORT_TIMEOUT, POLL_INTERVAL = 60.0, 120.0, 5.0
"""The defaults of the operators, in seconds."""


@dataclass(frozen=True)
class Judgement:
    """What the findings show about one assumption.

    :ivar seen: what was seen, as text. Empty: nothing was seen.
    :ivar holds: whether the assumption holds; None: not known.
    :ivar settings: the settings that the user must change: setting → new value, with a margin.
    """

    seen: str = ""
    holds: bool | None = None
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The findings, and the facts about the Airflow connection that a judgement needs.

    :ivar timezone: the time zone in the connection. None: the connection names no zone.
    :ivar has_data_api: whether the connection uses the Data API.
    :ivar now: epoch seconds.
    """

    findings: Findings
    timezone: str | None
    has_data_api: bool
    now: float

    @property
    def second_witness(self) -> Settings:
        """The setting that makes the Data API a second source for answers.

        Empty: the connection has this setting already.
        """
        return {} if self.has_data_api else {"data_api": "true"}


def with_margin(seconds: float) -> int:
    """Return a safe time limit for something that took the given seconds in a measurement."""
    return math.ceil((2 * seconds + 10) / 5) * 5


def seconds_text(value: float) -> str:
    """Return a number of seconds as text."""
    return f"{value:g} s"
