"""A browser and an Airflow to use in it. The tests also take the documentation's screenshots."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "tests_deployment"))  # the deployment's helpers

from standalone import Standalone

from airflow_provider_callapi.emulator import Exchange

EXAMPLE = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags" / "informer_call.py"
OWN_DAGS = Path(__file__).parent / "dags"
SIZE = 1280, 800
TIMEOUT = 20_000
"""Milliseconds that the browser may need for one step on a loaded machine."""
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LARGEST_PICTURE = 200_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        metavar="DIR",
        type=Path,
        help="folder for the screenshots; the default is a temporary folder",
    )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the installed browser. The tests do not download Playwright's builds."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("there is no chromium to test the forms in: apt-get install chromium", pytrace=False)


@pytest.fixture(scope="session")
def airflow(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Run one Airflow for the session. It starts only if a browser is installed."""
    home = tmp_path_factory.mktemp("airflow")
    with Standalone(home, EXAMPLE, dag="callapi_informer_call", own_dags=OWN_DAGS) as airflow:
        yield airflow


@pytest.fixture
def no_connection(airflow: Standalone) -> None:
    """Delete all connections."""
    for one in airflow.api("connections")["connections"]:
        airflow.api(f"connections/{one['connection_id']}", method="DELETE")


@pytest.fixture
def connection(airflow: Standalone, no_connection: None) -> None:
    """Add the connection without a browser."""
    fields = airflow.emulator.connection()
    body = {**fields, "connection_id": "callapi_default", "extra": json.dumps(fields["extra"])}
    airflow.api("connections", method="POST", body=body)


@pytest.fixture
def exchange(airflow: Standalone) -> Iterator[Exchange]:
    """Return the telephone exchange after a reset."""
    exchange = airflow.emulator.exchange
    exchange.reset()
    yield exchange
    exchange.account.ip_whitelist = None


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    """Start a browser that reaches only this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def window(browser: Browser) -> Callable[..., Page]:
    """Return a function: ``window(token)`` opens a page in a new profile, for the user with this token.

    Without a token, no user has logged in.
    """

    def open_page(token: str | None = None) -> Page:
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]},
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        if token is not None:
            context.add_cookies([{"name": "_token", "value": token, "domain": "127.0.0.1", "path": "/"}])
        return context.new_page()

    return open_page


@pytest.fixture
def page(window: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    """Open a page. If the test uses Airflow, the administrator has logged in."""
    if "airflow" not in request.fixturenames:
        return window()
    airflow: Standalone = request.getfixturevalue("airflow")
    return window(airflow.token("admin"))


@pytest.fixture
def screenshot(
    page: Page, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Return a function: ``screenshot(name)`` saves the page, with a URL as well it first opens the URL."""
    folder: Path = request.config.getoption("--screenshots") or tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def take(name: str, url: str | None = None) -> Path:
        if url is not None:
            page.goto(url)
        picture = folder / name
        page.screenshot(path=picture, animations="disabled", caret="hide")
        assert picture.stat().st_size < LARGEST_PICTURE
        return picture

    return take
