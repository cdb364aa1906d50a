"""The fixtures ``stats`` and ``spans``: Airflow's metrics and traces, recorded instead of sent.

Test modules load this file with ``pytest_plugins = ["telemetry_fakes"]``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_provider_callapi.observability import metrics


class Stats:
    """A fake that records Airflow's metrics: ``(kind, name, tags)`` → the recorded values."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any, dict[str, str] | None]] = []

    def incr(self, name: str, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("incr", name, 1, tags))

    def gauge(self, name: str, value: float, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("gauge", name, value, tags))

    def timing(self, name: str, value: Any, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("timing", name, value, tags))

    def named(self, name: str) -> list[Any]:
        """Return the recorded values of a metric by its long name, which contains the tags' values."""
        return [value for _, sent, value, tags in self.sent if sent == name and not tags]

    def tagged(self, name: str) -> list[dict[str, str]]:
        return [tags for _, sent, _, tags in self.sent if sent == name and tags]


@pytest.fixture
def stats(monkeypatch):
    stats = Stats()
    monkeypatch.setattr(metrics, "_stats", lambda: stats)
    return stats


@pytest.fixture
def spans(monkeypatch):
    """Return ``traced``, which runs work inside a task's span, and ``finished``, which returns the spans."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda *args, **kwargs: provider.get_tracer("test"))

    def traced(work: Callable[[], Any]) -> list[Any]:
        with provider.get_tracer("airflow").start_as_current_span("worker.call"):
            work()
        return list(exporter.get_finished_spans())

    yield SimpleNamespace(traced=traced, finished=exporter.get_finished_spans)
    provider.shutdown()
