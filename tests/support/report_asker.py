"""Requests for reports to a Data API that refuses parts of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from data_api import DataApi, Refuse

from airflow_provider_callapi.api.data_api import REPORT_FIELDS
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests, Selection

ZONE = "Europe/Moscow"
AT = 1_800_000_000.0
DAY = 86_400.0
CALLS = [
    {
        "id": number,
        "call_api_external_id": f"x-{number}",
        "talk_duration": 3,
        "finish_time": "2026-01-01 10:00:00",
    }
    for number in (1, 2, 3)
]
LEGS = [
    {"id": 1, "call_session_id": number, "connect_time": "then", "is_operator": False} for number in (1, 2, 3)
]


def refusal(mnemonic: str, field: Any = None, value: Any = None, code: int = -32602) -> dict[str, Any]:
    return {"code": code, "message": "no", "data": {"mnemonic": mnemonic, "field": field, "value": value}}


def data_api_with(refuse: Refuse = lambda request: None, **options: Any) -> DataApi:
    """Return a Data API with three calls that refuses some requests."""
    return DataApi(CALLS, LEGS, refuse=refuse, **options)


class Asker:
    """The package's requests to a Data API, and what was logged."""

    def __init__(self, data_api: DataApi, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        self.data_api = data_api
        self.requests = ReportRequests(data_api, Refusals(), ZONE)
        self.caplog = caplog

    def ids(self, *wanted: int, **options: Any) -> list[int]:
        selection = Selection("id", wanted) if wanted else None
        return [report.id for report in self.requests.calls(AT, AT, selection=selection, **options)]

    @property
    def logged(self) -> list[str]:
        return self.caplog.messages


@pytest.fixture
def asker(caplog: pytest.LogCaptureFixture) -> Callable[..., Asker]:
    return lambda *arguments, **options: Asker(data_api_with(*arguments, **options), caplog)


def in_fields(name: str, error: dict[str, Any]) -> Refuse:
    return lambda request: error if name in request.fields else None


UNNAMED = [
    refusal("parameter_component_disabled", code=-32008),
    refusal("unexpected_parameters", {"x": 1}, {"y": 2}),
    refusal("invalid_parameter_value"),
    refusal("invalid_parameter_value", "fields", list(REPORT_FIELDS)),
    {"code": -32602, "message": "no", "data": None},
    {"code": -32602, "message": "no"},
]


def allowed(request: Any) -> set[str]:
    return {
        *request.fields,
        *(name for name in ("filter", "include_ongoing_calls") if getattr(request, name)),
    }
