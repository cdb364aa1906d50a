"""The methods of the Data API v2.0 that return reports of calls and change the tags of finished calls.

The Data API uses the same JSON-RPC envelope as the Call API, so the class `Client` sends requests to both
services. Only the URL and the methods differ. Each request that the Data API carries out costs one point
(rate-limit unit).

Source: the vendor's public documentation of the Data API v2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints

from airflow_provider_callapi.api.account import ACCOUNT_METHODS, CreatePhoneNumberToBlacklist
from airflow_provider_callapi.api.answer_types import (
    AnswerText,
    Id,
    Number,
    NumberNotNull,
    Seconds,
    TextOrNone,
)
from airflow_provider_callapi.api.entries import Entries, read_entries, read_inner, tells
from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.list_request import PagedRequest
from airflow_provider_callapi.api.models import Answer, Done, Tag
from airflow_provider_callapi.api.parameter_types import ObjectId
from airflow_provider_callapi.api.request import Repeat, Request

if TYPE_CHECKING:  # `requests` imports slowly, and the DAG processor imports this module often
    from airflow_provider_callapi.api.client import Client

REPORT_FIELDS = (
    "id",
    "communication_id",
    "start_time",
    "finish_time",
    "direction",
    "contact_phone_number",
    "finish_reason",
    "talk_duration",
    "call_api_external_id",
    "tags",
)
"""The fields of a call's report that this package uses, and that a request asks for by default.

Requests list these fields, because the Data API sends several of the fields only on request.
"""
RECORDING_FIELD = "full_record_file_link"
"""The report field with the link to a call's recording. Only a request that needs the link asks for it."""
OPERATIONS_FIELD = "scenario_operations"
"""The report field with the scenario's operations. Only a request that needs the operations asks for them."""

REPORT_INTERVAL = 10.0
"""Seconds between two requests for a report that does not exist yet."""

LEG_FIELDS = (
    "id",
    "call_session_id",
    "connect_time",
    "direction",
    "calling_phone_number",
    "called_phone_number",
    "is_operator",
    "is_coach",
    "is_talked",
    "finish_reason",
)
"""The Data API's report fields that a `LegReport` contains."""


_PLACEHOLDERS_BEGIN = timedelta(days=365)
"""A finish time so long after the start of a call is a placeholder, such as ``2038-01-19 03:14:07``."""
_TIME_OF_A_CALL = re.compile(r"\s*(20\d\d-\d\d-\d\d)[T ]\s?\d\d:\d\d:\d\d")
"""Matches each form of time that the Data API sends, see `read_datetime`. The group is the day."""
_ZEROS = re.compile(r"[\s0:.T-]*(?:Z|[+-]\d\d:?\d\d)?")


def is_filled_time(text: str | None) -> bool:
    """Return whether a time field in an answer is filled, which means that the event has happened.

    For example, a filled ``connect_time`` means that the person has picked up.

    :param text: the value of the field. None, an empty text and zeros (``0000-00-00 00:00:00``), also with a
        time zone, count as not filled. Any other text counts as filled, even an unreadable one: otherwise, a
        person who has answered could be called again.
    """
    return _ZEROS.fullmatch(text or "") is None


class ScenarioOperation(Answer):
    """An operation of a scenario: a step that a call has passed, such as a menu.

    :ivar name: the operation's name in the account. An operation without a name is left out of the report.
    """

    id: Number | None = None
    name: Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]


def _read_operations(value: Any) -> Any:
    """Return the readable scenario operations in a call's report. Empty: the report has no operations.

    :raises ValueError: there are operations, but none is readable.
    """
    operations = read_entries(ScenarioOperation, [] if value is None else value)
    if not operations and not operations.complete:
        raise ValueError("no operation can be read")
    return list(operations)


class CallReport(Answer):
    """The Data API's report of one call, an entry of ``get.calls_report``.

    Durations are in seconds. Times are texts in the account's time zone, without the name of the zone.
    ``finish_reason`` is a mnemonic, such as ``subscriber_busy``; the vendor may add new ones.

    Personal data: ``contact_phone_number`` and ``full_record_file_link`` (the link to the recording).
    """

    id: Number
    communication_id: Id | None = None
    start_time: str | None = None
    finish_time: TextOrNone = None
    direction: TextOrNone = None
    contact_phone_number: AnswerText | None = Field(None, repr=False)
    source: str | None = None
    is_lost: bool | None = None
    finish_reason: TextOrNone = None
    talk_duration: Seconds = None
    total_duration: Seconds = None
    call_api_external_id: AnswerText | None = None
    tags: Annotated[list[Tag] | None, BeforeValidator(read_inner(Tag))] = None
    scenario_operations: Annotated[list[ScenarioOperation], BeforeValidator(_read_operations)] = Field(
        default_factory=list
    )
    full_record_file_link: str | None = Field(None, repr=False)

    @property
    def operations(self) -> tuple[str, ...] | None:
        """The names of the scenario operations that the call passed, in the report's order.

        None: the request did not ask for operations, or the operations in the report cannot be read.
        """
        if not tells(self, OPERATIONS_FIELD):
            return None
        return tuple(operation.name for operation in self.scenario_operations)

    @property
    def finished(self) -> bool:
        """Whether the reported call has ended. The Data API can also report an active call.

        ``finish_time`` decides. It must be a time of this century, between the day of ``start_time`` and a
        year later: otherwise, a placeholder such as ``1970-01-01 03:00:00`` or ``2099-12-31 23:59:59`` ends
        an active call, and the contact may be called again. ``finish_reason`` counts only if the Data API
        does not state the time: it can be the reason of a participant who has left the active call.
        """
        if tells(self, "finish_time"):
            begin, end = _day_of(self.start_time), _day_of(self.finish_time)
            return end is not None and (begin is None or begin <= end < begin + _PLACEHOLDERS_BEGIN)
        return self.finish_reason is not None


def _day_of(time: str | None) -> date | None:
    """Return the day of a reported time of this century. None: another text."""
    shown = _TIME_OF_A_CALL.match(time or "")
    with suppress(ValueError):  # no such day
        return date.fromisoformat(shown[1]) if shown else None
    return None


class LegReport(Answer):
    """The Data API's report of one leg (one participant) of a call, an entry of ``get.call_legs_report``.

    :ivar connect_time: when the participant picked up. If it is None or ``0000-00-00 00:00:00``, only
        ``is_talked`` can show whether the participant picked up.
    :ivar direction: ``in``: the participant has called. ``out``: the participant was called.
    :ivar is_operator: True: the leg of an operator, such as an employee. False: the contact's leg. On some
        accounts, False also marks an operator who is no employee. None: the Data API does not state whose leg
        it is.
    """

    id: NumberNotNull = None
    call_session_id: NumberNotNull = None
    connect_time: str | None = None
    direction: str | None = None
    calling_phone_number: Annotated[AnswerText | None, Field(repr=False)] = None
    called_phone_number: Annotated[AnswerText | None, Field(repr=False)] = None
    is_operator: bool | None = None
    is_coach: bool | None = None
    is_talked: bool | None = None
    finish_reason: str | None = None


def equals(field: str, value: int | str) -> dict[str, Any]:
    """Return a filter for a Data API request: select the entries in which the field has the value.

    Example: ``{"field": "id", "operator": "=", "value": 7}``.
    """
    return {"field": field, "operator": "=", "value": value}


def is_one_of(field: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return a filter for a Data API request: select the entries in which the field has one of the values.

    Example: ``{"field": "id", "operator": "in", "value": [7, 8]}``.
    """
    return {"field": field, "operator": "in", "value": sorted(values)}


M = TypeVar("M", bound=Answer)


class _ReportRequest(PagedRequest[M], Generic[M]):
    """A Data API request for the reports of calls, or of their legs (participants), in a period."""

    needed_fields: ClassVar[frozenset[str]]
    """The fields without which a report is useless to this package.

    If the request asks for such a field, an entry without the field is left out.
    """

    # Both are ``YYYY-MM-DD hh:mm:ss`` in the account's time zone, at most three months apart.
    date_from: str
    date_till: str
    fields: list[str]

    def convert_answer(self, data: Any) -> Entries[M]:
        """Convert ``result.data`` of an answer to `Entries` of reports.

        Leave out a report without a session id. If the request asks for a field of `needed_fields`, leave
        out the reports without this field.
        """
        needed = self.needed_fields.intersection(self.fields)

        def session_id(entry: M) -> int | None:
            found: int | None = getattr(entry, self.id_field)
            return found if found is not None and found > 0 else None

        def is_usable(entry: M) -> bool:
            # An empty text proves nothing about the call, so it counts as missing.
            decides = all(tells(entry, name) and getattr(entry, name) != "" for name in needed)
            return decides and session_id(entry) is not None

        return self.read_answer(data).keep(is_usable, session_id)


class GetCallsReport(_ReportRequest[CallReport]):
    """Request the reports of the calls in a period of at most three months.

    :ivar filter: ``{"field", "operator", "value"}`` or ``{"filters": […], "condition": "and"|"or"}``. The
        service can filter by ``id`` (the call session id) and by ``call_api_external_id``, but not by times.
    """

    method = "get.calls_report"
    entry_type = CallReport
    needed_fields = frozenset({"id", "finish_time", "finish_reason", "talk_duration"})
    decisive_fields = needed_fields

    fields: list[str] = Field(default_factory=lambda: list(REPORT_FIELDS))
    include_ongoing_calls: bool | None = None


class GetCallLegsReport(_ReportRequest[LegReport]):
    """Request the reports of the legs (participants) of all calls in a period of at most three months.

    The service can filter by ``call_session_id``.
    """

    method = "get.call_legs_report"
    entry_type = LegReport
    needed_fields = frozenset({"id", "call_session_id", "connect_time"})
    decisive_fields = needed_fields | {
        "direction",
        "calling_phone_number",
        "called_phone_number",
        "is_operator",
        "is_coach",
        "is_talked",
    }
    id_field = "call_session_id"

    fields: list[str] = Field(default_factory=lambda: list(LEG_FIELDS))


class _TagRequest(Request[Done]):
    """A Data API request that adds a tag to a finished call, or removes a tag from it."""

    repeat = Repeat.IDEMPOTENT

    communication_id: ObjectId  # from the call's report
    communication_type: Literal["call"] = "call"
    tag_id: ObjectId

    @classmethod
    def data_in(cls, result: Any) -> Any:
        """Return all fields of ``result`` except ``metadata``."""
        # The answer to a tag request has no `result.data`.
        if not isinstance(result, dict):
            return result
        return {name: value for name, value in result.items() if name != "metadata"}

    @classmethod
    def read_answer(cls, data: Any) -> Done:
        """Convert ``result.data`` of an answer to `Done`. Without ``data``, convert the ``result`` itself.

        An empty object and ``null`` mean success. Any other value without the field ``success`` is
        unreadable, and raises pydantic's ``ValidationError``.
        """
        if isinstance(data, dict) and "data" in data:
            data = data["data"]
        return Done.model_validate({"success": True} if data is None or data == {} else data)


class SetTagCommunications(_TagRequest):
    """Add a tag to a finished call."""

    method = "set.tag_communications"
    already_done_errors = frozenset({"duplicate_entity"})


class UnsetTagCommunications(_TagRequest):
    """Remove a tag from a finished call."""

    method = "unset.tag_communications"


DATA_METHODS: dict[str, type[Request[Any]]] = {
    request_type.method: request_type
    for request_type in (
        GetCallsReport,
        GetCallLegsReport,
        SetTagCommunications,
        UnsetTagCommunications,
        CreatePhoneNumberToBlacklist,
    )
} | ACCOUNT_METHODS
"""The Data API's request classes by method name.

The `METHODS` of the Call API contain ``login.user`` and ``logout.user``, which both services use.
"""


REFUSED_REPORT: Mapping[str, Any] = MappingProxyType(
    {"date_from": "2020-01-01 00:00:00", "date_till": "2020-12-31 00:00:00", "fields": ["id"], "limit": 1}
)
"""The parameters of a report request that tests the credentials, and costs no points.

The Data API charges a point for each report and none for a refusal. It checks the credentials first, and then
refuses every report of more than three months.
"""


def probe_access(client: Client) -> None:
    """Check that the Data API accepts a client's credentials.

    With an access key, the check costs no points. With a login, the check costs one point.

    :raises CallApiError: the Data API refuses the credentials, or does not answer as documented.
    """
    with suppress(InvalidParameters):
        client.call(GetCallsReport(**REFUSED_REPORT))
