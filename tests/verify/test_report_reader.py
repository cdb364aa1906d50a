"""The reader of reports gets the report of a call, whatever part of its requests the Data API refuses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.verify.findings import ReportRules
from airflow_provider_callapi.verify.gateway import Answer
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR
from airflow_provider_callapi.verify.report_reader import _CALL_FIELDS, ReportReader

NOW = 1_760_000_000.0
SESSION, EXTERNAL_ID = 206_597_836, "af-verify-1"
ROW = {"id": str(SESSION), "call_api_external_id": EXTERNAL_ID}
FILTERS = ["call_api_external_id", "id"]


@dataclass
class RefusingDataApi:
    """A Data API that refuses parts of requests, and finds one call.

    :ivar offset: how many quarter hours the account's time is ahead of UTC, if a period must not end in the
        future. None: it may.
    """

    fields: Collection[str] = ()
    names_fields: bool = True
    filters: Collection[str] = ()
    refuses_ongoing: bool = False
    offset: int | None = None
    ahead: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)

    def send(self, method: str, **params: Any) -> Answer:
        self.asked.append(params)
        till = datetime.fromisoformat(params["date_till"]).replace(tzinfo=UTC).timestamp()
        if self.offset is not None and till > NOW + self.offset * QUARTER_HOUR - self.ahead:
            return _refused("invalid_parameter_value", "date_till")
        if params.get("filter", {}).get("field") in self.filters:
            return _refused("filter_prohibited", "filter")
        if self.refuses_ongoing and "include_ongoing_calls" in params:
            return _refused("unexpected_parameters", "include_ongoing_calls")
        if name := next((name for name in params.get("fields", ()) if name in self.fields), None):
            return _refused("unexpected_parameters", "fields", name if self.names_fields else None)
        return _answer([ROW], None)

    def reader(self) -> ReportReader:
        return ReportReader(self, lambda: NOW, ReportRules())  # type: ignore[arg-type]


def _answer(data: Any, error: str | None, named: str | None = None, value: Any = None) -> Answer:
    return Answer(data, error, named, value, {}, 200, True, None)


def _refused(error: str, named: str, value: Any = None) -> Answer:
    return _answer(None, error, named, value)


@given(
    fields=st.sets(st.sampled_from([name for name in _CALL_FIELDS if name not in ROW]), max_size=3),
    names_fields=st.booleans(),
    filters=st.sets(st.sampled_from(FILTERS)),
    refuses_ongoing=st.booleans(),
    offset=st.none() | st.integers(-48, 56),
)
def test_a_call_is_found_and_each_refused_part_is_stored(
    fields: set[str], names_fields: bool, filters: set[str], refuses_ongoing: bool, offset: int | None
) -> None:
    data_api = RefusingDataApi(fields, names_fields, filters, refuses_ongoing, offset)
    reader = data_api.reader()

    assert reader.calls(SESSION, EXTERNAL_ID) == [ROW]
    rules = reader.rules
    assert rules.refused_fields == dict.fromkeys(fields, "unexpected_parameters")
    assert set(rules.refused_filters) == (filters if "call_api_external_id" in filters else set())
    assert rules.ongoing_refused is refuses_ongoing
    assert (rules.future_date_till, rules.offset) == (offset is None, offset)
    requests = len(data_api.asked)
    assert reader.calls(SESSION, EXTERNAL_ID) == [ROW]
    assert len(data_api.asked) == requests + 1, "later requests leave out the refused parts"


def test_without_a_filter_the_newest_calls_come_first() -> None:
    data_api = RefusingDataApi(filters=FILTERS)
    assert data_api.reader().calls(SESSION, EXTERNAL_ID) == [ROW]
    assert data_api.asked[-1]["sort"] == [{"field": "start_time", "order": "desc"}]


def test_a_clock_that_is_some_seconds_ahead_costs_one_more_request_and_no_report() -> None:
    data_api = RefusingDataApi(offset=12, ahead=4)
    reader = data_api.reader()
    assert reader.calls(SESSION, EXTERNAL_ID) == [ROW]
    assert reader.rules.offset == 12


def test_a_search_finds_a_call_by_its_external_id_only() -> None:
    assert RefusingDataApi().reader().search(EXTERNAL_ID) == SESSION
    assert RefusingDataApi().reader().search("another") is None
