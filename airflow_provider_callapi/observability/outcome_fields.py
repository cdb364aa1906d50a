"""The fields of a call's outcome that log lines and trace spans contain."""

from __future__ import annotations

from typing import Any

_OUTCOME_FIELDS = (
    "answered",
    "finish_reason",
    "talk_seconds",
    "tags",
    "attempt",
    "call_session_id",
    "external_id",
)
"""The names of the fields.

A log line on Airflow's page shows the fields in this order, and the end of the line may be off the screen.
"""


def outcome_fields(call: dict[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a call's outcome that log lines and spans contain. They contain no phone number.

    :param call: the outcome as an XCom. None: nothing is known of the call, so there are no fields.
    :return: name of the field → value. None: the value is not known.
    """
    return {name: call.get(name) for name in _OUTCOME_FIELDS} if call else {}
