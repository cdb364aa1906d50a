"""The parameters of the campaign operator as one object, and the checks of these parameters."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any, Self

from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.campaign.engine.redial import redial_table
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import FailureLimits
from airflow_provider_callapi.calls.lists.exclusions import Exclusions
from airflow_provider_callapi.calls.outcomes.marks import Mark, read_marks
from airflow_provider_callapi.calls.outcomes.tagging import TagRules
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._campaign.file_types import check_type
from airflow_provider_callapi.operators._option_checks import check_absence_proven_after, check_calling_days
from airflow_provider_callapi.operators._tags import TAGS
from airflow_provider_callapi.parameters.kind import count, mapping_of, share
from airflow_provider_callapi.parameters.kinds import (
    CALLING_DAYS,
    CALLING_HOURS,
    EXCLUSIONS,
    FLAG,
    INTERVAL,
    LIMIT,
    MAPPING,
    NAME,
    PATH_OR_TABLE,
    ROWS,
    SECONDS,
    SECONDS_OR_ZERO,
    TEXT,
    TEXTS,
    TIMEZONE,
)
from airflow_provider_callapi.parameters.schema import Schema, as_invalid_parameter, read_parameters
from airflow_provider_callapi.parameters.templates import is_template

_LIMIT_SHARE = share().or_none("no limit")
_MOST_STARTS_AT_ONCE = 64
"""Each start request that waits for an answer needs a thread and a connection of its own."""

CAMPAIGN_OPTIONS: Schema = {
    "call": MAPPING,
    "contacts": ROWS,
    "callapi_conn_id": TEXT,
    "campaign": NAME,
    "shard": TEXT.or_none("the whole list"),
    "do_not_call": EXCLUSIONS.or_none("no list"),
    "max_unreadable": count(at_least=0),
    "region": TEXT,
    "timezone": TIMEZONE,
    "calling_hours": CALLING_HOURS,
    "calling_days": CALLING_DAYS,
    "max_active_calls": count(),
    "max_starts_at_once": count(at_most=_MOST_STARTS_AT_ONCE),
    "points_reserve": share(below_one=True),
    "operations": FLAG,
    "block_on": TEXTS.or_none("no one"),
    "redial": mapping_of(SECONDS_OR_ZERO.or_none("no redial")).or_none("all default delays"),
    "max_attempts": count(),
    "max_lateness": LIMIT,
    "ledger_conn_id": TEXT.or_none("task state"),
    "min_gap": SECONDS_OR_ZERO.or_none("no shortest time"),
    "results": PATH_OR_TABLE.or_none("no results"),
    "report": TEXT.or_none("no file"),
    "fail_if_unreached_over": _LIMIT_SHARE,
    "fail_if_unknown_over": _LIMIT_SHARE,
    "fail_if_invalid_over": _LIMIT_SHARE,
    "dry_run": FLAG,
    "deferrable": FLAG,
    "poll_interval": INTERVAL,
    "appear_timeout": SECONDS,
    "report_timeout": SECONDS_OR_ZERO,
    "absence_proven_after": SECONDS.or_none("absence proves nothing"),
    "call_timeout": SECONDS,
    "cancel_on_kill": FLAG,
    "tags": TAGS,
}
"""The parameters of the campaign operator."""


@dataclass(frozen=True)
class CampaignOptions:
    """The parameters of a campaign operator. Durations are seconds; ``max_lateness`` is a timedelta.

    The values are checked and converted. While Airflow reads the DAG file, a parameter with a template that
    is not rendered yet keeps the template.

    :ivar shard: the text of the author, such as ``"2/4"``. The campaign's identity stores the same text.
    :ivar block_marks: the parameter ``block_on``.
    :ivar redial: result of a call → delay of the redial in seconds. None, or no entry: no redial.
    :ivar redial_marks: the entries of ``redial`` for marks: mark → delay in seconds; None: no redial.
    :ivar tags: event → id of the tag.
    :raises InvalidParameter: a parameter cannot be used.
    """

    call: Mapping[str, Any] = field(repr=False)
    contacts: Any = field(repr=False)
    callapi_conn_id: str
    campaign: str
    shard: str | None
    do_not_call: Exclusions | None
    max_unreadable: int
    region: str
    timezone: str
    calling_hours: tuple[time, time] | None
    calling_days: CallingDays | None
    max_active_calls: int
    max_starts_at_once: int
    points_reserve: float
    operations: bool
    block_marks: tuple[Mark, ...]
    redial: Mapping[Result, float | None]
    redial_marks: Mapping[Mark, float | None]
    max_attempts: int
    max_lateness: timedelta | None
    ledger_conn_id: str | None
    min_gap: float | None
    results: str | TableName | None
    report: str | None
    failure_limits: FailureLimits
    tags: TagRules
    is_dry_run: bool
    deferrable: bool
    poll_interval: float
    appear_timeout: float
    report_timeout: float
    absence_proven_after: float | None
    call_timeout: float
    cancel_on_kill: bool

    @classmethod
    def read(cls, values: Mapping[str, Any], *, not_rendered: Collection[str] = ()) -> Self:
        """Return the checked and converted parameters of a campaign operator.

        :param values: parameter name → value.
        :param not_rendered: names of parameters whose templates are not rendered yet. Their templates are not
            checked.
        :raises InvalidParameter: the value of a parameter cannot be used.
        """
        read = read_parameters(CAMPAIGN_OPTIONS, values, not_rendered=not_rendered)
        limits = {name: read.pop(f"fail_if_{name}_over") for name in ("unreached", "unknown", "invalid")}
        read["is_dry_run"] = read.pop("dry_run")
        with as_invalid_parameter():
            read["redial"], read["redial_marks"] = redial_table(read["redial"])
        with as_invalid_parameter("block_on"):
            read["block_marks"] = tuple(read_marks(dict.fromkeys(read.pop("block_on") or ())))
        return cls(failure_limits=FailureLimits(**limits), **read)

    def __post_init__(self) -> None:
        if "method" not in self.call:
            raise InvalidParameter("call: a dict with a method, such as start.informer_call, is needed")
        self._check_paths()
        check_absence_proven_after(self.absence_proven_after, self.appear_timeout)
        check_calling_days(self.calling_days)
        if self.min_gap is not None and self.ledger_conn_id is None:
            raise InvalidParameter(
                "min_gap needs ledger_conn_id: task state contains no calls of other campaigns"
            )

    def _check_paths(self) -> None:
        for name, value in {**self._lists(), "results": self.results, "report": self.report}.items():
            if not is_template(value):
                check_type(name, value)
        if isinstance(self.results, str):
            self.check_results_path(self.results)

    def _lists(self) -> dict[str, Any]:
        exclusions = self.do_not_call
        rows = exclusions.rows if isinstance(exclusions, Exclusions) else exclusions
        return {"contacts": self.contacts, "do_not_call": rows}

    def check_results_path(self, path: str) -> None:
        """Check that the campaign does not write its results over a list of people, e.g. the contact list.

        The report needs no check, because a list has another file type.

        :param path: the path of the results file.
        :raises InvalidParameter: the campaign would overwrite the list.
        """
        for name, its_path in self._lists().items():
            if isinstance(its_path, str) and _plain_path(its_path) == _plain_path(path):
                raise InvalidParameter(f"results: the file of {name} would be overwritten")


def _plain_path(path: str) -> str:
    """Return a local path in its simplest spelling: ``file:///tmp/./a.csv`` becomes ``/tmp/a.csv``."""
    local = path.strip().removeprefix("file://")
    return path.strip() if "://" in local else posixpath.normpath(re.sub("^//+", "/", local))
