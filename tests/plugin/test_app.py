"""The page of calls: who sees what, what it costs, and what it shows while the service is away."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio.to_thread
import httpx
import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from calls_page import CONTACT, PAGE, Browse, looks, release_url, submit
from fastapi.testclient import TestClient

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY
from airflow_provider_callapi.supervision.tasks import PollingTask

pytestmark = pytest.mark.needs_airflow("3.1", "pages of plugins")


# --- who sees what ---


def test_an_operator_sees_calls_campaigns_points_and_buttons(
    browse: Browse, campaigns: Any, session: int
) -> None:
    page = browse("anna").get(PAGE)

    assert page.status_code == 200
    for text in (
        "1 call in progress",
        str(session),
        "7916…4567",
        "contact: Разговор",
        "campaign spring",
        "/dags/marketing/runs/manual__1/tasks/call",
        "50 of 200 people (25 %)",
        "25.0 people a minute",
        "busy",
        "left; new points in",
        "Release…",
        "Pause…",
        "Stop…",
    ):
        assert text in page.text, text
    assert "Resume…" not in page.text


def test_a_viewer_sees_no_button_and_no_number(browse: Browse, campaigns: Any, session: int) -> None:
    page = browse("vera").get(PAGE)

    assert page.status_code == 200
    assert str(session) in page.text
    assert "…</a>" not in page.text
    assert "<form" not in page.text
    assert "<button" not in page.text


@pytest.mark.parametrize("name", ["anna", "vera"])
def test_the_page_has_no_complete_number_and_no_secret(
    browse: Browse, campaigns: Any, exchange: Any, name: str
) -> None:
    text = browse(name).get(PAGE).text

    assert CONTACT not in text
    for secret in (exchange.account.key, exchange.account.password, "the key of this test"):
        assert secret not in text


@pytest.mark.parametrize(
    "url", [PAGE, f"{PAGE}release?call_session_id=1&account=a", f"{PAGE}campaign?campaign=spring&kind=stop"]
)
def test_a_user_without_the_right_is_refused(browse: Browse, exchange: Any, url: str) -> None:
    assert browse(None).get(url).status_code == 401
    assert browse("nora").get(url).status_code == 403
    assert looks(exchange) == 0


def test_the_short_address_leads_to_the_default_connection(browse: Browse) -> None:
    assert browse("anna").get("/").url.path == PAGE


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("user", 403), ("op", 200), ("admin", 200)])
def test_the_rights_are_those_of_airflows_auth_manager(
    app: Any, role: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simple auth manager lets only the roles op and admin read connections."""
    monkeypatch.undo()
    monkeypatch.setenv(
        "AIRFLOW__API_AUTH__JWT_SECRET", "a secret with the length that the algorithm needs " * 2
    )
    manager = create_auth_manager()
    token = manager.generate_jwt(SimpleAuthManagerUser(username="anna", role=role))

    with TestClient(app, cookies={"_token": token}) as browser:
        assert browser.get(PAGE).status_code == status
    with TestClient(app, cookies={"_token": "forged"}) as browser:
        assert browser.get(PAGE).status_code == 403


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(("used", "shown"), [("callapi_default", True), ("callapi_other", False)])
def test_a_call_is_linked_only_to_a_task_of_the_shown_connection(
    browse: Browse, session: int, task_states: Any, used: str, shown: bool
) -> None:
    task_states("reminders", {RECORD_KEY: {"connection": used, "call": {"call_session_id": session}}})

    assert ("reminders" in browse("vera").get(PAGE).text) is shown


def test_only_the_tasks_of_the_shown_connection_poll_on_its_page(
    browse: Browse, no_other_campaigns: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [
        PollingTask((f"dag_of_{used}", "run", "call", "-1"), "CallApiCampaignOperator", "deferred", used)
        for used in ("callapi_default", "callapi_other", None)
    ]
    monkeypatch.setattr("airflow_provider_callapi.plugin.database.list_polling_tasks", lambda: tasks)

    page = browse("vera").get(PAGE).text

    assert set(re.findall(r"dag_of_\w+", page)) == {"dag_of_callapi_default", "dag_of_None"}


def test_the_page_names_no_dag_that_the_user_may_not_read(
    browse: Browse, campaigns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SimpleAuthManager,
        "is_authorized_dag",
        lambda self, *, method, user, access_entity=None, details=None: details.id != "marketing",
    )

    page = browse("vera").get(PAGE).text

    assert "50 of 200 people" in page
    assert "marketing" not in page
    assert "a task of a DAG that you may not read" in page


@pytest.mark.parametrize("ledger_id", ["callapi_secret", "missing_ledger"])
def test_a_problem_of_a_ledger_is_explained_to_readers_of_its_connection(
    browse: Browse, campaigns: Any, monkeypatch: pytest.MonkeyPatch, ledger_id: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", ledger_id)

    page = browse("vera").get(PAGE).text

    assert (f"ledger {ledger_id}: " in page) is (ledger_id != "callapi_secret")
    assert ("A ledger, whose connection you may not read, cannot be read." in page) is (
        ledger_id == "callapi_secret"
    )
    assert ledger_id in page or ledger_id == "callapi_secret"


# --- what it costs ---


def test_ten_viewers_cause_one_look_and_no_viewer_causes_no_look(
    browse: Browse, session: int, exchange: Any
) -> None:
    browsers = [browse("vera") for _ in range(10)]
    before = looks(exchange)
    assert before == 0

    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda browser: browser.get(PAGE).text, browsers))

    assert all(str(session) in page for page in pages)
    assert looks(exchange) == 1


def test_the_files_of_the_page_cost_no_look(browse: Browse, exchange: Any) -> None:
    for name in ("page.css", "page.js"):
        assert browse(None).get(f"/static/{name}").status_code == 200
    assert looks(exchange) == 0


# --- when the service is away ---


def test_the_page_shows_the_stored_progress_while_the_service_is_away(
    browse: Browse, campaigns: Any, connection: Any
) -> None:
    connection(host="http://127.0.0.1", port=9)

    page = browse("vera").get(PAGE)

    assert page.status_code == 200
    assert "The API server cannot poll the active calls: " in page.text
    assert "50 of 200 people" in page.text


def test_a_silent_ledger_is_named_and_takes_no_thread_of_the_server(
    browse: Browse, campaigns: Any, silent_ledger: str, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's API server runs each of its other endpoints in one of its 40 threads."""
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", f"ledger,{silent_ledger}")
    monkeypatch.setattr("airflow_provider_callapi.supervision.patience.LONGEST_WAIT", 5.0)
    cookies = {"Cookie": "user=anna"}

    async def watch() -> tuple[list[Any], float]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://calls", headers=cookies) as client:
            viewers = [asyncio.create_task(client.get(PAGE)) for _ in range(60)]
            await asyncio.sleep(1)
            # On a slow machine, the first steps of the pages still take threads.
            while (held := limiter.borrowed_tokens) and not any(viewer.done() for viewer in viewers):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            return await asyncio.gather(*viewers), held

    browse("anna")
    pages, held = asyncio.run(watch())

    assert held == 0
    for page in pages:
        assert f"ledger {silent_ledger}: the database does not answer" in page.text
        assert "50 of 200 people" in page.text


def test_a_release_that_fails_is_explained_and_not_logged_as_done(
    browse: Browse, session: int, connection: Any
) -> None:
    connection(password="wrong")
    anna = browse("anna")

    answer = submit(anna, release_url(session))

    assert answer.status_code == 502
    assert 'role="alert"' in answer.text
    assert f"released call {session}" not in anna.get(PAGE).text


def test_a_connection_that_does_not_exist_is_named(browse: Browse) -> None:
    page = browse("anna").get("/missing/")
    assert "missing" in page.text
    assert "cannot poll the active calls" in page.text
