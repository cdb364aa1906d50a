"""Answers of a service that contain what the package cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.api.transport import jsonrpc


def add_unreadable_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add one entry without a readable id to every list that a service answers."""
    load = jsonrpc.load_json

    def load_with_entry(content: bytes, **options: Any) -> Any:
        body = load(content, **options)
        data = (body.get("result") or {}).get("data")
        if isinstance(data, list):
            data.append({"call_session_id": "", "id": ""})
        return body

    monkeypatch.setattr(jsonrpc, "load_json", load_with_entry)
    monkeypatch.setattr(jsonrpc, "load_exact_envelope", lambda content, data_type: None)
