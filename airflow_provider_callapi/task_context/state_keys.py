"""The keys under which a campaign's task stores in task state what `supervision` reads from outside."""

from __future__ import annotations

IDENTITY_KEY = "callapi_campaign_which"
"""The key of what distinguishes the campaign from others, such as its name and its ledger."""
WISH_KEY = "callapi_campaign_wish"
"""The key of what a user has asked of the campaign, such as ``pause``."""
PROGRESS_KEY = "callapi_campaign_progress"
"""The key of how far the campaign is."""
