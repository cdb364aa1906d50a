"""Saves what a trigger of call events knows of the calls, for the next triggerer process.

With this state, the next process repeats no event. The place is Airflow's asset state, which Airflow 3.3
introduced. Without it, nothing is saved.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from airflow.triggers.base import BaseEventTrigger

from airflow_provider_callapi.calls.watching.events import EventDetector
from airflow_provider_callapi.triggers._error_log import ErrorLog


class SavedState:
    """The state of a trigger in the asset state of the trigger's assets.

    :param trigger: the trigger. Its class and arguments determine the key of the state.
    :param errors: where the errors of asset state are logged.
    """

    def __init__(self, trigger: BaseEventTrigger, errors: ErrorLog) -> None:
        self._trigger = trigger
        self._errors = errors

    async def restore(self, detector: EventDetector) -> None:
        """Load what an earlier triggerer process has saved about the calls into ``detector``.

        Log errors and raise none.
        """
        for store in self._stores():  # the detector keeps the newest state, unless it is too old
            try:
                state = await store.aget(self._key)
                if state is not None:
                    detector.restore(state)
            except Exception as error:  # the first snapshot then shows which calls are active, without events
                self._errors.log_error(
                    "The trigger's state could not be read from asset state, so the first poll "
                    "reports no events",
                    error,
                )

    async def save(self, detector: EventDetector) -> bool:
        """Save what ``detector`` knows of the calls. Log errors and raise none.

        :return: False if all writes failed. Without an asset that could store the state: True.
        """
        stores = self._stores()
        saved = 0
        for store in stores:
            try:
                await store.aset(self._key, detector.to_json())
                saved += 1
            except Exception as error:  # events are more important than the state
                self._errors.log_error("The trigger's state could not be written to asset state", error)
        return saved > 0 or not stores  # after False, the caller saves again after the next snapshot

    def _stores(self) -> list[Any]:
        """Return Airflow's stores for the trigger's state: one for each asset, none before Airflow 3.3."""
        # Airflow runs equal watchers of several assets as one trigger. At the next start, the trigger may
        # belong to fewer of these assets, e.g. because a user has paused a DAG. So each store gets the state.
        store = getattr(self._trigger, "asset_state_store", None)
        if store is None:
            return []
        # Airflow has no public method for the stores of several assets, so read a private field.
        return list(getattr(store, "_by_name", {}).values()) or [store]

    @property
    def _key(self) -> str:
        """The key of the trigger's state in Airflow's asset state, with a hash of the trigger's arguments."""
        arguments = json.dumps(self._trigger.serialize()[1], sort_keys=True).encode()
        return f"callapi_calls_{hashlib.sha256(arguments).hexdigest()[:16]}"
