"""A DAG in six variants: call all people on a list, and end when all calls have ended.

The variants without this provider follow the good practice of a data engineer who has read the documentation
of the API and of the HTTP provider:

- The tasks check the body of each answer for ``error``, because the API answers errors with HTTP 200.
- Every request has a timeout, and a failed poll does not lose the call.
- If the Airflow operators allow it, one task starts the call and another task waits. A retry of the wait does
  not call again.

All variants have the same ``retries``, because most deployments set retries by default. No variant uses the
Data API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.http.sensors.http import HttpSensor
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseHook, task_group

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

HEADERS = {"Content-Type": "application/json; charset=UTF-8"}
RETRIES: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(seconds=20)}
"""The delay is longer than all first start requests take, so each planned fault hits a first request."""
MESSAGE = {"type": "tts", "value": "Здравствуйте!"}


def body(method: str, **params: Any) -> str:
    # a production DAG would use a template for the key: {{ conn.callapi.password }}
    params["access_token"] = "demo-key"
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def informer_call(contact: str) -> str:
    return body(
        "start.informer_call", virtual_phone_number="74993720692", contact=contact, contact_message=MESSAGE
    )


def data(response: requests.Response) -> Any:
    answer = response.json()
    if "error" in answer:
        raise RuntimeError(answer["error"]["message"])
    return answer["result"]["data"]


# --- HttpOperator and HttpSensor ---


def session_id(response: requests.Response) -> int:
    return int(data(response)["call_session_id"])


def is_over(response: requests.Response, ti: Any) -> bool:
    wanted = ti.xcom_pull(task_ids="call.start", map_indexes=ti.map_index)
    return all(call["call_session_id"] != wanted for call in data(response))


def with_http_operators(
    contacts: list[str], conn_id: str, poll: float, *, deferrable: bool = False, mode: str = "poke"
) -> None:
    request: dict[str, Any] = {
        "http_conn_id": f"{conn_id}_http",
        "endpoint": "v4.0",
        "method": "POST",
        "headers": HEADERS,
        "deferrable": deferrable,
        **RETRIES,
    }

    @task_group
    def call(start_request: str) -> None:
        start = HttpOperator(task_id="start", data=start_request, response_filter=session_id, **request)
        end = HttpSensor(
            task_id="end",
            request_params=body("list.calls"),  # type: ignore[arg-type]  # the sensor also sends a text
            response_check=is_over,
            poke_interval=poll,
            mode=mode,
            timeout=300,
            **request,
        )
        start >> end

    call.expand(start_request=[informer_call(contact) for contact in contacts])


# --- PythonOperator ---


def call_and_wait(contact: str, conn_id: str, poll: float) -> int:
    connection = BaseHook.get_connection(conn_id)
    url, timeout = f"{connection.host}:{connection.port}/v4.0", connection.extra_dejson["timeout"]

    def post(request: str) -> Any:
        response = requests.post(url, data=request, headers=HEADERS, timeout=timeout)
        response.raise_for_status()
        return data(response)

    session_id: int = post(informer_call(contact))["call_session_id"]
    while True:
        time.sleep(poll)
        try:
            active = post(body("list.calls"))
        except requests.RequestException:
            continue  # the next poll repeats the request
        if all(call["call_session_id"] != session_id for call in active):
            return session_id


def with_a_loop(contacts: list[str], conn_id: str, poll: float) -> None:
    PythonOperator.partial(task_id="call", python_callable=call_and_wait, **RETRIES).expand(
        op_args=[[contact, f"{conn_id}_http", poll] for contact in contacts]
    )


# --- ours ---


def with_ours(contacts: list[str], conn_id: str, poll: float, **options: Any) -> None:
    CallApiStartInformerCallOperator.partial(
        task_id="call",
        callapi_conn_id=conn_id,
        virtual_phone_number="74993720692",
        contact_message=MESSAGE,
        wait_for_completion=True,
        poll_interval=poll,
        appear_timeout=10.0,
        **options,
        **RETRIES,
    ).expand(contact=contacts)


VARIANTS: dict[str, Callable[..., None]] = {
    "http": with_http_operators,
    "loop": with_a_loop,
    "ours": with_ours,
}

for dag_id, options in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).items():
    with DAG(dag_id, schedule=None):
        VARIANTS[options.pop("variant")](**options)
