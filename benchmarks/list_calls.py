"""Compare the time of ``hook.call(ListCalls())`` with the same POST through `requests` and ``json.loads``.

The exchange runs in another process and does the same work in both cases. The benchmark also measures the
client's CPU time in this process. The ratio of the CPU times is stricter, because CPU times do not depend on
the server.

At last, the benchmark adds a field that the package does not know to each call of an answer, and compares the
CPU time of reading this answer with that of ``json.loads``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import requests
from measuring import ExchangeProcess, Figure, exchange_process, show

ROUNDS = {50: 300, 10_000: 15}
"""Number of active calls → the measured requests of each way."""
LARGEST_CPU_RATIO = {50: 1.15, 10_000: 1.3}
LARGEST_READING_RATIO = 3.0
"""CPU time to read an answer with an undocumented field in each call, divided by that of ``json.loads``."""
WARM_UP = 0.1
"""Requests before the measured ones, as a share of the measured ones."""


def bare_post(exchange: ExchangeProcess) -> Callable[[], Any]:
    """Return a function that sends ``list.calls`` with `requests` alone, without this provider."""
    session = requests.Session()
    url = f"{exchange.url}/v4.0"
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    params = {"access_token": exchange.key}
    body = {"jsonrpc": "2.0", "id": "1", "method": "list.calls", "params": params}

    def post() -> Any:
        response = session.post(url, data=json.dumps(body), headers=headers, timeout=30)
        return json.loads(response.content)["result"]["data"]

    return post


def measure() -> list[Figure]:
    """Measure the milliseconds of both ways to send ``list.calls``, and the ratios.

    All values are medians of requests that alternate between the two ways.
    """
    from airflow_provider_callapi.api.methods import ListCalls
    from airflow_provider_callapi.hooks.callapi import CallApiHook

    figures: list[Figure] = []
    with exchange_process() as exchange, CallApiHook() as hook:
        clients: dict[str, Callable[[], Any]] = {
            "bare": bare_post(exchange),
            "hook": lambda: hook.call(ListCalls()),
        }
        for sessions, rounds in ROUNDS.items():
            exchange.receive(sessions - len(clients["bare"]()))
            time.sleep(2.5)  # after this time the employees have answered: every session has two legs
            raw, typed = clients["bare"](), clients["hook"]()
            assert len(raw) == len(typed) == sessions
            assert all(len(session.legs) == 2 for session in typed)
            figures += compare(clients, sessions, rounds)
        figures.append(read_undocumented_field(clients["bare"](), rounds))
    return figures


def read_undocumented_field(calls: list[dict[str, Any]], rounds: int) -> Figure:
    """Measure the reading of an answer whose every call has a field that the package does not know."""
    from airflow_provider_callapi.api.methods import ListCalls
    from airflow_provider_callapi.api.transport.answer_json import load_exact_envelope, load_json

    data = [{**call, "undocumented": False} for call in calls]
    answer = json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"data": data}}, ensure_ascii=False).encode()

    def read() -> Any:
        body = load_exact_envelope(answer, ListCalls.exact_type) or load_json(answer)
        return ListCalls.read_answer(body["result"]["data"])

    assert all(session.model_extra for session in read())
    ways: list[Callable[[], Any]] = [lambda: json.loads(answer), read]
    took: list[list[float]] = [[], []]
    for _ in range(rounds):
        for times, way in zip(took, ways, strict=True):
            begin = time.process_time()
            way()
            times.append(time.process_time() - begin)
    bare, ours = map(median, took)
    name = f"list.calls, {len(calls)} sessions with one undocumented field"
    return Figure(f"{name}: reading / json.loads, CPU time", ours / bare, at_most=LARGEST_READING_RATIO)


def compare(clients: dict[str, Callable[[], Any]], sessions: int, rounds: int) -> list[Figure]:
    """Measure both ways with a number of active calls."""
    warm_up = int(rounds * WARM_UP)
    took: dict[str, list[float]] = {name: [] for name in clients}
    cpu: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(warm_up + rounds):
        for name, call in clients.items():
            begin, cpu_begin = time.perf_counter(), time.process_time()
            call()
            cpu[name].append(time.process_time() - cpu_begin)
            took[name].append(time.perf_counter() - begin)
    bare, ours = (median(took[name][warm_up:]) * 1000 for name in clients)
    bare_cpu, our_cpu = (median(cpu[name][warm_up:]) * 1000 for name in clients)
    name = f"list.calls, {sessions} sessions"
    return [
        Figure(f"{name}: requests.Session and json.loads", bare, "ms"),
        Figure(f"{name}: hook.call(ListCalls())", ours, "ms"),
        Figure(f"{name}: hook / bare", ours / bare, at_most=1.5),
        Figure(
            f"{name}: the same, CPU time of the client",
            our_cpu / bare_cpu,
            at_most=LARGEST_CPU_RATIO[sessions],
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
