"""Where a trigger of call events finds the asset states of its assets."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.triggers._error_log import ErrorLog
from airflow_provider_callapi.triggers._saved_state import SavedState
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger


@pytest.mark.needs_airflow("3.3", "asset state")
def test_airflow_still_keeps_the_states_of_several_assets_where_the_watcher_expects_them():
    from airflow.sdk import Asset
    from airflow.sdk.execution_time.context import AssetStateStoreAccessors

    trigger = CallApiEventTrigger()
    trigger.asset_state_store = AssetStateStoreAccessors([Asset(name=name) for name in "ab"])

    assert len(SavedState(trigger, ErrorLog(trigger.log, "callapi_default"))._stores()) == 2
