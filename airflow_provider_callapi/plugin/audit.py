"""Records what users do on the page *Calls*, in Airflow's audit log and in the API server's log.

The page shows the newest of these records.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.models.log import Log
from sqlalchemy import select

from airflow_provider_callapi.calls.campaign.wishes import WishKind
from airflow_provider_callapi.supervision.metadata_database import in_metadata_database
from airflow_provider_callapi.supervision.task_states import Owner

_log = logging.getLogger(__name__)

_PREFIX = "callapi_"
_SHOWN = 10


@dataclass(frozen=True)
class UserAction:
    """An action of a user on the page *Calls*, such as the release of a call.

    :ivar at: when the user acted, epoch seconds.
    :ivar by: the user's name.
    :ivar text: the action without the user's name, such as ``released call 17``.
    """

    at: float
    by: str
    text: str


def write(
    action: str, text: str, user: BaseUser, *, connection_id: str, owner: Owner | None = None, **facts: Any
) -> None:
    """Record an action of a user in Airflow's audit log and in the API server's log.

    :param action: ``release``, ``pause``, ``resume`` or ``stop``.
    :param text: the action without phone numbers and without the user's name, such as ``released call 17``.
    :param user: the user who acted.
    :param connection_id: id of the Airflow connection on whose page *Calls* the user acted.
    :param owner: dag id, run id, task id and map index of the campaign's task. None: the action concerns no
        campaign.
    :param facts: more values for the audit log, as plain JSON, such as ``call_session_id=17``.
    :raises CallApiTrouble: Airflow's metadata database does not answer. Only the API server's log has the
        action.
    """
    name = str(user.get_name())
    _log.info("%s: %s (connection %s)", name, text, connection_id)
    extra = json.dumps({"text": text, "connection_id": connection_id, **facts}, ensure_ascii=False)
    task: dict[str, Any] = {}
    if owner is not None:
        dag_id, run_id, task_id, map_index = owner
        task = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": int(map_index)}
    entry = Log(_PREFIX + action, owner=name, owner_display_name=name, extra=extra, **task)
    in_metadata_database(lambda session: session.add(entry))


def read_newest(connection_id: str) -> list[UserAction]:
    """Return the newest actions of users on the page *Calls* of a connection: at most ten, newest first.

    :raises CallApiTrouble: Airflow's metadata database does not answer.
    """
    events = [_PREFIX + action for action in ("release", *WishKind)]
    written = json.dumps({"connection_id": connection_id}, ensure_ascii=False).strip("{}")  # as in `write`
    query = select(Log.dttm, Log.owner, Log.extra)
    query = query.where(Log.event.in_(events), Log.extra.contains(written, autoescape=True))
    query = query.order_by(Log.dttm.desc()).limit(_SHOWN)
    rows = in_metadata_database(lambda session: session.execute(query).all())
    actions = []
    for at, by, extra in rows:
        facts = json.loads(extra or "{}")
        # some databases do not compare the case of letters
        if facts.get("connection_id") == connection_id and at is not None:
            actions.append(UserAction(at.timestamp(), by or "", str(facts.get("text", ""))))
    return actions
