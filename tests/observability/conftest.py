"""The fixture of the log lines about calls."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def log_lines():
    """Return a function that returns the log lines about calls."""
    with capture_logs() as lines:
        yield lambda: [line for line in lines if line.get("logger_name") == "callapi"]
