"""Airflow stores and logs no credentials, and stores phone numbers only where the DAG's author wrote them."""

from __future__ import annotations

import json
import logging
import secrets
import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import informer_task

from airflow_provider_callapi.emulator import Script

PASSWORD = f"pw-{secrets.token_hex(12)}"
LOGIN = f"login-{secrets.token_hex(6)}"
KEY = f"key-{secrets.token_hex(12)}"
PHONE = "79167778899"
BLACKLISTED = "79165554433"

DAG = f"""
from airflow.sdk import DAG
from airflow_provider_callapi.operators.call_control import (
    CallApiListCallsOperator, CallApiMakeCallOperator, CallApiTagCallOperator
)
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

common = dict(
    virtual_phone_number="74993720692",
    contact_message={{"type": "tts", "value": "Hello"}},
    poll_interval=0.2,
)
with DAG("nothing_secret", default_args={{"retries": 0}}) as dag:
    call = CallApiStartInformerCallOperator(
        task_id="call",
        contact="{PHONE}",
        wait_for_completion=True,
        deferrable=True,
        tags={{"answered": 36, "ended": 38}},
        **common,
    )
    short = CallApiStartInformerCallOperator(task_id="short", contact="{PHONE}", **common)
    look = CallApiListCallsOperator(task_id="look")
    sensor = CallApiSessionSensor(
        task_id="sensor", call_session_id=short.output, mode="reschedule", poke_interval=0.3
    )
    refused = CallApiStartInformerCallOperator(task_id="refused", contact="{BLACKLISTED}", **common)
    invalid = CallApiStartInformerCallOperator(
        task_id="invalid", contact="{{{{ '{PHONE}x y' }}}}", **common
    )
    wrong_tag = CallApiTagCallOperator(task_id="wrong_tag", call_session_id=short.output, tag_id=999)
    wrong_third = CallApiMakeCallOperator(task_id="wrong_third", call_session_id=short.output, to="{PHONE}")
    [call, refused, invalid] >> short >> [look, wrong_tag, wrong_third] >> sensor
    for late in (short, sensor):
        late.trigger_rule = "all_done"
    bad_key = CallApiListCallsOperator(task_id="bad_key", callapi_conn_id="with_a_key")
    bad_login = CallApiListCallsOperator(task_id="bad_login", callapi_conn_id="with_a_login")
"""


def rows_of() -> dict[str, str]:
    """Return table name → all rows of this table in Airflow's database."""
    from airflow.models.base import Base
    from airflow.settings import engine
    from sqlalchemy import select

    found: dict[str, str] = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            try:
                rows = connection.execute(select(table)).all()
            except Exception as error:  # a table of a component that is not installed
                found[table.name] = f"unreadable: {type(error).__name__}"
                continue
            found[table.name] = "\n".join(repr(tuple(row)) for row in rows)
    return found


@pytest.mark.needs_airflow("3.3", "task state")
def test_logs_xcoms_rendered_fields_triggers_and_task_state_contain_no_secret(  # noqa: PLR0917 - fixtures
    run_dag: Any,
    exchange: Any,
    callapi_emulator: Any,
    connection: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    account = exchange.account
    account.login, account.password = LOGIN, PASSWORD
    account.blacklist.add(BLACKLISTED)
    exchange.script(PHONE, Script(rings=0.2, talks=1))
    good = callapi_emulator.connection(login=True)
    monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(good))
    wrong_key = {**callapi_emulator.connection(), "password": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_WITH_A_KEY", json.dumps(wrong_key))
    # the service returns the sent value in error.data.value: here the password
    wrong_login = {**good, "password": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_WITH_A_LOGIN", json.dumps(wrong_login))

    # disable Airflow's masker, which knows the passwords of connections and would hide a leak
    monkeypatch.setattr("airflow.sdk._shared.secrets_masker.secrets_masker.SecretsMasker.redact", _unchanged)
    with caplog.at_level(logging.DEBUG, logger="airflow_provider_callapi"):
        run = run_dag(DAG)

    tokens = list(exchange.call_api.tokens) + list(exchange.services["v2.0"].tokens)
    assert tokens, "no task logged in"
    assert {run.states[name] for name in ("refused", "invalid", "wrong_tag", "bad_key", "bad_login")} == {
        "failed"
    }
    assert run.states["call"] == run.states["sensor"] == "success", run.states
    out, err = capfd.readouterr()
    places = {"caplog": caplog.text, "stdout": out, "stderr": err, **rows_of()}
    assert "contact_in_blacklist" in caplog.text + out, "the searched log is not the tasks' log"

    for secret in (PASSWORD, KEY, *tokens):
        assert [name for name, text in places.items() if secret in text] == []
    for name in ("xcom", "trigger", "task_state_store", "task_reschedule", "stdout"):
        assert places[name], f"{name} is empty, so the search proves nothing"
    author_put_it = {"rendered_task_instance_fields", "serialized_dag", "dag_code"}
    assert PHONE in places["rendered_task_instance_fields"]
    for phone in (PHONE, BLACKLISTED):
        holders = {name for name, text in places.items() if phone in text}
        assert holders <= author_put_it, [
            line for name in holders - author_put_it for line in places[name].splitlines() if phone in line
        ][:5]


def _unchanged(self: Any, item: Any, *_: Any, **__: Any) -> Any:
    return item


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_receives_a_key_for_a_service_on_this_machine(
    exchange: Any, connection: Any, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    exchange.script(PHONE, Script(rings=0.2, talks=0.5))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv(proxy, f"http://127.0.0.1:{listener.getsockname()[1]}")
        real_time: Any = SimpleNamespace(clock=time.time, sleep=time.sleep)
        result = informer_task(real_time, contact=PHONE, poll_interval=0.2).run()

        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()  # no one has connected

    assert result["answered"] is True
    assert exchange.rings(PHONE) == 1
