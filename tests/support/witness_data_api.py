"""A Data API for the tests of the witnesses: it reports calls and legs, or fails."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.data_api import CallReport, GetCallLegsReport, LegReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.models import Limits


class DataApi:
    """A Data API that reports calls and legs, or fails."""

    def __init__(self, reports: Any = (), legs: Any = (), failure: CallApiError | None = None) -> None:
        self.reports = [CallReport(**fields) for fields in reports]
        self.legs = [LegReport(id=number, **fields) for number, fields in enumerate(legs, start=1)]
        self.failure = failure
        self.limits: Limits | None = None
        self.asked: list[Any] = []

    def call(self, request: Any) -> Any:
        self.asked.append(request)
        if self.failure is not None:
            raise self.failure
        return Entries(self.legs if isinstance(request, GetCallLegsReport) else self.reports)
