"""What the findings show about one assumption, and what a judgement needs to know."""

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

    :ivar seen: what was seen; empty: nothing.
    :ivar holds: whether the assumption holds; None: not known.
    :ivar settings: setting → value with a margin. These settings need a change.
    """

    seen: str = ""
    holds: bool | None = None
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The findings, with the facts about the connection that a judgement needs.

    :ivar timezone: the time zone in the connection; None: the connection leaves the zone to the account.
    :ivar has_data_api: whether the connection uses the Data API.
    :ivar now: epoch seconds.
    """

    findings: Findings
    timezone: str | None
    has_data_api: bool
    now: float

    @property
    def second_witness(self) -> Settings:
        """The setting that makes the Data API the second witness, if the connection lacks it."""
        return {} if self.has_data_api else {"data_api": "true"}


def with_margin(seconds: float) -> int:
    """Return a time limit that is safe if a measurement took this many seconds."""
    return math.ceil((2 * seconds + 10) / 5) * 5


def seconds_text(value: float) -> str:
    """Return a number of seconds as text."""
    return f"{value:g} s"
