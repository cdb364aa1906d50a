"""A browser, and Airflow in it. The pictures of the documentation are taken on the way."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "tests_deployment"))  # how a deployment is started and ended

from standalone import Standalone

from airflow_provider_callapi.emulator import Exchange

EXAMPLE = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags" / "informer_call.py"
SIZE = 1280, 800
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
        "--screenshots", metavar="DIR", type=Path, help="where the pictures go; a folder to be thrown away"
    )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. Playwright's own builds are not used: nothing is downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("there is no chromium to test the forms in: apt-get install chromium", pytrace=False)


@pytest.fixture(scope="session")
def airflow(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """One for the session; started only where there is a browser to look at it."""
    with Standalone(tmp_path_factory.mktemp("airflow"), EXAMPLE, dag="callapi_informer_call") as airflow:
        yield airflow


@pytest.fixture
def exchange(airflow: Standalone) -> Iterator[Exchange]:
    """The telephone exchange, as new."""
    exchange = airflow.emulator.exchange
    exchange.reset()
    yield exchange
    exchange.account.ip_whitelist = None


@pytest.fixture
def page(chromium: str, tmp_path: Path) -> Iterator[Page]:
    """A page of a browser that has never been used, and that knows this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium,
            headless=True,
            args=OPTIONS,
            viewport={"width": SIZE[0], "height": SIZE[1]},
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            reduced_motion="reduce",
        )
        try:
            page = browser.new_page()
            page.set_default_timeout(20_000)
            yield page
        finally:
            browser.close()


@pytest.fixture
def screenshot(
    page: Page, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """``screenshot(name)`` keeps what the page shows; ``screenshot(name, url)`` goes there first."""
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
