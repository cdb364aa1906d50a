"""The part of the Data API v2.0 that tells of finished calls and tags them.

The same envelope as the Call API, so the same `Client` asks it; only the URL and the methods differ.
Every request weighs one point. Source: the vendor's public documentation of the Data API v2.0.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import pendulum
from pydantic import Field

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import ObjectId, Repeat, Request
from airflow_provider_callapi.api.models import Answer, Done, Flag, Tag, zone

if TYPE_CHECKING:  # requests is heavy, and the DAG processor imports this module all day
    from airflow_provider_callapi.api.client import Client

REPORT_FIELDS = (
    "id",
    "communication_id",
    "start_time",
    "finish_time",
    "contact_phone_number",
    "source",
    "is_lost",
    "finish_reason",
    "talk_duration",
    "total_duration",
    "call_api_external_id",
    "tags",
    "full_record_file_link",
)
"""What `CallReport` is made of; several of them are sent only when asked for by name."""

REPORT_INTERVAL = 10.0
"""Seconds between two questions for a report that is not there yet."""

LEG_FIELDS = ("id", "call_session_id", "connect_time", "is_operator", "is_talked", "finish_reason")


class CallReport(Answer):
    """One call of ``get.calls_report``; durations in seconds, times zone-less in the account's zone.

    ``finish_reason`` is an open list of mnemonics. ``full_record_file_link`` leads to the recording:
    personal data, as ``contact_phone_number`` is.
    """

    id: int
    communication_id: int | None = None
    start_time: str | None = None
    finish_time: str | None = None
    contact_phone_number: str | None = Field(None, repr=False)
    source: str | None = None
    is_lost: bool | None = None
    finish_reason: str | None = None
    talk_duration: int | None = None
    total_duration: int | None = None
    call_api_external_id: str | None = None
    tags: list[Tag] | None = None
    full_record_file_link: str | None = Field(None, repr=False)

    @property
    def finished(self) -> bool:
        """Whether the call is over; the report may hold calls that are going on."""
        return self.finish_time is not None or self.finish_reason is not None


class LegReport(Answer):
    """One leg of ``get.call_legs_report``; ``connect_time`` is null where nobody picked up."""

    id: int
    call_session_id: int | None = None
    connect_time: str | None = None
    is_operator: Flag = False
    is_talked: bool | None = None
    finish_reason: str | None = None


class AccountTag(Answer):
    """One tag of the account, of ``get.tags``."""

    id: int
    name: str | None = None
    is_system: bool | None = None


def equals(field: str, value: int | str) -> dict[str, Any]:
    """A filter: the field has this value."""
    return {"field": field, "operator": "=", "value": value}


def report_time(at: float, timezone: str) -> str:
    """Epoch seconds as the reports want them: ``YYYY-MM-DD hh:mm:ss`` in the account's zone."""
    return pendulum.from_timestamp(at, tz=zone(timezone)).format("YYYY-MM-DD HH:mm:ss")


R = TypeVar("R", covariant=True)
Sort = list[dict[str, Any]]
"""``[{"field": …, "order": "asc"|"desc"}]``"""


class _Listing(Request[R], Generic[R]):
    """A page of something; the service sends at most 10 000 entries at once, 1000 where not asked."""

    repeat = Repeat.SAFE

    filter: dict[str, Any] | None = None
    sort: Sort | None = None
    limit: int | None = Field(None, ge=1, le=10_000)
    offset: int | None = Field(None, ge=0, le=100_000)


class _Report(_Listing[R], Generic[R]):
    date_from: str
    date_till: str


class GetCallsReport(_Report[list[CallReport]]):
    """The calls between two moments at most three months apart (``YYYY-MM-DD hh:mm:ss``).

    :ivar filter: ``{"field", "operator", "value"}`` or ``{"filters": […], "condition": "and"|"or"}``;
        ``id`` (the call session id) and ``call_api_external_id`` can be filtered, times cannot.
    """

    method = "get.calls_report"

    fields: list[str] = Field(default_factory=lambda: list(REPORT_FIELDS))
    include_ongoing_calls: bool | None = None


class GetCallLegsReport(_Report[list[LegReport]]):
    """The legs of the calls between two moments; ``call_session_id`` can be filtered."""

    method = "get.call_legs_report"

    fields: list[str] = Field(default_factory=lambda: list(LEG_FIELDS))


class GetTags(_Listing[list[AccountTag]]):
    """The tags of the account."""

    method = "get.tags"

    fields: list[str] | None = None


class _TagRequest(Request[Done]):
    repeat = Repeat.IDEMPOTENT

    communication_id: ObjectId
    communication_type: Literal["call"] = "call"
    tag_id: ObjectId

    @classmethod
    def read_answer(cls, data: Any) -> Done:
        """A success is an empty object, without ``data`` and without ``success``."""
        return Done.model_validate(data or {"success": True})


class SetTagCommunications(_TagRequest):
    """Tag a finished call, by the ``communication_id`` of its report."""

    method = "set.tag_communications"
    done_already_errors = frozenset({"duplicate_entity"})


class UnsetTagCommunications(_TagRequest):
    """Take a tag off a finished call."""

    method = "unset.tag_communications"


DATA_METHODS: dict[str, type[Request[Any]]] = {
    request_type.method: request_type
    for request_type in (
        GetCallsReport,
        GetCallLegsReport,
        GetTags,
        SetTagCommunications,
        UnsetTagCommunications,
    )
}
"""The Data API's methods by name; login.user and logout.user are those of the Call API."""


def probe_access(client: Client) -> None:
    """Check that the Data API lets this client in. Costs no points with an access key; a login costs one.

    :raises CallApiError: the Data API refuses this client, or does not work.
    """
    # The Data API charges a point for each report and none for a refusal. It checks the credentials first,
    # and refuses every report of more than three months.
    too_long = GetCallsReport(
        date_from="2020-01-01 00:00:00", date_till="2020-12-31 00:00:00", fields=["id"], limit=1
    )
    with suppress(InvalidParameters):
        client.call(too_long)
