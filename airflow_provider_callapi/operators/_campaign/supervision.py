"""Read what users ask of a running campaign (pause, resume, stop), and publish how far the campaign is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.supervision_store import SupervisionStore
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.ledgers.keyed_supervision import KeyedSupervision
from airflow_provider_callapi.operators._campaign.options import CampaignOptions

PUBLISH_INTERVAL = 5.0
"""Seconds between two publications of the progress while the campaign's worker runs."""


class Supervision:
    """Reads whether a user has asked one campaign to pause, resume or stop.

    The object also publishes the campaign's progress.

    :param campaign: the campaign's name.
    :param open_store: opens the store of wishes and progress. None: there is no store.
    :param log: the logger of the task.
    """

    def __init__(self, campaign: str, open_store: Callable[[], SupervisionStore | None], log: Any) -> None:
        self._campaign = campaign
        self._open_store = open_store
        self._log = log
        self._store: SupervisionStore | None = None
        self._is_open = False
        self._wish: Wish | None = None
        self._was_read = False
        self._fails = False
        self._published_at: float | None = None

    def read_wish(self) -> Wish | None:
        """Return the newest wish of a user: pause, resume or stop. None: no user has asked for anything.

        If the store does not answer, return the wish that this worker has read last.

        :raises CallApiTrouble: the store does not answer, and has not answered this worker before.
        """
        with self._log_failure() if self._was_read else _raise_failure():
            if (store := self._opened_store()) is not None:
                self._wish = store.read_wish(self._campaign)
            self._was_read = True
        return self._wish

    def is_due(self, now: float) -> bool:
        """Return whether the campaign must publish its progress: the first time, and then every five seconds.

        :param now: epoch seconds.
        """
        return self._published_at is None or now >= self._published_at + PUBLISH_INTERVAL

    def publish(self, progress: CampaignProgress) -> None:
        """Store the campaign's progress. The command line and the page of calls show the progress."""
        self._published_at = progress.at
        with self._log_failure():
            if (store := self._opened_store()) is not None:
                store.publish(progress)

    def close(self) -> None:
        """Close the database connections of the store of wishes and progress."""
        if self._store is not None:
            with self._log_failure():
                self._store.close()

    def _opened_store(self) -> SupervisionStore | None:
        if not self._is_open:
            self._store = self._open_store()
            self._is_open, self._fails = True, False
        return self._store

    @contextmanager
    def _log_failure(self) -> Iterator[None]:
        """Log an error of the ``with`` block, and continue. Log only the first of several errors in a row."""
        try:
            yield
        except Exception as error:  # task state and databases raise their own exception classes
            if not self._fails:
                self._log.warning(
                    "The campaign cannot use the store of its progress and of users' wishes (pause, resume, "
                    "stop), and goes on as before: %s",
                    mask_phones(f"{type(error).__name__}: {error}"),
                )
            self._fails = True
        else:
            self._fails = False


@contextmanager
def _raise_failure() -> Iterator[None]:
    """Context manager: end the try if the store of the users' wishes cannot be read.

    :raises CallApiTrouble: the ``with`` block raised an error. A user may have asked for a pause, so the
        campaign must not dial.
    """
    try:
        yield
    except Exception as error:
        raise CallApiTrouble(
            "No one is dialled, because the campaign cannot read whether a user has paused or stopped it: "
            + mask_phones(f"{type(error).__name__}: {error}")
        ) from None


def open_supervision_store(options: CampaignOptions, state: KeyValueStore | None) -> SupervisionStore | None:
    """Return the store of a campaign's progress and of the users' wishes, e.g. pause.

    None: the campaign has no SQL ledger, and Airflow has no task state.
    """
    if options.ledger_conn_id:
        from airflow_provider_callapi.ledgers.sql_supervision import (  # noqa: PLC0415 - SQLAlchemy is heavy
            open_sql_supervision,
        )

        return open_sql_supervision(options.ledger_conn_id)
    # Without a store, the campaign still runs, but reads no wishes and publishes no progress.
    return None if state is None else KeyedSupervision(state)
