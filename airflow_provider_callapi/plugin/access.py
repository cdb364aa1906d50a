"""Decides who may see the page *Calls*, and who may release calls and pause campaigns on the page.

Each Airflow connection has its own page. A user who may read the connection may see the page. A user who may
edit the connection may also release calls and pause campaigns. Airflow's auth manager knows these rights.

A signed token in each form protects against CSRF (a form that another site sends in the user's name).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.models import Connection, DagModel
from airflow.providers.common.compat.sdk import conf
from fastapi import Depends, Form, HTTPException, Path
from itsdangerous import BadData, URLSafeTimedSerializer

_VALID_SECONDS = 12 * 3600
"""The longest time between the opening of a form and its submission."""

UserDep = Annotated[BaseUser, Depends(get_user)]
"""The user who has logged in to Airflow."""
ConnectionId = Annotated[str, Path(pattern=r"^[\w.-]+$", max_length=250)]


def is_allowed(method: str, connection_id: str, user: BaseUser) -> bool:
    """Return whether a user has a right on an Airflow connection. Airflow's auth manager decides.

    :param method: the right: ``GET`` to read the connection, ``PUT`` to edit the connection.
    :param connection_id: id of the connection, such as ``callapi_default``.
    """
    find_team = getattr(Connection, "get_team_name", None)  # Airflow 3.1+
    team = {"team_name": find_team(connection_id)} if find_team else {}
    details = ConnectionDetails(conn_id=connection_id, **team)
    return bool(get_auth_manager().is_authorized_connection(method=method, details=details, user=user))  # type: ignore[arg-type]


def readable_dags(dag_ids: Collection[str], user: BaseUser) -> set[str]:
    """Return those of the given DAGs that a user may read in Airflow. Airflow's auth manager decides."""
    has_teams = conf.getboolean("core", "multi_team", fallback=False)
    find_team = getattr(DagModel, "get_team_name", None) if has_teams else None  # Airflow 3.2+
    by_team: dict[str | None, set[str]] = {}
    for dag_id in dag_ids:
        by_team.setdefault(find_team(dag_id) if find_team else None, set()).add(dag_id)
    readable: set[str] = set()
    for team, members in by_team.items():
        of_team: dict[str, Any] = {} if team is None else {"team_name": team}
        readable |= get_auth_manager().filter_authorized_dag_ids(dag_ids=members, user=user, **of_team)
    return readable


def _requires(method: str) -> Any:
    """Return a FastAPI dependency. It refuses a request if `is_allowed` returns False for ``method``."""

    # If Airflow has several teams, its own dependency reads the body of a request as JSON. A form is no JSON.
    def check(connection_id: ConnectionId, user: UserDep) -> None:
        if not is_allowed(method, connection_id, user):
            raise HTTPException(403, "Forbidden")

    return Depends(check)


MAY_READ = _requires("GET")
"""Refuses a request unless the user may read the connection in the path parameter ``connection_id``."""
MAY_EDIT = _requires("PUT")
"""Refuses a request unless the user may edit the connection in the path parameter ``connection_id``."""


def sign_token(user: BaseUser) -> str:
    """Return a signed token for a form of the page *Calls*. The token is valid for one user and for 12 hours.

    Another site could send a form in the user's name (CSRF). `check_token` therefore refuses a form without a
    valid token.
    """
    return str(_serializer().dumps(user.get_id()))


def check_token(user: UserDep, token: Annotated[str, Form()] = "") -> None:
    """Refuse a form of the page *Calls* whose token is missing, too old, or signed for another user.

    :param user: the user who sends the form.
    :param token: the form's hidden field ``token``, which `sign_token` signs for 12 hours.
    :raises HTTPException: 403: the form is refused.
    """
    try:
        signed_for = _serializer().loads(token, max_age=_VALID_SECONDS)
    except BadData:
        signed_for = None
    if signed_for is None or signed_for != user.get_id():
        raise HTTPException(403, "This form is too old or is not from this page. Open the page again.")


FROM_THE_PAGE = Depends(check_token)
"""Refuses a form that the same user has not opened on the page, see `check_token`."""


def keyed_hash(text: str) -> str:
    """Return a hash of a text, made with Airflow's ``[api] secret_key``: 64 hexadecimal digits."""
    key = conf.get_mandatory_value("api", "secret_key")
    return hmac.new(key.encode(), f"callapi-calls-page {text}".encode(), hashlib.sha256).hexdigest()


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        conf.get_mandatory_value("api", "secret_key"),
        salt="callapi-calls-page",
        signer_kwargs={"digest_method": hashlib.sha256},  # a FIPS build may lack the default, SHA-1
    )
