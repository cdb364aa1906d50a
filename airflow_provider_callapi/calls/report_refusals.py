"""Remembers what a Data API has refused in report requests. Later requests leave out the refused parts."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.errors import DateRefused, Rejected

ReportRequest = type[GetCallsReport] | type[GetCallLegsReport]

_FILTER = "filter"
_ONGOING = "include_ongoing_calls"
_PART_REFUSED = frozenset({"unexpected_parameters", "parameter_component_disabled", "filter_prohibited"})
"""Mnemonics of the errors that refuse a part of a request."""
_DAYS_EARLIER = (1.0, 2.0, 7.0)
"""How many days before the wanted time the requested period begins.

After a refusal, the next number is used.
"""
_log = logging.getLogger(__name__)


@dataclass
class Refusals:
    """What one Data API has refused. Each refusal is logged once.

    A part of a request is a field of the report, ``filter`` or ``include_ongoing_calls``.
    """

    _parts: set[tuple[str, str]] = field(default_factory=set)
    _begin_step: int = 0
    _ends_now: bool = False
    _logged: set[str] = field(default_factory=set)

    def allows(self, kind: ReportRequest, part: str) -> bool:
        """Return whether a request of this kind may contain a part."""
        return (kind.method, part) not in self._parts

    def makes_unavailable(self, kind: ReportRequest, fields: Collection[str]) -> bool:
        """Return True if the Data API has refused a field without which the report is useless.

        Only the given fields count.
        """
        return not all(self.allows(kind, name) for name in kind.needed_fields.intersection(fields))

    @property
    def days_before(self) -> float:
        """How many days before the wanted time the requested period begins."""
        return _DAYS_EARLIER[self._begin_step]

    @property
    def days_after(self) -> float:
        """How many days after the wanted time the requested period ends."""
        return 0.0 if self._ends_now else 1.0

    def learn(self, kind: ReportRequest, asked: Mapping[str, Any], error: Rejected) -> bool:
        """Remember which part of a request the Data API has refused with an error.

        :param asked: the parameters of the refused request, without the dates.
        :return: True: a request without the refused part may succeed. False: the error refuses no part of the
            request, or the request has no part left that can be omitted.
        """
        if isinstance(error, DateRefused):
            return self._learn_date(error)
        is_about_filter = error.mnemonic == "invalid_parameter_value" and _FILTER in _words(error)
        if error.mnemonic not in _PART_REFUSED and not is_about_filter:
            return False
        self.refuse(kind, _refused_parts(kind, asked, error))
        return True

    def refuse(self, kind: ReportRequest, parts: Iterable[str]) -> None:
        """Remember and log that a Data API refuses parts of a request."""
        names = sorted(parts)
        self._parts.update((kind.method, name) for name in names)
        self.log_once(f"{kind.method}: the Data API refuses {', '.join(names)}; it is left out from now on")
        if not kind.needed_fields.isdisjoint(names):
            self.log_once(f"{kind.method}: without these fields, the report decides nothing and is not used")

    def log_once(self, text: str) -> None:
        """Log a warning, unless the same text was logged before."""
        if text not in self._logged:
            self._logged.add(text)
            _log.warning("%s", text)

    def _learn_date(self, error: DateRefused) -> bool:
        if error.field == "date_from" and self._begin_step + 1 < len(_DAYS_EARLIER):
            self._begin_step += 1
            self.log_once(
                f"{error.method}: the Data API refuses a young date_from; periods begin "
                f"{self.days_before:g} days earlier from now on"
            )
            return True
        if error.field == "date_till" and not self._ends_now:
            self._ends_now = True
            self.log_once(f"{error.method}: the Data API refuses a later date_till; periods end now")
            return True
        self.log_once(
            f"{error.method}: the Data API refuses every {error.field}; no report is used meanwhile"
        )
        return False


def _refused_parts(kind: ReportRequest, asked: Mapping[str, Any], error: Rejected) -> set[str]:
    """Return the parts of a request that an error refuses.

    If the error names no part, the function returns all optional parts. If the request has no optional part
    left, the function returns the needed fields.
    """
    words, fields = _words(error), set(asked["fields"])
    filter_field = {str(asked[_FILTER]["field"])} if _FILTER in asked else set()
    if filter_field and (error.mnemonic == "filter_prohibited" or _FILTER in words):
        return {_FILTER}
    named = words & fields
    if filter_field and named == filter_field:
        return {_FILTER}  # the field may be refused in the filter only
    optional = (fields - kind.needed_fields) | ({_ONGOING} & asked.keys())
    return named or (words & optional) or optional or ({_FILTER} & asked.keys()) or fields


def _words(error: Rejected) -> set[str]:
    """Return the names that an error mentions as its field, its value or its parameters."""
    return set(re.findall(r"\w+", f"{error.field} {error.value} {list(error.params.values())}"))
