"""Error objects of the service, and all that a log or a UI can show of an exception."""

from __future__ import annotations

import traceback
from typing import Any

from airflow_provider_callapi.api.errors import Rejected, rejection


def raw(mnemonic: Any = "data_type_error", code: Any = -32602, **data: Any) -> dict[str, Any]:
    message = data.pop("message", "Something is wrong")
    return {"code": code, "message": message, "data": {"mnemonic": mnemonic, **data}}


def rejected(*args: Any, **data: Any) -> Rejected:
    return rejection(raw(*args, **data), method="start.informer_call", request_id="req1")


def everything_shown(error: BaseException) -> str:
    """Return every text of an exception that a log or a UI can show."""
    try:
        raise error
    except BaseException as caught:
        trace = "".join(traceback.format_exception(caught))
    return "\n".join([str(error), repr(error), repr(error.args), f"{error}", trace])
