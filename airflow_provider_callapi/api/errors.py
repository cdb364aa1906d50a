"""What can go wrong with a request, one class per thing a caller does differently.

::

    CallApiError
    ├── TransportError                 no usable answer
    │   ├── NotSent                    no byte of the request left: sending again is safe
    │   └── Unanswered                 anything after that: it may have been carried out
    └── Rejected                       the service answered with an error object
        ├── InvalidParameters          fix the named field (also raised here, before anything is sent)
        ├── AuthenticationFailed       login, password or key is wrong, blocked or expired: final
        │   └── TokenInvalid           unknown key, or a temporary token that ended: log in once more
        ├── AccessDenied               rights, IP list, component, account: an administrator's work
        ├── LimitExceeded              out of points; nothing was done; wait ``retry_after`` seconds
        ├── CallRefused                this contact may not be called (blacklist, direction rules)
        ├── CallNotFound               no such active call
        ├── InvalidState               the call is not in a state that allows this
        ├── ServiceFailed              the service broke; it may have been carried out
        └── ProtocolMismatch           the service does not know such a request: wrong version or host

Source: "Сообщения об ошибках" (error messages) of the vendor's document and the per-method tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_callapi.api.models import Limits

_PHONE = re.compile(r"(?<!\d)\+?\d{10,15}(?!\d)|\+\d(?:[\s()-]{0,2}\d){9,14}(?!\d)")


def mask_phones(text: str) -> str:
    """Shorten every phone number in a text: ``79260000001`` becomes ``7926…0001``."""

    def short(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        return f"{digits[:4]}…{digits[-4:]}"

    return _PHONE.sub(short, text)


def _without(message: str, value: Any) -> str:
    """The message without what the caller sent, wherever in a nested value it stands."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            message = _without(message, inner)
    elif value is not None and not isinstance(value, bool) and len(str(value)) > 1:
        message = message.replace(str(value), "***")
    return message


_PHONE_FIELD = re.compile(r"(?:^|[._])(?:phone_number|contact)$")
_ID_FIELD = re.compile(r"(?:^|[._])id$")
_ID = re.compile(r"\d{1,9}")


def _may_be_told(field: Any, value: Any) -> bool:
    """A phone number, which is shortened anyway, or a short id: what has to be corrected has to be seen."""
    if not isinstance(field, str) or isinstance(value, bool) or not isinstance(value, int | str):
        return False
    if _PHONE_FIELD.search(field):
        return _PHONE.fullmatch(str(value)) is not None
    return _ID_FIELD.search(field) is not None and _ID.fullmatch(str(value)) is not None


class CallApiError(Exception):
    """Base of all errors of both services.

    :ivar method: the JSON-RPC method, e.g. ``start.informer_call``.
    :ivar request_id: the request's ``id``, the "Идентификатор запроса" of the vendor's reports.
    """

    permanent: ClassVar[bool] = False
    """The same request would fail the same way: a retry is useless."""
    maybe_done: ClassVar[bool] = False
    """The request may have been carried out: repeating it could do it twice."""

    def __init__(self, message: str, *, method: str | None = None, request_id: str | None = None) -> None:
        super().__init__(mask_phones(message))
        self.method = method
        self.request_id = request_id

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{self.method}: {text}" if self.method else text


class TransportError(CallApiError):
    """There was no usable answer."""


class NotSent(TransportError):
    """No byte of the request left this machine: refused, no such host, connect timeout, TLS."""


class Unanswered(TransportError):
    """The request left and no readable answer came back: nobody here knows whether it was done."""

    maybe_done = True


class Rejected(CallApiError):
    """The service answered with an error object.

    :ivar code: JSON-RPC error code. Branch on ``mnemonic`` instead: -32602 covers almost everything.
    :ivar mnemonic: the vendor's name of the error; None for an error found before sending.
    :ivar field: the parameter at fault, dotted when nested (``employee.phone_number``).
    :ivar params: the placeholders of the vendor's message text.
    :ivar value: what the caller sent, repeated by the service. May be a password or a phone
        number, so it is in neither ``str()`` nor ``repr()``; only a phone number, shortened, and an id
        of at most nine digits are, where the field says that they are that.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        request_id: str | None = None,
        code: int | None = None,
        mnemonic: str | None = None,
        field: str | None = None,
        params: Mapping[str, Any] | None = None,
        value: Any = None,
        limits: Limits | None = None,
    ) -> None:
        told = message if _may_be_told(field, value) else _without(message, value)
        super().__init__(told, method=method, request_id=request_id)
        self.code = code
        self.mnemonic = mnemonic
        self.field = field
        self.params = dict(params or {})
        self.value = value
        self.limits = limits

    def __str__(self) -> str:
        details = [
            f"field {self.field}" if self.field else "",
            f"{self.mnemonic} {self.code}" if self.mnemonic else "",
            f"request {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(detail for detail in details if detail)
        return f"{super().__str__()} ({known})" if known else super().__str__()


class InvalidParameters(Rejected):
    """A parameter is missing, unexpected, of the wrong type, or names something that is not there."""

    permanent = True


class AuthenticationFailed(Rejected):
    """The login, password or permanent key is wrong, blocked or expired."""

    permanent = True


class TokenInvalid(AuthenticationFailed):
    """The token is unknown, or was temporary and has ended. With a login, log in once more."""


class AccessDenied(Rejected):
    """Not allowed: user rights, IP whitelist, a component that is off, an inactive account."""

    permanent = True


class LimitExceeded(Rejected):
    """The points of this minute or day are used up. Nothing was carried out, nothing was charged."""

    @property
    def per_day(self) -> bool:
        """Whether it is the day's limit; otherwise the minute's."""
        if named := self.params.get("limit_type"):
            return "day" in str(named)
        remaining = self.limits.day_remaining if self.limits else None
        return remaining is not None and remaining <= 0

    @property
    def retry_after(self) -> int:
        """Seconds until the limit is reset; 60 (or an hour, for the day's) where nobody says."""
        reset = None
        if self.limits:
            reset = self.limits.day_reset if self.per_day else self.limits.minute_reset
        return max(reset, 0) if reset is not None else (3600 if self.per_day else 60)

    def __str__(self) -> str:
        return f"{super().__str__()}; reset in {self.retry_after} s"


class CallRefused(Rejected):
    """This contact may not be called: it is blacklisted, or the account's direction rules forbid it."""

    permanent = True


class CallNotFound(Rejected):
    """No such active call: it has ended, or never was."""

    permanent = True


class InvalidState(Rejected):
    """The call is not in a state that allows this, see the vendor's state diagram."""

    permanent = True


class ServiceFailed(Rejected):
    """``internal_error`` and the like: not a proof that nothing happened."""

    maybe_done = True


class ProtocolMismatch(Rejected):
    """The service does not understand the request at all: wrong version, wrong host, or our bug."""

    permanent = True


_BY_MNEMONIC: dict[str, type[Rejected]] = {
    "access_token_invalid": TokenInvalid,
    "call_session_not_found": CallNotFound,
    "contact_in_blacklist": CallRefused,  # -32002 or -32602, by method
    "internal_error": ServiceFailed,
    "invalid_state": InvalidState,
    "limit_exceeded": LimitExceeded,
    "tariff_restrictions": AccessDenied,
}
"""Only the mnemonics whose code does not say what to do; all others go by their code."""

_BY_CODE: dict[int, type[Rejected]] = {
    -32700: ProtocolMismatch,
    -32600: ProtocolMismatch,
    -32601: ProtocolMismatch,
    -32602: InvalidParameters,
    -32603: ServiceFailed,
    -32001: AuthenticationFailed,
    -32002: CallRefused,
    -32003: AccessDenied,
    -32004: InvalidState,
    -32007: InvalidParameters,
    -32008: AccessDenied,
    -32009: AccessDenied,
    -32029: LimitExceeded,
    -32099: ProtocolMismatch,
}
"""The vendor's code groups. A code outside them may mean anything: `ServiceFailed` promises least."""


def rejection(
    error: Mapping[str, Any],
    *,
    method: str,
    request_id: str | None = None,
    limits: Limits | None = None,
    secrets: Sequence[str] = (),
) -> Rejected:
    """Turn a JSON-RPC error object into the exception that says what to do about it.

    :param secrets: what was sent and must not come back in a text.
    """
    data: Any = error.get("data")
    data = data if isinstance(data, dict) else {}
    mnemonic, code, params = data.get("mnemonic"), error.get("code"), data.get("params")
    kind = _BY_MNEMONIC.get(str(mnemonic)) or (
        _BY_CODE.get(code, ServiceFailed) if isinstance(code, int) else ServiceFailed
    )
    return kind(
        _without(str(error.get("message") or "no message"), list(secrets)),
        method=method,
        request_id=request_id,
        code=code,
        mnemonic=mnemonic,
        field=data.get("field"),
        params=params if isinstance(params, dict) else {},
        value=data.get("value"),
        limits=limits,
    )
