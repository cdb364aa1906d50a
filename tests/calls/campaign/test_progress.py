"""The progress of a campaign as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress


@pytest.mark.parametrize("value", [{}, {"owner": 1}, {"owner": [], "colour": "red"}])
def test_a_value_that_is_no_progress_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no progress"):
        CampaignProgress.from_json(value)
