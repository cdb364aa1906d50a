"""Makes the HTML responses of the page *Calls*: templates, error pages, and the headers that protect them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.texts.time_texts import iso_second

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the headers that protect the pages to a response: a middleware of FastAPI."""
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


def show_error(request: Request, error: Exception) -> Response:
    """Return the page that explains an error. FastAPI calls this function with the error of a request."""
    if isinstance(error, RequestValidationError):
        wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        error = HTTPException(422, f"The request cannot be read. {mask_phones(wrong)}")
    assert isinstance(error, HTTPException)
    titles = {401: "Not logged in", 403: "Not allowed", 404: "Not found", 500: "Done, but not recorded"}
    title = titles.get(error.status_code, "Not done")
    return render("error.html.j2", status_code=error.status_code, title=title, text=error.detail)


def render(template: str, *, status_code: int = 200, **context: Any) -> HTMLResponse:
    """Return a response whose HTML a template makes.

    :param template: the file name of the template, such as ``page.html.j2``.
    :param context: name → value, for the variables of the template.
    """
    return HTMLResponse(_TEMPLATES.get_template(template).render(context), status_code)


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _clock_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %b, %H:%M:%S UTC")


_TEMPLATES = Environment(
    loader=PackageLoader("airflow_provider_callapi.plugin"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(utc=iso_second, clock_time=_clock_time, duration=_duration)
