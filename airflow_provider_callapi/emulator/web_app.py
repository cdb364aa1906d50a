"""Everything on the port that is not the vendor's: a page to watch calls on, and a remote control.

The remote control lets a demo or a deployment test in another process write scripts, plan faults
and read the journal. It asks for no password: the emulator is for loopback and for test networks.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.clock import ManualClock
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.remote_control import Advance, Inbound, PlannedFault, Scripts

FINISHED_ON_THE_PAGE = 30


def call_as_json(call: Call) -> dict[str, Any]:
    """A call as the page and the remote control show it."""
    return {
        **call.listing(),
        "method": call.method,
        "state": call.state.value,
        "finish_reason": call.finish_reason,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "talked_at": call.talked_at,
        "ended_at": call.ended_at,
    }


class _Web:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    # def, not async def: they wait for the exchange's lock, so they belong in starlette's threads
    def page(self, request: Request) -> Response:
        return HTMLResponse(files(__package__).joinpath("page.html").read_text("utf-8"))

    def calls(self, request: Request) -> Response:
        return JSONResponse([call_as_json(call) for call in self._exchange.calls])

    def snapshot(self, request: Request) -> Response:
        active = self._exchange.active_calls
        finished = self._exchange.last_finished(FINISHED_ON_THE_PAGE)
        return JSONResponse(
            {
                "now": self._exchange.clock(),
                "limits": self._exchange.limits(),
                "active": [call_as_json(call) for call in reversed(active)],
                "finished": [call_as_json(call) for call in finished],
            }
        )

    def journal(self, request: Request) -> Response:
        return JSONResponse([entry._asdict() for entry in self._exchange.journal])

    def reset(self, request: Request) -> Response:
        self._exchange.reset()
        return JSONResponse({})

    async def script(self, request: Request) -> Response:
        Scripts.read(await request.body()).apply(self._exchange)
        return JSONResponse({})

    async def fault(self, request: Request) -> Response:
        fault = PlannedFault.read(await request.body())
        # in a thread: a refused connection is played by the loop that this runs on
        await run_in_threadpool(fault.apply, self._exchange)
        return JSONResponse({})

    async def inbound(self, request: Request) -> Response:
        return JSONResponse({"call_session_id": Inbound.read(await request.body()).apply(self._exchange)})

    async def clock(self, request: Request) -> Response:
        clock = self._exchange.clock
        if not isinstance(clock, ManualClock):
            raise ValueError("this exchange's clock runs by itself")
        return JSONResponse({"now": clock.advance(Advance.read(await request.body()).advance)})


def _bad_request(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


def web(exchange: Exchange) -> Starlette:
    """The application behind everything but ``/vX.Y``."""
    door = _Web(exchange)
    return Starlette(
        routes=[
            Route("/", door.page),
            Route("/calls.json", door.snapshot),
            Route("/emulator/calls", door.calls),
            Route("/emulator/journal", door.journal),
            Route("/emulator/script", door.script, methods=["POST"]),
            Route("/emulator/fault", door.fault, methods=["POST"]),
            Route("/emulator/inbound", door.inbound, methods=["POST"]),
            Route("/emulator/clock", door.clock, methods=["POST"]),
            Route("/emulator/reset", door.reset, methods=["POST"]),
        ],
        exception_handlers={ValueError: _bad_request},
    )
