"""The desk of these tests is a desk for campaigns."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def desk(campaign_desk: Any) -> Any:
    return campaign_desk
