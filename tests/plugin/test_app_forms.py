"""Which forms the page of calls accepts, and which HTML it sends."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from airflow.providers.common.compat.sdk import conf
from airflow_fakes import start_informer_call
from calls_page import PAGE, Browse, is_active, release_fields, release_url
from campaigns_seen import PROGRESS
from itsdangerous import URLSafeTimedSerializer

pytestmark = pytest.mark.needs_airflow("3.1", "pages of plugins")


def token_of(form: Any) -> str:
    """Return the token in the page that asks for a confirmation."""
    (token,) = re.findall(r'name="token" value="([^"]+)"', form.text)
    return token


@pytest.mark.parametrize(
    "token", ["", "forged", "a.b.c", "9999999999.00", "жетон", "of Airflow", "of another user"]
)
def test_a_form_of_another_site_or_user_is_refused(
    browse: Browse, session: int, exchange: Any, token: str
) -> None:
    if token == "of another user":
        token = token_of(browse("olga").get(release_url(session)))
    if token == "of Airflow":  # Airflow signs other things with the same key
        sha256 = {"digest_method": hashlib.sha256}
        token = URLSafeTimedSerializer(conf.get("api", "secret_key"), signer_kwargs=sha256).dumps("anna")

    answer = browse("anna").post(f"{PAGE}release", data={**release_fields(session), "token": token})

    assert answer.status_code == 403
    assert "Open the page again" in answer.text
    assert is_active(exchange)


@pytest.mark.parametrize(("hours", "status"), [(11.9, 200), (12.1, 403)])
def test_a_form_is_valid_for_twelve_hours(
    browse: Browse, session: int, exchange: Any, hours: float, status: int
) -> None:
    anna = browse("anna")
    with time_machine.travel(time.time() - hours * 3600):
        token = token_of(anna.get(release_url(session)))

    answer = anna.post(f"{PAGE}release", data={**release_fields(session), "token": token})

    assert answer.status_code == status
    assert is_active(exchange) is (status == 403)


@pytest.mark.parametrize(
    "url", [PAGE, "/static/page.js", f"{PAGE}release?call_session_id=1&account=a", "/nowhere"]
)
def test_every_answer_forbids_inline_scripts_and_foreign_frames(browse: Browse, url: str) -> None:
    headers = browse("anna").get(url).headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_html_has_no_inline_script_style_or_foreign_address(browse: Browse, campaigns: Any) -> None:
    text = browse("anna").get(PAGE).text

    assert re.findall(r"<script(?! src=\"\.\./static/)", text) == []
    assert re.findall(r"\son\w+=|\sstyle=|<style|https?://", text) == []


def test_text_from_outside_is_escaped(browse: Browse, campaigns: Any, exchange: Any) -> None:
    evil = "<script>alert(1)</script>"
    start_informer_call(exchange, "79160000001", external_id=evil)
    campaigns.publish(replace(PROGRESS, campaign=evil, why=evil, results={evil: 1}, doing="paused"))

    text = browse("anna").get(PAGE).text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
