"""The page *Calls* in a real browser: a user watches a campaign of 200 people, and stops it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deployment import eventually
from playwright.sync_api import FrameLocator, Page, expect
from standalone import Standalone

from airflow_provider_callapi.emulator import Exchange, Script

pytestmark = pytest.mark.timeout(300, method="signal")

DAG = "campaign_of_200"
ENDED = ("success", "failed")


@pytest.fixture
def run(airflow: Standalone, exchange: Exchange, connection: None) -> Iterator[str]:
    """Start the campaign, and return the path of its DAG run in the API."""
    exchange.default_script = Script(rings=1, talks=20)
    started = airflow.api(f"dags/{DAG}/dagRuns", method="POST", body={"logical_date": None})
    path = f"dags/{DAG}/dagRuns/{started['dag_run_id']}"
    eventually("the campaign dials", lambda: len(exchange.calls) > 2, within=120)
    yield path
    if airflow.api(path)["state"] not in ENDED:
        airflow.api(path, method="PATCH", body={"state": "failed"})


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_a_user_watches_a_campaign_and_stops_it(
    airflow: Standalone, exchange: Exchange, run: str, page: Page, screenshot: Callable[..., Path]
) -> None:
    strange: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: strange.append(request.url))
    page.on("console", lambda message: refused.append(message.text))

    page.goto(f"{airflow.url}/")
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Calls").click()
    calls = frame(page)

    expect(calls.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
    expect(calls.get_by_role("status").first).to_contain_text(re.compile(r"[1-9] calls? in progress"))
    expect(calls.get_by_text("spring sale").first).to_be_visible()
    expect(calls.locator("#main")).not_to_contain_text("79161")
    expect(calls.get_by_role("link", name=re.compile("Release call")).first).to_be_visible()
    expect(calls.get_by_text("campaign spring sale").first).to_be_visible(timeout=60_000)
    expect(calls.get_by_text("people a minute")).to_be_visible(timeout=60_000)
    expect(calls.get_by_text("campaign spring sale").first).to_be_visible(timeout=60_000)
    screenshot("calls-page.png")

    # with the keyboard alone
    link = calls.get_by_role("link", name=re.compile("Release call")).first
    session = int((link.get_attribute("aria-label") or "").split()[-1])
    link.focus()
    page.keyboard.press("Enter")
    expect(calls.get_by_role("heading", name=f"Release call {session}?")).to_be_visible()
    calls.get_by_role("button", name="Yes").focus()
    page.keyboard.press("Enter")
    expect(calls.get_by_text(f"released call {session}")).to_be_visible()

    calls.get_by_role("link", name="Stop campaign spring sale").click()
    expect(calls.get_by_role("heading", name="Stop campaign spring sale?")).to_be_visible()
    screenshot("calls-page-confirmation.png")
    calls.get_by_role("button", name="Yes").click()
    expect(calls.get_by_text("asked campaign spring sale to stop").first).to_be_visible()
    page.wait_for_timeout(4_000)  # two steps of the campaign
    placed = len(exchange.calls)

    eventually("the run ends", lambda: airflow.api(run)["state"] in ENDED, within=120)
    assert airflow.api(run)["state"] == "failed"
    assert 0 < len(exchange.calls) == placed < 200
    assert all(call.ended_at is not None for call in exchange.calls)
    assert re.search(r"(\w+) stopped the campaign: no one is dialled", airflow.log())
    events = airflow.api("eventLogs?event=callapi_stop")["event_logs"]
    assert [event["dag_id"] for event in events] == [DAG]

    assert [url for url in strange if not url.startswith((airflow.url, "data:", "blob:"))] == []
    assert [text for text in refused if "Content Security Policy" in text and "callapi" in text] == []


def test_the_page_is_dark_when_airflow_is_and_leads_to_the_task(
    airflow: Standalone, run: str, page: Page, screenshot: Callable[..., Path]
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{airflow.url}/plugin/callapi-calls")
    calls = frame(page)
    expect(calls.get_by_text("spring sale").first).to_be_visible(timeout=30_000)
    expect(calls.locator("html")).to_have_attribute("data-theme", "dark")
    screenshot("calls-page-dark.png")

    calls.locator("a.task").first.click()

    page.wait_for_url(f"**/dags/{DAG}/runs/**/tasks/call*")
