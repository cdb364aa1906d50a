"""Start operators with calling hours, and a clock that moves to a time in Moscow."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_fakes import Desk, Task, informer_task

MOSCOW = "Europe/Moscow"
START = "start.informer_call"


def at(text: str, zone: str = MOSCOW) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def move_to(desk: Desk, text: str) -> None:
    desk.clock.advance(at(text) - desk.clock())


def task(desk: Desk, way: str = "worker", **changes: Any) -> Task:
    options = {"calling_hours": ["09:00", "21:00"], "max_lateness": None, **changes}
    return informer_task(desk, deferrable=way == "deferral", **options)


def dialled_at(desk: Desk) -> list[float]:
    requests = [entry for entry in desk.exchange.journal if entry.kind == "request"]
    return [request.time for request in requests if request.method == START]
