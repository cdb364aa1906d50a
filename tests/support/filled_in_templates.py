"""The text that a template of a campaign gives for one row."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.row_templates import compile_templates, fill_in


def filled_in(template: str, row: dict[str, Any]) -> str:
    return str(fill_in(compile_templates(template, {}, "call.message"), row))
