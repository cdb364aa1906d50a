"""The phone numbers that many tests use, and a call with a personal text."""

from __future__ import annotations

from typing import Any

VNUMBER = "74993720692"
"""A virtual number that the emulated account has."""
ANNA, BORIS, CLARA = "79260000011", "79260000012", "79260000013"
CALL: dict[str, Any] = {
    "method": "start.informer_call",
    "virtual_phone_number": VNUMBER,
    "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
}
