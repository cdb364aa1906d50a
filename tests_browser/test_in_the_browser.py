"""What a person sees and does: the connection's form and test, an example's form, a run, the exchange.

A real Chromium (Debian's: ``apt-get install chromium``) opens a real ``airflow standalone``. The
documentation's pictures are screenshots of these tests. ``make test-browser SCREENSHOTS=docs/images``
renews them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from deployment import eventually
from playwright.sync_api import Locator, Page, expect
from standalone import Standalone

from airflow_provider_callapi.calls.campaign.outcomes import RESULT_MEANINGS, Result
from airflow_provider_callapi.emulator import Exchange, Script
from airflow_provider_callapi.provider_info import get_provider_info

# method=signal: after a timeout, the fixtures must still end their processes
pytestmark = pytest.mark.timeout(300, method="signal")

ROOT = Path(__file__).parents[1]
CONNECTION = "callapi_default"
CONTACT = "79165550123"
(FORM,) = get_provider_info()["connection-types"]

Screenshot = Callable[..., Path]


def test_the_form_creates_a_working_connection(
    airflow: Standalone, exchange: Exchange, no_connection: None, page: Page, screenshot: Screenshot
) -> None:
    page.goto(f"{airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill(CONNECTION)
    form.get_by_role("combobox", name="Connection Type").fill("Call API")
    page.get_by_role("option", name="CoMagic / UIS Call API").click()

    for name, label in FORM["ui-field-behaviour"]["relabeling"].items():
        field = form.get_by_label(label)
        expect(field).to_be_visible()
        if name in FORM["ui-field-behaviour"]["placeholders"]:
            expect(field).to_have_attribute("placeholder", FORM["ui-field-behaviour"]["placeholders"][name])
    for hidden in ("Schema", "Extra"):
        expect(form.get_by_label(hidden, exact=True)).to_have_count(0)

    host, _, port = airflow.emulator.url.rpartition(":")
    form.get_by_label("Call API host").fill(host)
    form.get_by_label("Port").fill(port)
    key = form.get_by_label("Password or access key")
    key.fill(exchange.account.key)
    expect(key).to_have_attribute("type", "password")
    form.get_by_label("Call API host").scroll_into_view_if_needed()
    screenshot("connection-form.png")

    form.get_by_role("button", name="Extra Fields", exact=True).click()
    for field in FORM["conn-fields"].values():
        expect(form.get_by_text(field["label"], exact=True)).to_be_visible()
        expect(form.get_by_text(field["description"], exact=True)).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()

    press_test(page)
    expect(toast(page, "Test Connection Successful")).to_contain_text("Connected; 0 active calls.")
    screenshot("connection-test.png")
    stored = airflow.api(f"connections/{CONNECTION}")
    assert (stored["conn_type"], stored["password"]) == ("callapi", "***")
    defaults = {name: field["schema"].get("default") for name, field in FORM["conn-fields"].items()}
    assert json.loads(stored["extra"]) == defaults


def test_the_test_button_explains_how_to_repair_the_connection(
    airflow: Standalone, exchange: Exchange, connection: None, page: Page
) -> None:
    exchange.account.ip_whitelist = {"10.1.2.3"}

    page.goto(f"{airflow.url}/connections")
    press_test(page)

    expect(toast(page, "Test Connection Failed")).to_contain_text("to its IP list for the Call API")


def test_a_connection_without_a_port_is_saved_and_the_label_names_the_port_for_airflows_test(
    airflow: Standalone, exchange: Exchange, no_connection: None, page: Page
) -> None:
    page.goto(f"{airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill(CONNECTION)
    form.get_by_role("combobox", name="Connection Type").fill("Call API")
    page.get_by_role("option", name="CoMagic / UIS Call API").click()
    form.get_by_label("Call API host").fill(airflow.emulator.url)
    form.get_by_label("Password or access key").fill(exchange.account.key)
    expect(form.get_by_label("Port (enter 443 for the vendor)")).to_have_value("")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    assert airflow.api(f"connections/{CONNECTION}")["port"] is None

    press_test(page)

    # Airflow refuses the request of its own page before it asks the provider: see docs/connection.md
    expect(toast(page, "Test Connection Failed")).to_contain_text("Bad Request")


def test_the_form_of_an_example_places_a_call(
    airflow: Standalone, exchange: Exchange, connection: None, page: Page, screenshot: Screenshot
) -> None:
    exchange.script(CONTACT, Script(rings=2, talks=20))  # long enough for a slow machine
    page.goto(f"{airflow.url}/dags/{airflow.dag}")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    form.get_by_role("textbox").filter(visible=True).nth(0).wait_for()
    contact = field_of(form, "Phone number to call")
    contact.fill(CONTACT)
    contact.blur()
    screenshot("trigger-form.png")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/runs/**")

    run = page.url.partition("/runs/")[2].partition("/")[0]
    path = f"dags/{airflow.dag}/dagRuns/{run}"
    ended = ("success", "failed")
    eventually("the run ends", lambda: airflow.api(path)["state"] in ended, within=120)
    assert airflow.api(path)["state"] == "success", airflow.log()
    expect(page.get_by_text("Success", exact=True)).to_have_count(2)  # the run's and the task's
    screenshot("run-succeeded.png")
    assert exchange.rings(CONTACT) == 1
    returned = airflow.api(f"{path}/taskInstances/call/xcomEntries/return_value?deserialize=true")["value"]
    assert (returned["status"], returned["answered"]) == ("ended", True)

    page.goto(airflow.emulator.url)
    expect(page.locator("#finished")).to_contain_text(CONTACT)


def test_the_exchange_shows_its_calls(
    airflow: Standalone, exchange: Exchange, page: Page, screenshot: Screenshot
) -> None:
    some_calls(airflow, exchange)

    page.goto(airflow.emulator.url)

    active = page.locator("#active article")
    expect(active).to_have_count(4)
    expect(page.locator("#active article.talk")).to_have_count(2)
    expect(page.locator("#active article.ring")).to_have_count(1)
    expect(page.locator("#active article.hold")).to_have_count(1)
    expect(page.locator("#active")).to_contain_text("Целевой")
    expect(page.locator("#finished article")).to_have_count(1)
    screenshot("emulator-page.png")


def press_test(page: Page) -> None:
    page.get_by_role("row", name=CONNECTION).get_by_role("button", name="Test Connection").click()


def toast(page: Page, title: str) -> Locator:
    """Return one of Airflow's notifications. It disappears after some seconds."""
    return page.get_by_role("status", name=title)


def field_of(form: Locator, label: str) -> Locator:
    """Return the field of a run's parameter. Airflow shows its label as a separate text."""
    return form.get_by_role("group").filter(has=form.page.get_by_text(label)).get_by_role("textbox")


def some_calls(airflow: Standalone, exchange: Exchange) -> None:
    """Place five calls: ringing, talking with a tag, on hold, inbound, and ended."""
    long = Script(rings=0, employee_rings=0, talks=None)
    exchange.default_script = long
    exchange.script("79160000001", Script(rings=600))
    exchange.script("79160000005", Script.busy(0))
    informer = {"virtual_phone_number": "74993720692", "contact_message": {"type": "tts", "value": "Hello"}}
    employee = {"virtual_phone_number": "74951045771", "first_call": "employee", "employee": {"id": 25}}
    _call(airflow, "start.informer_call", contact="79160000005", external_id="reminder-17", **informer)
    held = _call(airflow, "start.employee_call", contact="79160000003", direction="out", **employee)
    talk = _call(airflow, "start.employee_call", contact="79160000002", external_id="order-4711", **employee)
    exchange.inbound("79160000004")
    _call(airflow, "start.informer_call", contact="79160000001", external_id="reminder-18", **informer)
    music = {"type": "media", "value": "2034"}
    _call(airflow, "hold.call", **held, contact_message=music)
    _call(airflow, "tag.call", **talk, tag_id=254)


def _call(airflow: Standalone, method: str, **params: Any) -> Any:
    answer = requests.post(
        f"{airflow.emulator.url}/v4.0",
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {"access_token": airflow.emulator.exchange.account.key, **params},
        },
        headers={"Content-Type": "application/json; charset=UTF-8"},
        timeout=10,
    ).json()
    assert "result" in answer, answer
    return answer["result"]["data"]


def test_a_campaigns_report_loads_no_other_files(page: Page, tmp_path: Path, screenshot: Screenshot) -> None:
    report = tmp_path / "report.html"
    simulation = ROOT / "benchmarks" / "campaign_simulation.py"
    done = subprocess.run(
        [sys.executable, simulation, "3000", report], capture_output=True, text=True, check=True, timeout=120
    )
    figures = json.loads(done.stdout)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))

    screenshot("campaign-report.png", report.as_uri())

    assert fetched == [report.as_uri()]
    expect(page.get_by_role("heading", name="Results by person")).to_be_visible()
    for name in ("answered", "busy", "not_reached"):
        row = page.get_by_role("row").filter(has_text=RESULT_MEANINGS[Result(name)])
        expect(row).to_contain_text(f"{figures[f'result_{name}']:,}")
