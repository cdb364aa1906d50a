"""The web application of the page *Calls*, which shows the active calls and the campaigns of a connection.

On the page, a user can also release a call, and pause, resume or stop a campaign.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from airflow.providers.common.compat.sdk import AirflowException
from fastapi import FastAPI, Form, HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.values.object_ids import LARGEST_ID
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.plugin import audit, page
from airflow_provider_callapi.plugin.access import (
    FROM_THE_PAGE,
    MAY_EDIT,
    MAY_READ,
    ConnectionId,
    UserDep,
    is_allowed,
    readable_dags,
    sign_token,
)
from airflow_provider_callapi.plugin.address import root_path
from airflow_provider_callapi.plugin.connections import (
    AccountChanged,
    Look,
    SharedLooks,
    describe_error,
    list_connections,
    release_call,
)
from airflow_provider_callapi.plugin.database import Known, read_databases
from airflow_provider_callapi.plugin.notifications import make_router
from airflow_provider_callapi.plugin.rendering import add_headers, render, show_error
from airflow_provider_callapi.plugin.shared_look import SharedLook
from airflow_provider_callapi.supervision.campaigns import (
    Problem,
    SeenCampaign,
    followers,
    list_campaigns,
    send_wish,
)
from airflow_provider_callapi.supervision.task_states import Owner

_ASK = {
    WishKind.PAUSE: "The campaign dials no one until it is resumed. The active calls go on.",
    WishKind.RESUME: "The campaign dials again.",
    WishKind.STOP: "The campaign dials no one any more. The active calls go on, and then the task fails.",
}
_SEE_OTHER = 303

SessionId = Annotated[int, Form(ge=1, le=LARGEST_ID)]
Account = Annotated[str, Form()]
CampaignName = Annotated[str, Form(min_length=1)]
"""A name in task state can be as long as the ids of a DAG, a run and a task together."""


def make_app() -> FastAPI:
    """Return the web application of the page *Calls*.

    The application polls the service only when a browser requests the page. While the page is open in no
    browser, the application sends no requests.
    """
    # Without this variable, hooks find no connection of the metadata database. Airflow 3.1 does not set it.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    app = FastAPI(title="Calls", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=FilePath(__file__).parent / "static"), name="static")
    app.middleware("http")(add_headers)
    app.include_router(make_router())
    app.add_exception_handler(HTTPException, show_error)
    app.add_exception_handler(RequestValidationError, show_error)
    looks = SharedLooks()
    known = SharedLook(read_databases)

    @app.get("/")
    def show_default() -> Response:
        return RedirectResponse(f"{CallApiHook.default_conn_name}/", _SEE_OTHER)

    @app.get("/{connection_id}/", dependencies=[MAY_READ])
    async def show_page(connection_id: ConnectionId, user: UserDep) -> Response:
        look, seen = await asyncio.gather(looks.of(connection_id).look(), known.look())
        return await run_in_threadpool(_show_page, connection_id, user, look, seen)

    @app.get("/{connection_id}/release", dependencies=[MAY_EDIT])
    def confirm_release(
        connection_id: ConnectionId, user: UserDep, call_session_id: int, account: str
    ) -> Response:
        return _confirm(
            user,
            f"Release call {call_session_id}?",
            "The call ends at once. People may be talking.",
            {"call_session_id": call_session_id, "account": account},
        )

    @app.post("/{connection_id}/release", dependencies=[MAY_EDIT, FROM_THE_PAGE])
    def release(
        connection_id: ConnectionId, user: UserDep, call_session_id: SessionId, account: Account
    ) -> Response:
        try:
            was_active = release_call(connection_id, call_session_id, account)
        except AccountChanged as changed:
            looks.of(connection_id).expire()
            raise HTTPException(409, str(changed)) from None
        except (CallApiError, AirflowException) as error:
            raise HTTPException(502, describe_error(error)) from None
        looks.of(connection_id).expire()
        text = f"released call {call_session_id}"
        if not was_active:
            text = f"asked to release call {call_session_id}, which had ended or never existed"
        _record("release", text, user, connection_id=connection_id, call_session_id=call_session_id)
        return RedirectResponse("./", _SEE_OTHER)

    @app.get("/{connection_id}/campaign", dependencies=[MAY_EDIT])
    def confirm_wish(connection_id: ConnectionId, user: UserDep, campaign: str, kind: WishKind) -> Response:
        title = f"{kind.value.capitalize()} campaign {campaign}?"
        return _confirm(user, title, _ASK[kind], {"campaign": campaign, "kind": kind.value})

    @app.post("/{connection_id}/campaign", dependencies=[MAY_EDIT, FROM_THE_PAGE])
    def ask(
        connection_id: ConnectionId, user: UserDep, campaign: CampaignName, kind: Annotated[WishKind, Form()]
    ) -> Response:
        asked = followers(campaign, list_campaigns(name=campaign).found)
        if refusal := _refuse_wish(connection_id, asked, lambda used: is_allowed("PUT", used, user)):
            raise refusal
        text, trouble = f"asked campaign {campaign} to {kind.value}", None
        try:
            send_wish(campaign, Wish(kind, str(user.get_name()), system_clock.now()), asked)
        except CallApiTrouble as error:  # some of the tasks may have the wish
            text, trouble = f"{text}, but not all its ledgers answered", error
        known.expire()
        for seen in asked:
            owner = seen.progress.owner
            _record(kind.value, text, user, connection_id=connection_id, owner=owner, campaign=campaign)
        if trouble is not None:
            raise HTTPException(502, describe_error(trouble))
        return RedirectResponse("./", _SEE_OTHER)

    return app


def _record(action: str, text: str, user: Any, **facts: Any) -> None:
    """Write an action that is done into the audit log. If this fails, tell the user both.

    :raises HTTPException: the audit log does not contain the action.
    """
    try:
        audit.write(action, text, user, **facts)
    except CallApiTrouble as trouble:
        name = user.get_name()
        raise HTTPException(500, f"{name} {text}. The audit log does not contain this: {trouble}") from None


def _refuse_wish(
    connection_id: str, asked: list[SeenCampaign], may_edit: Callable[[str], bool]
) -> HTTPException | None:
    """Return why a user may not pause, resume or stop a campaign on the page of a connection, or None.

    :param asked: the tasks that would follow the wish, as `followers` returns them. They can dial through
        several connections. A finished task is not among them, unless all tasks are finished.
    :param may_edit: a function that returns whether the user may edit the connection with an id.
    """
    used = {seen.progress.connection for seen in asked}
    if connection_id not in used:
        return HTTPException(
            404, "No campaign of this connection has this name, or its ledger cannot be read."
        )
    if not all(map(may_edit, used)):
        return HTTPException(403, "The campaign also dials through a connection that you may not edit.")
    return None


def _show_page(connection_id: str, user: Any, look: Look, known: Known) -> Response:
    return render("page.html.j2", **_page_context(connection_id, user, look, known))


def _page_context(connection_id: str, user: Any, look: Look, known: Known) -> dict[str, Any]:
    """Return the variables of the template ``page.html.j2``: name → value."""
    now, root = system_clock.now(), root_path()
    campaigns, tasks = known.campaigns_of(connection_id), known.tasks_of(connection_id)
    active = {call.call_session_id for call in look.sessions}
    callers = {call: owner for call, owner in known.callers_of(connection_id).items() if call in active}
    owners = [
        *callers.values(),
        *(seen.progress.owner for seen in campaigns),
        *(task.owner for task in tasks),
    ]
    readable = readable_dags({owner[0] for owner in owners}, user)

    def link(owner: Owner) -> page.TaskLink:
        return page.TaskLink.of(owner, root) if owner[0] in readable else page.HIDDEN

    def describe(problem: Problem) -> str:
        ledger = problem.ledger_conn_id
        may_see = ledger is None or is_allowed("GET", ledger, user)
        return problem.text if may_see else "A ledger, whose connection you may not read, cannot be read."

    may_edit = cache(lambda used: is_allowed("PUT", used, user))
    names = {seen.progress.campaign for seen in campaigns}
    others = [conn_id for conn_id in list_connections() if is_allowed("GET", conn_id, user)]
    return {
        "connection_id": connection_id,
        "connections": sorted({connection_id, *others}),
        "may_edit": may_edit(connection_id),
        "may_ask": {
            name
            for name in names
            if not _refuse_wish(connection_id, followers(name, known.campaigns), may_edit)
        },
        "look": look,
        "calls": page.call_rows(look, callers, campaigns, link),
        "bars": page.bars(look.limits),
        "campaigns": page.campaign_rows(campaigns, now, link),
        "problems": list(dict.fromkeys(map(describe, known.problems))),
        "tasks": [(link(task.owner), task) for task in tasks],
        "newest_actions": audit.read_newest(connection_id),
    }


def _confirm(user: Any, title: str, text: str, fields: dict[str, Any]) -> Response:
    """Return the page that asks a user to confirm an action, such as the release of a call."""
    return render("confirm.html.j2", title=title, text=text, fields=fields, token=sign_token(user))
