"""An auth manager under which some users may read a connection and may not edit it.

No role of Airflow's simple auth manager has this right: its roles *viewer* and *user* may not read a
connection, and its roles *op* and *admin* may edit it. In the auth managers of real deployments, an
administrator may define such a role. ``airflow standalone`` accepts no auth manager but the simple one, so an
API server of its own uses this one.
"""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager


class ReadingUsersAuthManager(SimpleAuthManager):
    """The simple auth manager, whose role *user* may also read connections."""

    def is_authorized_connection(self, *, method: Any, user: Any, details: Any = None) -> bool:
        may_read = method == "GET" and user.role.upper() == "USER"
        return may_read or super().is_authorized_connection(method=method, user=user, details=details)
