"""The DAGs of the distributed deployment, and the people whom they call."""

from __future__ import annotations

from typing import Any

from scenarios import ALL

_numbers = iter(range(10_000))


def people(count: int) -> list[str]:
    """Return phone numbers that no other DAG calls."""
    return [f"7906{next(_numbers):07}" for _ in range(count)]


def _calls(count: int, **options: Any) -> dict[str, Any]:
    return {**ALL, "contacts": people(count), **options}


BOTH_WORKERS = "both_workers"

DAGS: dict[str, dict[str, Any]] = {
    BOTH_WORKERS: _calls(10),
}
OTHERS: dict[str, Any] = {}
