"""The page in a web application that Airflow's auth manager protects, and users with different rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from calls_page import campaigns, session
from campaigns_seen import autumn, ledger, no_other_campaigns, silent_ledger, task_states
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient
from real_databases import postgres

__all__ = [
    "app",
    "autumn",
    "browse",
    "campaigns",
    "ledger",
    "no_other_campaigns",
    "postgres",
    "session",
    "silent_ledger",
    "task_states",
]

RIGHTS = {"anna": ("GET", "PUT"), "olga": ("GET", "PUT"), "vera": ("GET",), "nora": ()}
"""User → what the user may do with connections: anna and olga act, vera reads, nora does neither.

Nobody has a right on the connection ``callapi_secret``.
"""


@pytest.fixture
def app(connection: Any, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the web application. Afterwards, delete what it has written into the audit log."""
    from airflow.api_fastapi import app as airflow_app
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    from airflow_provider_callapi.plugin.app import make_app

    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "the key of this test")
    if hasattr(airflow_app, "_AuthManagerState"):
        monkeypatch.setattr(airflow_app._AuthManagerState, "instance", SimpleAuthManager())
    else:  # Airflow 3.1
        monkeypatch.setattr(airflow_app, "auth_manager", SimpleAuthManager())
    monkeypatch.setattr(
        SimpleAuthManager,
        "is_authorized_connection",
        lambda self, *, method, user, details=None: (
            method in RIGHTS[user.get_name()] and details.conn_id != "callapi_secret"
        ),
    )
    yield make_app()
    with create_session() as session:
        session.execute(delete(Log).where(Log.event.like("callapi_%")))


@pytest.fixture
def browse(app: Any) -> Iterator[Callable[[str | None], Any]]:
    """Return a function: the name of a user, or None → a browser in which this user has logged in."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    async def find_user(request: Request) -> Any:
        if name := request.cookies.get("user"):
            return SimpleAuthManagerUser(username=name, role="op")
        raise HTTPException(401, "Not authenticated")

    app.dependency_overrides[get_user] = find_user
    browsers = []

    def browse(name: str | None) -> Any:
        browsers.append(TestClient(app, cookies={"user": name} if name else {}, follow_redirects=True))
        return browsers[-1]

    yield browse
    for browser in browsers:
        browser.close()
