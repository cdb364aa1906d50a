"""The emulator's web page and the emulator's remote control.

The web page shows the calls. The remote control is a set of HTTP requests for other processes, such as a demo
or a deployment test. For example, a process can set the scripts of phones, plan faults and read the journal.

The remote control has no password. Use the emulator only on loopback and in test networks.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.clock import ManualClock
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.remote_control import (
    AdvanceRequest,
    FaultRequest,
    InboundRequest,
    ScriptsRequest,
)

MAX_FINISHED_CALLS = 30
"""The number of finished calls that the web page shows at most, the newest ones."""


def call_as_json(call: Call) -> dict[str, Any]:
    """Return a call as the JSON object that the web page and the remote control show.

    The object has all fields of the call's entry in ``list.calls``, and these fields:

    - ``method``: the start method. For an inbound call: ``inbound``.
    - ``state``: the call's state in the state diagram, e.g. ``talk``.
    - ``messages``: the messages that the participants hear: ``{"contact_message": "Your order is ready"}``.
    - ``finish_reason``: why the call ended. Null: the call is active.
    - ``started_at``, ``answered_at``, ``talked_at``, ``ended_at``: epoch seconds. Null: not yet.
    """
    return {
        **call.listing(),
        "method": call.method,
        "state": call.state.value,
        "messages": call.messages,
        "finish_reason": call.finish_reason,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "talked_at": call.talked_at,
        "ended_at": call.ended_at,
    }


class _Handlers:
    """The methods that answer the HTTP requests for the emulator's web page and remote control.

    Each method takes a request and returns the response.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    # def, not async def: starlette runs these handlers in threads, so each can wait for the exchange's lock.
    def page(self, request: Request) -> Response:
        return HTMLResponse(files(__package__).joinpath("page.html").read_text("utf-8"))

    def calls(self, request: Request) -> Response:
        return JSONResponse([call_as_json(call) for call in self._exchange.calls])

    def page_data(self, request: Request) -> Response:
        active = self._exchange.active_calls
        finished = self._exchange.last_finished(MAX_FINISHED_CALLS)
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
        ScriptsRequest.parse(await request.body()).apply(self._exchange)
        return JSONResponse({})

    async def fault(self, request: Request) -> Response:
        fault = FaultRequest.parse(await request.body())
        # In a thread, because REFUSE waits for work on the event loop that runs this handler.
        await run_in_threadpool(fault.apply, self._exchange)
        return JSONResponse({})

    async def inbound(self, request: Request) -> Response:
        call_session_id = InboundRequest.parse(await request.body()).apply(self._exchange)
        return JSONResponse({"call_session_id": call_session_id})

    async def clock(self, request: Request) -> Response:
        clock = self._exchange.clock
        if not isinstance(clock, ManualClock):
            raise ValueError("the clock of this exchange is not a manual clock; start it with --manual-clock")
        return JSONResponse({"now": clock.advance(AdvanceRequest.parse(await request.body()).advance)})


def _bad_request(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


def web_app(exchange: Exchange) -> Starlette:
    """Return the ASGI application that serves the web page and the remote control of an emulated exchange.

    The application answers a wrong request with HTTP 400 and ``{"error": …}``.
    """
    handlers = _Handlers(exchange)
    return Starlette(
        routes=[
            Route("/", handlers.page),
            Route("/calls.json", handlers.page_data),
            Route("/emulator/calls", handlers.calls),
            Route("/emulator/journal", handlers.journal),
            Route("/emulator/script", handlers.script, methods=["POST"]),
            Route("/emulator/fault", handlers.fault, methods=["POST"]),
            Route("/emulator/inbound", handlers.inbound, methods=["POST"]),
            Route("/emulator/clock", handlers.clock, methods=["POST"]),
            Route("/emulator/reset", handlers.reset, methods=["POST"]),
        ],
        exception_handlers={ValueError: _bad_request},
    )
