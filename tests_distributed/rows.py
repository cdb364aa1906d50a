"""The DAGs of the distributed deployment, and the people whom they call. Each run of the tests has its own.

The environment variable ``DISTRIBUTED_RUNS`` is the number of runs, by default 1.
"""

from __future__ import annotations

import os
from typing import Any

from scenarios import ALL, DEFERRED

RUNS = range(int(os.environ.get("DISTRIBUTED_RUNS", "1")))
SHARDS = 4
LEDGER, VAULT, SMALL_ACCOUNT = "callapi_ledger", "callapi_vault", "callapi_small"
"""The ids of the connections that the vault contains."""
POINTS = {
    "nothing stored": 1,
    "intent stored": 0,
    "request left": 1,
    "answer read": 1,
    "answer stored": 1,
    "waiting": 1,
    "event read": 1,
}
"""The instant at which a worker is killed → how often the phone rings."""
AT_EACH_POINT = 6
_numbers = iter(range(100_000))


def people(count: int) -> list[str]:
    """Return phone numbers that no other DAG calls."""
    return [f"7906{next(_numbers):07}" for _ in range(count)]


def name_of(row: str, run: int) -> str:
    """Return the id of a row's DAG."""
    return f"{row.replace(' ', '_')}_{run}"


def contacts_of(row: str, run: int) -> list[str]:
    """Return whom a row's DAG calls, by map index."""
    contacts: list[str] = DAGS[name_of(row, run)]["contacts"]
    return contacts


def _calls(count: int, **options: Any) -> dict[str, Any]:
    return {**ALL, "contacts": people(count), "appear_timeout": 10.0, **options}


def _rows() -> dict[str, dict[str, Any]]:
    """Return row → the options of its calls."""
    # while the API server is down, each try fails soon
    frozen: dict[str, Any] = {"freeze": True, "only_task": True, "retries": 5, "retry_delay": 20.0}
    return {
        "both_workers": _calls(10),
        **{
            f"killed {point}": _calls(AT_EACH_POINT, dies_at=point, deferrable=point == "event read")
            for point in POINTS
        },
        "worker_dies": _calls(20),
        "servers_restart": _calls(20),
        "no_api_for_intent": _calls(10, dies_at="nothing stored", **frozen),
        "no_api_for_answer": _calls(10, dies_at="answer read", **frozen),
        "many_waits": _calls(60, **DEFERRED, poll_interval=2.0),
        "stalled_triggerer": _calls(40, **DEFERRED, cancel_on_kill=True),
        "vault_down": _calls(20, **DEFERRED, callapi_conn_id=VAULT),
    }


DAGS = {name_of(row, run): options for run in RUNS for row, options in _rows().items()}
CAMPAIGN = {
    "contacts": people(40),
    "call": {
        "method": "start.informer_call",
        "virtual_phone_number": "74993720692",
        "contact_message": {"type": "tts", "value": "Hello"},
    },
    "shard": [f"{number}/{SHARDS}" for number in range(1, SHARDS + 1)],
    "campaign": "{{ run_id }}",
    "callapi_conn_id": SMALL_ACCOUNT,
    "ledger_conn_id": LEDGER,
    "calling_hours": None,
    "poll_interval": 2.0,
    "appear_timeout": 10.0,
    "report_timeout": 30.0,
    "retries": 3,
    "retry_delay": 1.0,
}
ALERTED = {name_of("alert", run): people(1) for run in RUNS}
"""DAG of twenty failing tasks → whom its alert calls."""
OTHERS: dict[str, Any] = {"campaign_shards.json": CAMPAIGN, "failing_tasks.json": ALERTED}
OTHER_DAGS = len(ALERTED) + 1
"""The number of the DAGs that are not in ``DAGS``: one for each alert, and the campaign."""
