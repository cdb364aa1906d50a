"""The built documentation in a browser: code is visible, the search finds words, a wrong address helps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.timeout(300, method="signal")

ROOT = Path(__file__).parents[1]
CUT_OFF = """() => [...document.querySelectorAll("article pre > code")]
    .filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.innerText)"""


class _Pages(SimpleHTTPRequestHandler):
    """Serves the documentation as a public server does: with the page ``404.html`` for a wrong address."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Build the documentation, and return its folder and its address."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", folder],
        cwd=ROOT,
        check=True,
        timeout=250,
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_code_is_cut_off_in_a_window_of_1280_pixels(site: tuple[Path, str], page: Page) -> None:
    folder, address = site
    cut_off = {}
    for file in sorted(folder.rglob("*.html")):
        name = file.relative_to(folder).as_posix()
        page.goto(f"{address}/{name}")
        if code := page.evaluate(CUT_OFF):
            cut_off[name] = code

    assert cut_off == {}


@pytest.mark.parametrize("word", ["cp1251", "IVR", "dag_run.conf"])
def test_the_search_finds_the_words_of_newcomers(site: tuple[Path, str], page: Page, word: str) -> None:
    _, address = site
    page.goto(f"{address}/index.html")
    page.keyboard.press("s")
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    page.get_by_role("textbox", name="Search").press_sequentially(word)  # the page listens to keys

    expect(page.locator(".md-search-result__item").first).to_be_visible()


def test_a_wrong_address_leads_to_the_first_pages(site: tuple[Path, str], page: Page) -> None:
    _, address = site
    page.goto(f"{address}/operators/no-such-page.html")

    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Quick start").last.click()
    page.wait_for_url(f"{address}/quick-start.html")
