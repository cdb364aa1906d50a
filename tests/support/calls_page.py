"""What the tests of the page of calls share: a call, a campaign, and the forms of a user."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from airflow_fakes import start_informer_call
from campaigns_seen import PROGRESS

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.plugin.connections import account_mark

PAGE = "/callapi_default/"
CONTACT = "79161234567"
Browse = Callable[[str | None], Any]


@pytest.fixture
def session(exchange: Any) -> int:
    """Return the session id of a call that lasts until it is released."""
    exchange.default_script = Script(rings=0, talks=None)
    return start_informer_call(exchange, CONTACT, external_id=f"order of {CONTACT}")


@pytest.fixture
def campaigns(ledger: Any, session: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publish the campaign ``spring``, to which the active call belongs."""
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", "ledger")
    ledger.publish(replace(PROGRESS, sessions=(session,)))
    return ledger


def looks(exchange: Any) -> int:
    return sum(entry.kind == "request" and entry.method == "list.calls" for entry in exchange.journal)


def is_active(exchange: Any) -> bool:
    return any(call.ended_at is None for call in exchange.calls)


def release_fields(session: int) -> dict[str, Any]:
    """Return the fields of the form that releases a call, without the token."""
    return {"call_session_id": session, "account": account_mark(CallApiHook().settings)}


def release_url(session: int) -> str:
    """Return the address behind the button *Release…* of a call."""
    return f"{PAGE}release?{urlencode(release_fields(session))}"


def submit(browser: Any, url: str, **changes: Any) -> Any:
    """Open the page that asks for a confirmation, and submit its form."""
    form = browser.get(url)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.text))
    return browser.post(url.partition("?")[0], data={**fields, **changes})
