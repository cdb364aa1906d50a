"""Compare a start over TLS with the same POST on a kept connection, and measure how many starts a second fit.

Each start has a connection of its own, because a kept connection that the service has closed makes an answer
ambiguous. The exchange runs in another process. The benchmark measures the client's CPU time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import certifi
import requests
from measuring import Figure, show

ROUNDS = 200
WARM_UP = 20
AT_ONCE = 8
"""How many start requests a campaign sends at the same time."""
PORTIONS = 25
PARAMETERS = {
    "virtual_phone_number": "74993720692",
    "contact": "79990000000",
    "contact_message": {"type": "tts", "value": "Hi"},
}


def measure() -> list[Figure]:
    """Measure the CPU time of a start and of the bare POST, alternating, and the starts of a second."""
    from airflow_provider_callapi.api.methods import StartInformerCall
    from airflow_provider_callapi.hooks.callapi import CallApiHook

    request = StartInformerCall.from_values(PARAMETERS)
    with _tls_exchange() as (url, bundle), CallApiHook() as hook:
        ways: dict[str, Callable[[], Any]] = {
            "bare": _bare_post(url, bundle),
            "hook": lambda: hook.call(request),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(WARM_UP + ROUNDS):
            for name, start in ways.items():
                begin = time.process_time()
                start()
                took[name].append(time.process_time() - begin)
        bare, ours = (median(took[name][WARM_UP:]) * 1000 for name in ways)
        by_clock, by_cpu = _starts_in_a_second(hook, request)
    return [
        Figure("start over TLS, kept connection, requests alone: CPU time", bare, "ms"),
        Figure("start over TLS, its own connection, hook: CPU time", ours, "ms"),
        Figure("start over TLS: hook / bare request on a kept connection", ours / bare, at_most=2.5),
        Figure(f"starts over TLS a second, {AT_ONCE} at once", by_clock, "/s"),
        Figure(f"starts over TLS a second of CPU time, {AT_ONCE} at once", by_cpu, "/s", at_least=55),
    ]


def _bare_post(url: str, bundle: str) -> Callable[[], Any]:
    session = requests.Session()
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    params = {"access_token": "demo-key", **PARAMETERS}
    body = {"jsonrpc": "2.0", "id": "1", "method": "start.informer_call", "params": params}

    def post() -> Any:
        response = session.post(url, data=json.dumps(body), headers=headers, timeout=30, verify=bundle)
        return json.loads(response.content)["result"]["data"]

    return post


def _starts_in_a_second(hook: Any, request: Any) -> tuple[float, float]:
    """Return how many starts a campaign's services send in a second, and in a second of their CPU time."""
    from airflow_provider_callapi.operators._campaign.services import CampaignServices

    services = CampaignServices(
        hook, at_once=AT_ONCE, account_timezone="Europe/Moscow", asks_operations=False
    )
    services.start([request] * AT_ONCE)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for _ in range(PORTIONS):
        answers = services.start([request] * AT_ONCE)
        assert all(hasattr(answer, "call_session_id") for answer in answers)
    starts = PORTIONS * AT_ONCE
    return starts / (time.perf_counter() - begin), starts / (time.process_time() - cpu_begin)


@contextmanager
def _tls_exchange() -> Iterator[tuple[str, str]]:
    """Run an exchange that speaks TLS inside a ``with`` block. Return its URL and the path of a CA bundle.

    The bundle also contains the certificates that `requests` trusts, so that it has a usual size.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([sys.executable, __file__, folder, str(port)])
        try:
            _await_port(port)
            bundle = _make_bundle(Path(folder))
            connection = {"conn_type": "callapi", "host": "https://127.0.0.1", "port": port}
            extra = {"verify": bundle, "timezone": "Europe/Moscow"}
            os.environ["AIRFLOW_CONN_CALLAPI_DEFAULT"] = json.dumps(
                {**connection, "password": "demo-key", "extra": extra}
            )
            yield f"https://127.0.0.1:{port}/v4.0", bundle
        finally:
            process.kill()
            process.wait()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _make_bundle(folder: Path) -> str:
    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + (folder / "authority.pem").read_bytes())
    return str(bundle)


def _serve(folder: Path, port: int) -> None:
    import uvicorn

    from airflow_provider_callapi.emulator import Exchange, Profile, Script
    from airflow_provider_callapi.emulator.transport.asgi_app import EmulatorApp
    from airflow_provider_callapi.emulator.web_app import web_app

    sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
    from certificates import Authority

    exchange = Exchange(profile=Profile(minute_limit=10**6, day_limit=10**6))
    exchange.default_script = Script(talks=1)
    app = EmulatorApp(exchange, web_app(exchange))
    config = uvicorn.Config(
        app, port=port, http="h11", ws="none", lifespan="off", log_config=None, access_log=False
    )
    config.load()
    config.ssl = Authority(folder).server()
    uvicorn.Server(config).run()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        sys.exit(show(measure()))
