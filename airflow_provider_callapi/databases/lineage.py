"""Report to Airflow's lineage which SQL query a task runs and which SQL table the task writes.

Airflow itself reports the files that a task reads from object storage. If Airflow's lineage does not accept a
report, the task continues, and the failure is in the log at debug level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.observability.never_fails import never_fails

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from airflow_provider_callapi.databases.table_name import TableName

_SCHEMES = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
_PORTS = {"postgres": 5432, "mysql": 3306}


def report_query(hook: Any, sql: str) -> None:
    """Report a SQL query to Airflow's lineage, as an input of the task.

    The function does not report the values of the query's placeholders, because they may be phone numbers.

    :param hook: the hook that has carried out the query.
    :param sql: the SELECT statement.
    """
    with never_fails("the lineage of a query"):
        try:
            from airflow.providers.common.sql.hooks.lineage import (  # noqa: PLC0415 - not in every version
                send_sql_hook_lineage,
            )
        except ImportError:
            return
        send_sql_hook_lineage(context=hook, sql=sql)


def report_table(hook: Any, url: URL, name: TableName) -> None:
    """Report a SQL table to Airflow's lineage, as an output of the task.

    :param hook: the hook of the table's database.
    :param url: the SQLAlchemy URL of the database.
    """
    with never_fails("the lineage of a table"):
        from airflow.providers.common.compat.lineage.hook import (  # noqa: PLC0415 - heavy
            get_hook_lineage_collector,
        )

        if uri := table_uri(url, name):
            get_hook_lineage_collector().add_output_asset(context=hook, uri=uri)


def table_uri(url: URL, name: TableName) -> str | None:
    """Return the URI under which Airflow knows a table as an asset.

    Example: ``postgres://db.example.org:5432/dwh/public/calls``.

    :param url: the SQLAlchemy URL of the database.
    :return: the URI. None: the database has no host, for example SQLite.
    """
    scheme = _SCHEMES.get(url.get_backend_name())
    if scheme is None or not url.host:
        return None
    if scheme == "postgres":
        parts = [url.database, name.schema or "public", name.table]
    else:
        parts = [name.schema or url.database, name.table]
    return f"{scheme}://{url.host}:{url.port or _PORTS[scheme]}/{'/'.join(map(str, parts))}"
