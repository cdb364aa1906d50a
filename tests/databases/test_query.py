"""A list by a SQL query: rows in portions, from real servers, and errors that name the parameter."""

from __future__ import annotations

import resource
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy
from known_numbers import ANNA, BORIS

from airflow_provider_callapi.calls.lists.rounded_numbers import SinglePrecision
from airflow_provider_callapi.databases import query as query_module
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble


@pytest.fixture
def people(dwh: str) -> sqlalchemy.Engine:
    """A table with two people."""
    engine = sqlalchemy.create_engine(dwh)
    with engine.begin() as db:
        columns = "phone VARCHAR(20), name VARCHAR(20), debt NUMERIC(9,2)"
        db.execute(sqlalchemy.text(f"CREATE TABLE people ({columns})"))
        insert = sqlalchemy.text("INSERT INTO people VALUES (:phone, :name, :debt)")
        db.execute(insert, {"phone": ANNA, "name": "Anna", "debt": 12.5})
        db.execute(insert, {"phone": BORIS, "name": None, "debt": 0})
    return engine


def rows(sql: str, parameters: Any = None) -> list[Any]:
    return list(Query("dwh", sql, parameters).rows("contacts"))


def test_each_row_is_a_dict_and_an_empty_cell_is_none(people):
    assert rows("SELECT phone, name FROM people ORDER BY phone") == [
        {"phone": ANNA, "name": "Anna"},
        {"phone": BORIS, "name": None},
    ]


def test_numbers_keep_their_exact_value(people):
    assert float(rows("SELECT debt FROM people ORDER BY phone")[0]["debt"]) == Decimal("12.5")


def test_a_float_of_a_column_of_single_precision_is_marked(dwh):
    real, double = {"mysql": ("FLOAT", "DOUBLE")}.get(
        sqlalchemy.engine.make_url(dwh).get_backend_name(), ("REAL", "DOUBLE PRECISION")
    )
    with sqlalchemy.create_engine(dwh).begin() as db:
        db.execute(sqlalchemy.text(f"CREATE TABLE due (phone {real}, exact {double}, empty {real})"))
        db.execute(sqlalchemy.text("INSERT INTO due VALUES (79161234567, 79161234567, NULL)"))

    ((phone, exact, empty),) = (row.values() for row in rows("SELECT phone, exact, empty FROM due"))

    # SQLite has no such type: its REAL has 64 bits.
    assert isinstance(phone, SinglePrecision) == (not dwh.startswith("sqlite"))
    assert (type(exact), exact, empty) == (float, 79_161_234_567, None)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_floats_of_an_array_of_single_precision_are_marked(dwh):
    ((phones, exact),) = (
        row.values()
        for row in rows("SELECT ARRAY[NULL, 79161234567]::real[] AS phones, ARRAY[0.5]::float8[] AS exact")
    )
    assert phones[0] is None
    assert isinstance(phones[1], SinglePrecision)
    assert not isinstance(exact[0], SinglePrecision)


@pytest.mark.parametrize(
    ("package", "type_code", "is_single"),
    [
        *[("psycopg2.extensions", 700, True), ("psycopg", 700, True), ("psycopg", 701, False)],
        *[("psycopg2.extensions", 1021, True), ("psycopg2.extensions", 1022, False)],
        *[
            ("pymysql.connections", 4, True),
            ("MySQLdb.connections", 4, True),
            ("pymysql.connections", 5, False),
        ],
        *[("mysql.connector.connection", 4, True), ("snowflake.connector.connection", 4, False)],
        *[("trino.dbapi", "real", True), ("trino.dbapi", "double", False)],
        *[
            ("clickhouse_driver.dbapi", "Nullable(Float32)", True),
            ("clickhouse_driver.dbapi", "Float64", False),
        ],
        *[("oracledb.connection", "<DbType DB_TYPE_BINARY_FLOAT>", True), ("pyodbc", float, False)],
    ],
)
def test_each_driver_names_the_type_of_single_precision_in_its_own_way(package, type_code, is_single):
    connection = type("Connection", (), {"__module__": package})()

    assert query_module._is_single_precision(connection, type_code) is is_single


def test_query_parameters_have_one_form_for_all_databases(people):
    sql = "SELECT phone FROM people WHERE name = %(name)s"

    assert rows(sql, {"name": "Anna"}) == [{"phone": ANNA}]
    assert rows(sql, {"name": "x' OR 'a' = 'a"}) == []


def test_a_percent_sign_in_a_query_without_parameters_is_unchanged(people):
    assert rows("SELECT phone FROM people WHERE name LIKE 'An%'") == [{"phone": ANNA}]


def test_a_query_cannot_change_data(people):
    with pytest.raises((CallApiFailure, CallApiTrouble), match="contacts: connection 'dwh': "):
        rows("DELETE FROM people")

    assert len(rows("SELECT phone FROM people")) == 2


def test_rows_arrive_in_portions(people, monkeypatch):
    monkeypatch.setattr(query_module, "_PORTION", 1)

    assert [row["phone"] for row in rows("SELECT phone FROM people ORDER BY phone")] == [ANNA, BORIS]


def test_a_query_without_rows_is_an_empty_list(people):
    assert rows("SELECT phone FROM people WHERE 1 = 0") == []


def test_two_columns_with_one_name_are_refused(people):
    with pytest.raises(CallApiFailure, match="contacts: connection 'dwh': two columns are named 'phone'"):
        rows("SELECT a.phone, b.phone FROM people a CROSS JOIN people b")


def test_a_wrong_statement_names_the_parameter_and_shows_no_number(people):
    with pytest.raises((CallApiFailure, CallApiTrouble), match="contacts: connection 'dwh': ") as failure:
        rows(f"SELECT phone FROM no_such_table WHERE phone = '{ANNA}' AND")

    assert ANNA not in str(failure.value)


@pytest.mark.parametrize("sql", ["SELECT telephone FROM people", "SELECT phone FROM nobody", "SELEC phone"])
def test_a_wrong_statement_is_a_permanent_error(people, sql):
    with pytest.raises(CallApiFailure, match="contacts: connection 'dwh': "):
        rows(sql)


def test_a_long_list_is_read_with_the_memory_of_one_portion(dwh):
    """A driver without a cursor on the server would load 300 000 rows of 200 bytes, which are 60 MB."""
    engine = sqlalchemy.create_engine(dwh)
    if engine.dialect.name == "mysql":
        sql = "SELECT seq AS phone, REPEAT('x', 200) AS text FROM seq_1_to_300000"
    else:
        series = {
            "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300000) "
            "SELECT n AS phone, hex(zeroblob(100)) AS text FROM s",
            "postgresql": "SELECT n AS phone, repeat('x', 200) AS text FROM generate_series(1, 300000) n",
        }
        sql = series[engine.dialect.name]
    assert len([*Query("dwh", "SELECT 1 AS phone").rows("contacts")]) == 1  # imports the driver
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert sum(1 for _ in Query("dwh", sql).rows("contacts")) == 300_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KB


@pytest.mark.parametrize("conn_type", ["http", "no_such_type"])
def test_a_connection_to_no_database_is_refused_by_name(monkeypatch, conn_type):
    monkeypatch.setenv("AIRFLOW_CONN_DWH", f'{{"conn_type": "{conn_type}", "password": "S3cret"}}')

    with pytest.raises(CallApiFailure, match="do_not_call: connection 'dwh' ") as failure:
        list(Query("dwh", "SELECT 1").rows("do_not_call"))
    assert "S3cret" not in str(failure.value)


def test_a_database_that_does_not_answer_is_a_transient_error(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_DWH", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')

    with pytest.raises(CallApiTrouble, match="contacts: connection 'dwh': OperationalError"):
        list(Query("dwh", "SELECT 1").rows("contacts"))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"conn_id": "dwh"},
        {"sql": "SELECT 1"},
        {"conn_id": "dwh", "sql": ""},
        {"conn_id": 5, "sql": "SELECT 1"},
        {"conn_id": "dwh", "sql": ["SELECT 1", "SELECT 2"]},
        {"conn_id": "dwh", "sql": "SELECT 1", "parameters": "name"},
        {"conn_id": "dwh", "sql": "SELECT 1", "params": {}},
    ],
)
def test_a_dict_of_another_form_is_no_query(value):
    with pytest.raises(ValueError, match=r"needed|key"):
        Query.of(value)


def test_a_query_shows_neither_its_statement_nor_its_parameters():
    assert repr(Query("dwh", f"SELECT '{ANNA}'", [ANNA])) == "Query(conn_id='dwh')"
