"""Who may see the page and who may act: the rights of Airflow's auth manager, and protection against CSRF."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import get_user, requires_access_connection
from airflow.models import Connection
from airflow.providers.common.compat.sdk import conf
from fastapi import Depends, Form, HTTPException, Path

_VALID_SECONDS = 12 * 3600
"""The longest time between the opening of a form and its submission."""

UserDep = Annotated[BaseUser, Depends(get_user)]
"""The user who has logged in to Airflow."""
ConnectionId = Annotated[str, Path(pattern=r"^[\w.-]+$", max_length=250)]
MAY_READ = Depends(requires_access_connection("GET"))
"""The user may read the connection that the path parameter ``connection_id`` names."""
MAY_EDIT = Depends(requires_access_connection("PUT"))
"""The user may edit this connection."""


def is_allowed(method: str, connection_id: str, user: BaseUser) -> bool:
    """Return whether a user has a right on a connection.

    :param method: ``GET``: to read the connection. ``PUT``: to edit the connection.
    """
    find_team = getattr(Connection, "get_team_name", None)  # Airflow 3.1+
    team = {"team_name": find_team(connection_id)} if find_team else {}
    details = ConnectionDetails(conn_id=connection_id, **team)
    return bool(get_auth_manager().is_authorized_connection(method=method, details=details, user=user))  # type: ignore[arg-type]


def sign_token(user: BaseUser, now: float) -> str:
    """Return the token that the page's forms carry. Another site cannot make such a token.

    :param now: epoch seconds.
    """
    valid_until = int(now) + _VALID_SECONDS
    return f"{valid_until}.{_signature(user, valid_until)}"


def check_token(user: UserDep, token: Annotated[str, Form()] = "") -> None:
    """Refuse a form that does not come from the page, or that another user has opened.

    :raises HTTPException: the token is missing, too old, or another user's.
    """
    valid_until, _, signature = token.partition(".")
    expected = _signature(user, int(valid_until) if valid_until.isdecimal() else 0)
    is_signed = hmac.compare_digest(signature.encode(), expected.encode())
    if not is_signed or int(valid_until) < time.time():
        raise HTTPException(403, "This form is too old or is not from this page. Open the page again.")


FROM_THE_PAGE = Depends(check_token)
"""The form was opened by the same user on the page."""


def _signature(user: BaseUser, valid_until: int) -> str:
    key = conf.get_mandatory_value("api", "secret_key").encode()
    text = f"callapi-calls-page\n{valid_until}\n{user.get_id()}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()
