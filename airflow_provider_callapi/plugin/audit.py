"""Writes what users do on the page into Airflow's audit log and the API server's log, and reads it back."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.models.log import Log
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_callapi.supervision.task_states import Owner

_log = logging.getLogger(__name__)

_PREFIX = "callapi_"
_SHOWN = 10


@dataclass(frozen=True)
class Deed:
    """What a user did on the page.

    :ivar at: when, epoch seconds.
    """

    at: float
    by: str
    text: str


def write(
    action: str, text: str, user: BaseUser, *, connection_id: str, owner: Owner | None = None, **facts: Any
) -> None:
    """Write an action into Airflow's audit log and into the API server's log.

    :param action: ``release``, ``pause``, ``resume`` or ``stop``.
    :param text: what was done, as a sentence without phone numbers and without the user's name.
    :param owner: dag id, run id, task id and map index of the task. Its page shows the entry, too.
    :param facts: more facts for the entry, as plain JSON.
    """
    name = str(user.get_name())
    _log.info("%s: %s (connection %s)", name, text, connection_id)
    extra = json.dumps({"text": text, "connection_id": connection_id, **facts}, ensure_ascii=False)
    task: dict[str, Any] = dict(zip(("dag_id", "run_id", "task_id", "map_index"), owner or (), strict=False))
    if owner is not None:
        task["map_index"] = int(owner[-1])
    with create_session() as session:
        session.add(Log(_PREFIX + action, owner=name, owner_display_name=name, extra=extra, **task))


def read_newest(connection_id: str) -> list[Deed]:
    """Return the newest actions on the page of a connection, the newest first."""
    events = [_PREFIX + action for action in ("release", "pause", "resume", "stop")]
    query = select(Log.dttm, Log.owner, Log.extra).where(Log.event.in_(events))
    query = query.order_by(Log.dttm.desc()).limit(_SHOWN * 5)
    with create_session() as session:
        rows = session.execute(query).all()
    deeds = []
    for at, by, extra in rows:
        facts = json.loads(extra or "{}")
        if facts.get("connection_id") == connection_id and at is not None:
            deeds.append(Deed(at.timestamp(), by or "", str(facts.get("text", ""))))
    return deeds[:_SHOWN]
