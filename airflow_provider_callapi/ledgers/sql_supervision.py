"""Stores the wishes and the progress of campaigns in two tables of the SQL ledger's database.

``callapi_campaign_wish``
    One row for each campaign that a user has asked to pause, resume or stop. The row contains the newest
    wish, the name of the user and the time.
``callapi_campaign_progress``
    One row for each task of a campaign. The row states how far the task is, as JSON without phone numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import JSON, Column, MetaData, String, Table, case, select

from airflow_provider_callapi.calls.campaign.progress import OVER, CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.databases.column_types import IN_MYSQL, LONGEST_NAME, Moment
from airflow_provider_callapi.databases.connections import disposed_on_error, open_engine
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, in_transaction
from airflow_provider_callapi.databases.upsert import upsert_statement
from airflow_provider_callapi.ledgers.sql_tables import DATABASE

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

T = TypeVar("T")

_LISTED = 500
"""How many tasks of campaigns `SqlSupervision.list_progress` returns at most."""
_SHARD_LENGTH = 32

# The ledger's own tables are separate: a campaign dials even where it may not create these two tables.
_metadata = MetaData()
_wishes = Table(
    "callapi_campaign_wish",
    _metadata,
    Column("campaign", String(LONGEST_NAME), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("asked_by", String(LONGEST_NAME), nullable=False),
    Column("asked_at", Moment, nullable=False),
    **IN_MYSQL,
)
_progress = Table(
    "callapi_campaign_progress",
    _metadata,
    Column("campaign", String(LONGEST_NAME), primary_key=True),
    Column("shard", String(_SHARD_LENGTH), primary_key=True),  # the shard and a hash of the task
    Column("published_at", Moment, nullable=False, index=True),
    Column("progress", JSON, nullable=False),
    **IN_MYSQL,
)
# A deferred task publishes nothing for days. Meanwhile, many other tasks may finish.
_IS_OVER = case((_progress.c.progress["doing"].as_string() == OVER, 1), else_=0)


class SqlSupervision:
    """Reads and writes the wishes (such as ``pause``) and the progress of all campaigns in one SQL database.

    If the database does not answer, each method gives up after a few repeats. The class has the methods of
    `airflow_provider_callapi.calls.campaign.supervision_store.SupervisionStore`.

    :param engine: the SQLAlchemy engine of the ledger. The constructor creates missing tables.
    :raises CallApiTrouble: the database does not answer, or refuses a statement. The methods raise this error
        too.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._do(_metadata.create_all)

    def read_wish(self, campaign: str) -> Wish | None:
        """Return the newest wish of a user for a campaign, such as ``pause``.

        None: no user has asked for anything.

        :param campaign: the campaign's name.
        :raises ValueError: the database contains another wish than ``pause``, ``resume`` or ``stop``.
        """
        row = self._do(lambda db: db.execute(select(_wishes).where(_wishes.c.campaign == campaign)).first())
        return None if row is None else Wish(WishKind(row.kind), row.asked_by, row.asked_at)

    def write_wish(self, campaign: str, wish: Wish) -> None:
        """Store what a user asks of a campaign, such as ``pause``. The new wish replaces the older wish.

        :param campaign: the campaign's name.
        """
        row = {
            "campaign": campaign,
            "kind": wish.kind.value,
            "asked_by": wish.by[:LONGEST_NAME],
            "asked_at": wish.at,
        }
        self._upsert(_wishes, row)

    def publish(self, progress: CampaignProgress) -> None:
        """Store how far a campaign's task is. The new progress replaces the older progress of this task.

        :param progress: the progress, which also contains the campaign's name and the task's shard.
        """
        # Tasks of several DAGs, runs and lists may have one campaign name, and also one shard.
        task = hashlib.sha256("\n".join(progress.owner).encode()).hexdigest()[: _SHARD_LENGTH // 2]
        shard = f"{progress.shard} "[: _SHARD_LENGTH // 2].lstrip()
        row = {
            "campaign": progress.campaign,
            "shard": shard + task,
            "published_at": progress.at,
            "progress": progress.to_json(),
        }
        self._upsert(_progress, row)

    def list_progress(self, campaign: str | None = None) -> list[CampaignProgress]:
        """Return the progress of up to 500 tasks of campaigns, the newest progress first.

        If there are more tasks, the result omits the oldest finished tasks first. It also omits progress that
        another version of this package has written in another form.

        :param campaign: the name of the only campaign whose tasks are wanted. None: all campaigns.
        """
        query = select(_progress.c.progress).order_by(_IS_OVER, _progress.c.published_at.desc())
        if campaign is not None:
            query = query.where(_progress.c.campaign == campaign)
        found = []
        for value in self._do(lambda db: db.execute(query.limit(_LISTED)).scalars().all()):
            with suppress(ValueError):  # a newer version of this package may have written the row
                found.append(CampaignProgress.from_json(value))
        return sorted(found, key=lambda progress: -progress.at)

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def _upsert(self, table: Table, row: dict[str, Any]) -> None:
        """Write a row (column → value). The row replaces the row with the same primary key."""
        self._do(lambda db: db.execute(upsert_statement(table, db.dialect.name), row))

    def _do(self, work: Callable[[Connection], T]) -> T:
        return in_transaction(self._engine, work, retrying=RETRY_BRIEFLY, named=DATABASE)


def open_sql_supervision(ledger_conn_id: str) -> SqlSupervision:
    """Open the tables with the users' wishes (pause, resume or stop) and with the campaigns' progress.

    :param ledger_conn_id: id of the Airflow connection to the database: the campaigns' ``ledger_conn_id``.
    :return: an object that reads and writes the wishes and the progress of all campaigns in the database.
    :raises CallApiFailure: the connection does not lead to a usable database.
    :raises CallApiTrouble: the database did not answer.
    """
    engine = open_engine(ledger_conn_id, "ledger_conn_id")
    with disposed_on_error(engine):
        return SqlSupervision(engine)
