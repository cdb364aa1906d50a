"""The parameters that all start operators share, as one object.

The operator's constructor checks the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Self, get_args

from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.outcomes.tagging import TagRules
from airflow_provider_callapi.calls.single_call.placing import Delivery
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._option_checks import check_absence_proven_after, check_calling_days
from airflow_provider_callapi.operators._tags import TAGS
from airflow_provider_callapi.parameters.kind import choice, count
from airflow_provider_callapi.parameters.kinds import (
    CALLING_DAYS,
    CALLING_HOURS,
    FLAG,
    INTERVAL,
    LIMIT,
    SECONDS,
    SECONDS_OR_ZERO,
    TABLE,
    TEXT,
    TIMEZONE,
)
from airflow_provider_callapi.parameters.schema import Schema

CALL_OPTIONS: Schema = {
    "region": TEXT,
    "calling_hours": CALLING_HOURS,
    "calling_days": CALLING_DAYS,
    "timezone": TIMEZONE,
    "wait_for_completion": FLAG,
    "deferrable": FLAG,
    "poll_interval": INTERVAL,
    "appear_timeout": SECONDS,
    "timeout": SECONDS,
    "poll_failures_tolerated": count(at_least=0),
    "report_timeout": SECONDS_OR_ZERO,
    "require_answer": FLAG,
    "delivery": choice(get_args(Delivery)),
    "absence_proven_after": SECONDS.or_none("absence proves nothing"),
    "durable": FLAG,
    "cancel_on_kill": FLAG,
    "max_lateness": LIMIT,
    "recording_link": FLAG,
    "refused_as_result": FLAG,
    "results": TABLE.or_none("no table"),
    "operations": FLAG,
    "tags": TAGS,
}
"""The parameters that all start operators share, except the fields of the API method."""


@dataclass(frozen=True)
class CallOptions:
    """The checked parameters of a start operator. Timeouts and intervals are in seconds.

    :raises InvalidParameter: two parameters cannot be used together.
    """

    region: str
    calling_hours: tuple[time, time] | None
    calling_days: CallingDays | None
    timezone: str
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    appear_timeout: float
    timeout: float
    poll_failures_tolerated: int
    report_timeout: float
    require_answer: bool
    delivery: Delivery
    absence_proven_after: float | None
    durable: bool
    cancel_on_kill: bool
    max_lateness: timedelta | None
    recording_link: bool
    refused_as_result: bool
    results: TableName | None
    operations: bool
    tags: TagRules

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the parameters of a start operator as one object.

        :param values: parameter name → value.
        :raises InvalidParameter: two parameters cannot be used together.
        """
        return cls(**{name: values[name] for name in CALL_OPTIONS})

    def __post_init__(self) -> None:
        check_absence_proven_after(self.absence_proven_after, self.appear_timeout)
        check_calling_days(self.calling_days)
        if self.refused_as_result and self.delivery != "at_most_once":
            raise InvalidParameter(
                "refused_as_result needs delivery='at_most_once': an earlier attempt may have rung a phone"
            )
        needs_the_end = {
            "require_answer": self.require_answer,
            "tags": self.tags,
            "recording_link": self.recording_link,
            "operations": self.operations,
        }
        for name, is_set in needs_the_end.items():
            if is_set and not self.wait_for_completion:
                raise InvalidParameter(f"{name} needs wait_for_completion=True")
