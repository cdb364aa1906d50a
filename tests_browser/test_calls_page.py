"""The page *Calls* in a real browser: users with different rights watch a campaign of 200 people."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deployment import eventually
from playwright.sync_api import FrameLocator, Page, expect
from standalone import READERS, Standalone

from airflow_provider_callapi.emulator import Exchange, Script

pytestmark = pytest.mark.timeout(600, method="signal")

DAG = "campaign_of_200"
ENDED = ("success", "failed")
WATCHED = 12.0
"""The seconds for which viewers watch the page while the test counts the looks."""
MOST_LOOKS = 3
"""The most looks within these seconds: one for every 5 s, and one at the beginning."""


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


@pytest.fixture
def page(airflow: Standalone, window: Callable[..., Page]) -> Page:
    """Open a page for Anna, who has the role *op* and may edit connections."""
    return window(airflow.token("anna"))


@pytest.fixture(scope="module")
def readers_url(airflow: Standalone) -> str:
    """Return the address of an API server whose readers may read connections and not edit them."""
    return airflow.start_api_server_for_readers()


@pytest.fixture
def reader(airflow: Standalone, readers_url: str, window: Callable[..., Page]) -> Page:
    """Open the page *Calls* for a user who may read connections and not edit them."""
    page = window(airflow.token(READERS[0], readers_url))
    page.goto(f"{readers_url}/callapi/callapi_default/")
    return page


def test_an_operator_stops_a_campaign_that_a_reader_only_sees(
    airflow: Standalone,
    exchange: Exchange,
    run: str,
    page: Page,
    *,
    reader: Page,
    screenshot: Callable[..., Path],
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

    expect(reader.get_by_role("heading", name="spring sale")).to_be_visible(timeout=60_000)
    check_that_a_reader_can_only_read(reader)

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
    assert "anna stopped the campaign: no one is dialled" in airflow.log()
    events = airflow.api("eventLogs?event=callapi_stop")["event_logs"]
    assert [(event["dag_id"], event["owner"]) for event in events] == [(DAG, "anna")]
    expect(calls.locator("#main")).to_contain_text("anna asked campaign spring sale to stop")

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


def check_that_a_reader_can_only_read(reader: Page) -> None:
    """Check the page of a user who may read the connection, and not edit it, while there are calls."""
    expect(reader.get_by_role("status").first).to_contain_text(re.compile(r"[1-9] calls? in progress"))
    expect(reader.get_by_role("button")).to_have_count(0)
    expect(reader.get_by_role("link", name=re.compile("Release|Pause|Resume|Stop"))).to_have_count(0)
    assert re.search(r"7916\d{4}", reader.content()) is None
    for action in ("release?call_session_id=1", "campaign?kind=stop&campaign=spring%20sale"):
        assert reader.request.get(f"{reader.url}{action}").status == 403
    stop = {"kind": "stop", "campaign": "spring sale"}
    assert reader.request.post(f"{reader.url}campaign", form=stop).status == 403


def test_a_viewer_who_may_not_read_connections_sees_no_call_and_no_campaign(
    airflow: Standalone, exchange: Exchange, connection: None, window: Callable[..., Page]
) -> None:
    exchange.inbound("79161000001")
    viewer = window(airflow.token("viewer"))
    answer = viewer.goto(f"{airflow.url}/callapi/callapi_default/")

    assert answer is not None
    assert answer.status == 403
    expect(viewer.get_by_role("heading", name="Not allowed")).to_be_visible()
    expect(viewer.locator("body")).not_to_contain_text(re.compile("progress|7916"))
    expect(viewer.get_by_role("button")).to_have_count(0)


def test_ten_viewers_cause_as_many_looks_as_one(
    airflow: Standalone,
    exchange: Exchange,
    connection: None,
    readers_url: str,
    window: Callable[..., Page],
) -> None:
    """The page renews itself every 5 s, and a look is shown for 5 s."""
    page_loads: list[str] = []

    def watch(reader: str) -> Page:
        page = window(airflow.token(reader, readers_url))
        page.on("response", lambda answer: page_loads.append(answer.url) if answer.ok else None)
        page.goto(f"{readers_url}/callapi/callapi_default/")
        return page

    def count_looks() -> tuple[int, int]:
        """Return how many polls and how many loads of the page are within some seconds."""
        looks_before = exchange.requests("list.calls")
        page_loads.clear()
        first.wait_for_timeout(WATCHED * 1000)
        loads = [url for url in page_loads if url.endswith("/callapi_default/")]
        return exchange.requests("list.calls") - looks_before, len(loads)

    eventually("no task polls", lambda: is_quiet(exchange), within=60)
    exchange.default_script = Script(rings=0, employee_rings=0, talks=None)
    exchange.inbound("79161000001")
    first = watch(READERS[0])
    check_that_a_reader_can_only_read(first)
    looks_of_one, _ = count_looks()
    for reader in READERS[1:]:
        watch(reader)
    looks_of_ten, loads = count_looks()

    assert 1 <= looks_of_one <= MOST_LOOKS
    assert 1 <= looks_of_ten <= MOST_LOOKS
    assert loads >= 10  # the ten pages have renewed themselves


def is_quiet(exchange: Exchange) -> bool:
    """Return whether nothing polls for 5 s. A task that a test has ended may poll for some seconds."""
    before = exchange.requests("list.calls")
    time.sleep(5.0)
    return exchange.requests("list.calls") == before
