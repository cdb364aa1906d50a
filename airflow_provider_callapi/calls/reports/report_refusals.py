"""Remembers which fields, filters and dates the Data API has refused in requests for reports.

Later requests leave out the refused fields and filters, and ask for other dates, so that the Data API accepts
the requests.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_callapi.api.data_api import (
    OPERATIONS_FIELD,
    RECORDING_FIELD,
    GetCallLegsReport,
    GetCallsReport,
)
from airflow_provider_callapi.api.errors import DATE_FIELDS, InvalidParameters, Rejected

ReportRequest = type[GetCallsReport] | type[GetCallLegsReport]

_FILTER = "filter"
_ONGOING = "include_ongoing_calls"
_PART_REFUSED = frozenset({"unexpected_parameters", "parameter_component_disabled", "filter_prohibited"})
"""Mnemonics of the errors that refuse a part of a request."""
_NEED_A_COMPONENT = frozenset({"tags", RECORDING_FIELD})
"""The fields that need a component (a paid option) of the account."""
_REQUESTS_BETWEEN_GUESSES = 30
"""After guesses without a result, this many requests are sent without guesses."""
DAYS_EARLIER = (1.0, 2.0, 7.0)
"""How many days before the wanted time the requested period begins.

After a refusal, the next number is used.
"""
_log = logging.getLogger(__name__)


def refuses_a_part(error: Rejected) -> bool:
    """Return whether an error may mean that the Data API refuses only a field or parameter of a request.

    If True, a request without this field or parameter may succeed.
    """
    return error.mnemonic in _PART_REFUSED or isinstance(error, InvalidParameters)


def words_named_by(error: Rejected) -> list[set[str]]:
    """Return the words in an error of the Data API, in lower case.

    The list contains three sets: the words in the error's field, in its value, and in its params. Example: an
    error with the field ``"fields[Tags]"`` and the value ``"x"`` gives
    ``[{"fields", "tags"}, {"x"}, set()]``. An error without a field, or without a value, names the word
    ``null`` there.
    """
    parts = (error.field, error.value, list(error.params.values()))
    texts = [json.dumps(part, ensure_ascii=False, default=str).lower() for part in parts]
    return [set(re.findall(r"\w+", text)) for text in texts]


def names_filter(error: Rejected) -> bool:
    """Return whether an error of the Data API names the filter of a request as the refused part."""
    return error.mnemonic == "filter_prohibited" or any(_FILTER in words for words in words_named_by(error))


@dataclass(frozen=True)
class Omissions:
    """How later requests for reports avoid refusals: parts that they leave out, and dates that they use.

    :ivar parts: pairs (method, left-out part of the request), e.g. ``("get.calls_report", "tags")``. A part
        is a report field, ``filter`` or ``include_ongoing_calls``.
    :ivar begin_step: when a request's period begins. 0: one day before the wanted interval. 1: two days
        before. 2: seven days before.
    :ivar ends_now: when a request's period ends. True: at the end of the wanted interval, e.g. now. False:
        one day later, which may be in the future.
    """

    parts: frozenset[tuple[str, str]] = frozenset()
    begin_step: int = 0
    ends_now: bool = False

    def allows(self, kind: ReportRequest, part: str) -> bool:
        """Return whether requests may contain a part: the Data API has not refused it.

        :param kind: the class of the requests: for the report of calls, or for the report of legs.
        :param part: a part of a request, e.g. the field ``tags``.
        """
        return (kind.method, part) not in self.parts

    def makes_unavailable(self, kind: ReportRequest, fields: Collection[str]) -> bool:
        """Return whether a report is useless, because the service refuses a field that the caller needs.

        The caller needs the fields that are both in ``fields`` and in ``kind.needed_fields``.

        :param kind: the class of the request.
        :param fields: the fields that the caller uses.
        """
        return not all(self.allows(kind, name) for name in kind.needed_fields.intersection(fields))

    @property
    def days_before(self) -> float:
        """How many days earlier than wanted the period of a request begins: 1, 2 or 7.

        The number is 1 at first. If the Data API refuses a request because its period began too recently, the
        number becomes 2, and then 7.
        """
        return DAYS_EARLIER[self.begin_step]

    @property
    def days_after(self) -> float:
        """How many days later than wanted the period of a request ends: 0 or 1.

        The number is 1 at first, so that a wrong clock or time zone does no harm. If the Data API refuses a
        request because its period ends in the future, the number becomes 0.
        """
        return 0.0 if self.ends_now else 1.0

    def also_omitting(self, kind: ReportRequest, parts: Iterable[str]) -> Omissions:
        """Return a copy of these omissions in which one kind of request also leaves out some parts.

        :param parts: the names of the fields and parameters that the requests also leave out.
        """
        return replace(self, parts=self.parts | {(kind.method, part) for part in parts})


@dataclass
class Refusals:
    """Remembers which fields, parameters and dates of report requests one Data API has refused.

    Each refusal is logged once.

    :ivar known: what later requests leave out because of the refusals.
    """

    known: Omissions = Omissions()
    _requests_until_guesses: dict[str, int] = field(default_factory=dict)
    _logged: set[str] = field(default_factory=set)

    def learn(self, kind: ReportRequest, asked: Mapping[str, Any], error: Rejected) -> bool:
        """Find in an error which field, parameter or date of a request the Data API refuses, and remember it.

        :param kind: the class of the refused request.
        :param asked: the parameters of the refused request, without the dates.
        :param error: the Data API's refusal.
        :return: True: a request without the refused part, or with another date, may succeed. False: the error
            names nothing that a next request can leave out or change.
        """
        of_field, _, of_params = words_named_by(error)
        if dates := DATE_FIELDS.intersection(of_field | of_params):
            return self._learn_date(kind, min(dates))
        if parts := _named_parts(kind, asked, error):
            self.refuse(kind, parts)
        return bool(parts)

    def refuse(self, kind: ReportRequest, parts: Iterable[str]) -> None:
        """Remember and log that the Data API refuses fields or parameters of one kind of request.

        :param parts: e.g. ``["tags"]`` or ``["filter"]``.
        """
        names = sorted(parts)
        self.known = self.known.also_omitting(kind, names)
        refused = "it is" if len(names) == 1 else "they are"
        self.log_once(
            f"{kind.method}: the Data API refuses {', '.join(names)}; {refused} left out from now on"
        )
        if not kind.needed_fields.isdisjoint(names):
            self.log_once(f"{kind.method}: without these fields, the report decides nothing and is not used")

    def guesses(self, kind: ReportRequest, asked: Mapping[str, Any]) -> Iterator[Omissions]:
        """Yield guesses at what the Data API refuses in a request, the most probable guess first.

        The caller uses the guesses if the Data API's error names no refused part. Each guess states
        everything that the next request leaves out or changes. If the Data API refuses the requests of all
        guesses, the method yields nothing for the next 30 refused requests of this kind.

        :param kind: the class of the refused request.
        :param asked: the parameters of the refused request, without the dates.
        """
        pause = self._requests_until_guesses.get(kind.method, 0)
        if pause:
            self._requests_until_guesses[kind.method] = pause - 1
            return
        optional = set(asked["fields"]) - kind.needed_fields
        ongoing, filter_ = {_ONGOING} & asked.keys(), {_FILTER} & asked.keys()
        in_turn = [optional & {OPERATIONS_FIELD}, optional & _NEED_A_COMPONENT, ongoing, optional, filter_]
        for parts in filter(None, in_turn):
            yield self.known.also_omitting(kind, parts)
        earlier = replace(self.known, begin_step=len(DAYS_EARLIER) - 1)
        yield from (guess for guess in (earlier, replace(self.known, ends_now=True)) if guess != self.known)
        yield replace(earlier, ends_now=True).also_omitting(kind, set().union(*in_turn))
        self._requests_until_guesses[kind.method] = _REQUESTS_BETWEEN_GUESSES

    def confirm(self, kind: ReportRequest, omissions: Omissions) -> None:
        """Record that the Data API has accepted a request.

        After a refusal, the next request is a guess, see `guesses`: it leaves out parts, or changes dates. If
        the Data API accepts it, the guess was right. From now on, the left-out parts and the original dates
        count as refused.

        :param kind: the class of the accepted request.
        :param omissions: what the accepted request left out, and how it changed dates.
        """
        self._requests_until_guesses.pop(kind.method, None)
        if parts := {part for method, part in omissions.parts - self.known.parts if method == kind.method}:
            self.refuse(kind, parts)
        while self.known.begin_step < omissions.begin_step:
            self._learn_date(kind, "date_from")
        if omissions.ends_now and not self.known.ends_now:
            self._learn_date(kind, "date_till")

    def _learn_date(self, kind: ReportRequest, date: str) -> bool:
        if date == "date_from" and self.known.begin_step + 1 < len(DAYS_EARLIER):
            self.known = replace(self.known, begin_step=self.known.begin_step + 1)
            self.log_once(
                f"{kind.method}: the Data API refuses a young date_from; periods begin "
                f"{self.known.days_before:g} days earlier from now on"
            )
            return True
        if date == "date_till" and not self.known.ends_now:
            self.known = replace(self.known, ends_now=True)
            self.log_once(f"{kind.method}: the Data API refuses a later date_till; periods end now")
            return True
        return False

    def log_once(self, text: str) -> None:
        """Log a warning, but only once for each text."""
        if text not in self._logged:
            self._logged.add(text)
            _log.warning("%s", text)


def _named_parts(kind: ReportRequest, asked: Mapping[str, Any], error: Rejected) -> set[str]:
    """Return those fields or parameters of a request that an error names, e.g. ``{"tags"}``."""
    fields = set(asked["fields"])
    if _FILTER in asked and names_filter(error):
        return {_FILTER}
    filter_field = {str(asked[_FILTER]["field"])} if _FILTER in asked else set()
    parts = fields | ({_ONGOING} & asked.keys())
    for words in words_named_by(error):
        found = parts & words
        # Several fields with a needed field among them may be a list of the allowed fields.
        if len(found) == 1 or (found and found.isdisjoint(kind.needed_fields)):
            return {_FILTER} if found == filter_field else found  # perhaps only the filter uses the field
    return set()
