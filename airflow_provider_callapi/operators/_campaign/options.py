"""The parameters of the campaign operator as one object.

The operator's constructor checks those parameters that are not templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.calls.campaign.rules import FailureLimits
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._call.options import check_absence_proven_after


@dataclass(frozen=True)
class CampaignOptions:
    """The parameters of a campaign operator. Durations are seconds, except ``max_lateness``.

    Each option has the name and the meaning of the parameter that `CallApiCampaignOperator` describes.

    :raises ValueError: a parameter cannot be used. The text names the parameter.
    """

    call: Mapping[str, Any] = field(repr=False)
    contacts: Any = field(repr=False)
    callapi_conn_id: str
    campaign: str
    shard: str | None
    do_not_call: Any = field(repr=False)
    max_unreadable: int
    region: str
    timezone: str
    calling_hours: Sequence[str] | None
    calling_days: Sequence[str] | None
    max_active_calls: int
    points_reserve: float
    redial: Mapping[str, float | None] | None
    max_attempts: int
    max_lateness: timedelta | None
    ledger_conn_id: str | None
    min_gap: float | None
    results: str | None
    report: str | None
    failure_limits: FailureLimits
    tags: Mapping[str, int | str] | None
    is_dry_run: bool | str
    deferrable: bool
    poll_interval: float
    appear_timeout: float
    report_timeout: float
    absence_proven_after: float | None
    call_timeout: float
    cancel_on_kill: bool

    def __post_init__(self) -> None:
        if not isinstance(self.call, Mapping) or "method" not in self.call:
            raise ValueError("call: a mapping with a method is needed, {'method': 'start.informer_call', …}")
        for name in ("max_active_calls", "max_attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)!r} is less than 1")
        if self.poll_interval <= 0:
            raise ValueError(f"poll_interval: {self.poll_interval!r} is not a positive number of seconds")
        check_absence_proven_after(self.absence_proven_after, self.appear_timeout)
        if self.max_unreadable < 0:
            raise ValueError(f"max_unreadable: {self.max_unreadable!r} is less than 0")
        if not 0 <= self.points_reserve < 1:
            raise ValueError(f"points_reserve: {self.points_reserve!r} is not a share from 0 to 1")
        if self.min_gap is not None and self.ledger_conn_id is None:
            raise ValueError("min_gap needs ledger_conn_id: task state contains no calls of other campaigns")


def read_flag(value: Any, name: str) -> bool:
    """Convert a parameter to a boolean. The parameter is a boolean, or a rendered text such as ``false``.

    :param name: the name of the operator's parameter, for the error message.
    :raises CallApiFailure: the value is neither true nor false.
    """
    flag = {"true": True, "false": False}.get(str(value).strip().lower())
    if flag is None:
        raise CallApiFailure(f"{name}: true or false is needed. No call was placed.")
    return flag
