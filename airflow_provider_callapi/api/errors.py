"""The exceptions that a request to the Call API or the Data API can raise.

A caller can handle all errors of one class in the same way. The indentation shows the base classes. A text on
the right says what happened, or what to do.

::

    CallApiError
    ├── TransportError                 no usable answer
    │   ├── NotSent                    the request's body was not sent: a repeat is safe
    │   └── Unanswered                 the request was sent: it may have been carried out
    └── Rejected                       the service answered with an error object
        ├── InvalidParameters          fix the named field (also raised before anything is sent)
        │   └── DateRefused            the service does not accept this date of a report now
        ├── AuthenticationFailed       login, password or key is wrong, blocked or expired
        │   └── TokenInvalid           unknown key or expired temporary token: log in again
        ├── AccessDenied               rights, IP list, component, account: ask an administrator
        ├── LimitExceeded              no points left, nothing was done: wait ``retry_after`` seconds
        ├── CallRefused                this contact must not be called (blacklist, direction rules)
        ├── CallNotFound               no such active call
        ├── InvalidState               the call's state does not allow the request
        ├── ServiceFailed              the service failed: the request may have been carried out
        └── ProtocolMismatch           the service does not understand: wrong version or host

Source: the error messages chapter of the vendor's Call API document, and its tables for each method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_callapi.api.models import LONGEST_RESETS, UNKNOWN_RESETS, Limits
from airflow_provider_callapi.api.values.masking import mask_phones, may_be_shown, redact


class CallApiError(Exception):
    """Base class of all errors of the Call API and the Data API.

    :ivar method: the JSON-RPC method, e.g. ``start.informer_call``.
    :ivar request_id: the request's ``id``. The vendor's support asks for this id.
    """

    permanent: ClassVar[bool] = False
    """Whether the same request would fail again with this error. True: a retry is useless."""
    maybe_done: ClassVar[bool] = False
    """Whether the service may have carried out the request. True: a repeat could do the same thing twice."""

    def __init__(self, message: str, *, method: str | None = None, request_id: str | None = None) -> None:
        super().__init__(mask_phones(message))
        self.method = method
        self.request_id = request_id

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{self.method}: {text}" if self.method else text


class TransportError(CallApiError):
    """A request got no usable answer: the request was not sent, or no readable answer came back."""


class NotSent(TransportError):
    """The service has certainly not carried out the request.

    There are two cases. No byte of the request's body was sent, because the host is unknown, the connection
    is refused, or there is a timeout or a TLS error. Or the service has answered that the request's token is
    not valid, although the token is new.
    """


class Unanswered(TransportError):
    """A request was sent, and no readable answer came back. The service may have carried out the request."""

    maybe_done = True


class Rejected(CallApiError):
    """A request was refused: by the service, by a busy HTTP gateway, or by this package before sending.

    A gateway is an HTTP server in front of the service. Its refusal is a `LimitExceeded`. Only the service
    sends an error object. This package refuses a request with an invalid parameter.

    :ivar code: the JSON-RPC error code. One code can have many meanings. None: there is no error object.
    :ivar mnemonic: the vendor's name of the error. None: there is no error object, or it has no mnemonic.
    :ivar field: the name of the invalid parameter, e.g. ``employee.phone_number``. None: no parameter is
        named.
    :ivar params: the values in the vendor's message, e.g. ``{"limit_type": "day"}``.
    :ivar value: the invalid value. Do not log it: it may be a password. ``str()`` and ``repr()`` of the error
        show an id of at most nine digits, shorten a phone number, and hide every other value.
    :ivar limits: the points (rate-limit units) left. None: the answer does not state them.
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
        safe_message = message if may_be_shown(field, value) else redact(message, value)
        super().__init__(safe_message, method=method, request_id=request_id)
        self.code = code
        self.mnemonic = mnemonic
        self.field = field
        self.params = dict(params or {})
        self.value = value
        self.limits = limits

    def __str__(self) -> str:
        message = super().__str__()
        # This package's own errors begin with the method and the field.
        is_named = f"{self.method}: {self.field}: " in message
        details = [
            f"field {mask_phones(self.field)}" if self.field and not is_named else "",
            f"{self.mnemonic} {self.code}" if self.mnemonic else "",
            f"request {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(detail for detail in details if detail)
        return f"{message} ({known})" if known else message


class InvalidParameters(Rejected):
    """A request lacks a parameter, or has an unknown parameter or an invalid value.

    Examples of invalid values: a value of the wrong type, and the id of an object that does not exist.
    """

    permanent = True


class DateRefused(InvalidParameters):
    """The service refuses the beginning or the end of a report's period.

    For some accounts, the service refuses a period that began only a few hours ago. The same request succeeds
    later.
    """

    permanent = False


class AuthenticationFailed(Rejected):
    """The login, password or permanent key is wrong, blocked or expired."""

    permanent = True


class TokenInvalid(AuthenticationFailed):
    """The access token is unknown, or a temporary access token has expired.

    A client with a login can log in again. A client with a permanent key cannot get another token.
    """


class AccessDenied(Rejected):
    """The account does not allow the request.

    Possible reasons: the credentials lack a right, the account's list of allowed IP addresses does not
    contain this machine, the account lacks a component of the API, or the account is inactive.
    """

    permanent = True


class LimitExceeded(Rejected):
    """The points of this minute or day are used up, or an HTTP gateway is too busy.

    The gateway stands between this machine and the service. The service did not carry out the request and
    charged no points.
    """

    @property
    def per_day(self) -> bool:
        """True if the day's points are used up.

        False if only the minute's points are used up, or if the answer does not show which points are left.
        """
        if limit_type := self.params.get("limit_type"):
            return "day" in str(limit_type)
        remaining = self.limits.day_remaining if self.limits else None
        return remaining is not None and remaining <= 0

    @property
    def retry_after(self) -> int:
        """After how many seconds the request can be sent again.

        - If points are used up: the time after which the service resets the limit, at most 60 for the limit
          of the minute. If the answer does not state this time, the value is 60 for the limit of the minute,
          and 3600 for the limit of the day.
        - If an HTTP gateway is too busy: the number of seconds that the gateway asks for.

        The value is at least 1, and at most 86 400.
        """
        reset = None
        if self.limits:
            reset = self.limits.day_reset if self.per_day else self.limits.minute_reset
        if reset is None:
            return UNKNOWN_RESETS["day" if self.per_day else "minute"]
        # Only the service's own refusals have an error code. A gateway may ask for more than a minute.
        longest = LONGEST_RESETS["day" if self.per_day or self.code is None else "minute"]
        return min(max(reset, 1), longest)

    def __str__(self) -> str:
        return f"{super().__str__()}; reset in {self.retry_after} s"


class CallRefused(Rejected):
    """The contact must not be called.

    The contact is on the account's blacklist, or the account's direction rules forbid calls to the number.
    """

    permanent = True


class CallNotFound(Rejected):
    """No active call has the session id that the request contains: the call has ended or never existed."""

    permanent = True


class InvalidState(Rejected):
    """The call's state does not allow the request, e.g. a transfer before a third party was called.

    The vendor's state diagram shows which requests each state allows.
    """

    permanent = True


class ServiceFailed(Rejected):
    """The service failed, e.g. with ``internal_error``. The service may have carried out the request."""

    maybe_done = True


class ProtocolMismatch(Rejected):
    """The service does not understand the request.

    Possible reasons: the Airflow connection contains the wrong API version or the wrong host, or this package
    has a bug.
    """

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
"""The vendor's mnemonic of an error → exception class. This table has priority over the table `_BY_CODE`.

The table contains the mnemonics whose error code alone does not determine the class.
"""

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
"""The vendor's error code → exception class.

An unknown code becomes `ServiceFailed`, because the service may have carried out the request.
"""


DATE_FIELDS = frozenset({"date_from", "date_till"})
"""The parameters with the period of a report."""


def rejection(
    error: Mapping[str, Any],
    *,
    method: str,
    request_id: str | None = None,
    limits: Limits | None = None,
    secrets: Sequence[str] = (),
) -> Rejected:
    """Return the exception for a JSON-RPC error object.

    The vendor's mnemonic or else the error code decides the class. For example, ``internal_error`` becomes
    `ServiceFailed`, and an invalid date of a report's period becomes `DateRefused`.

    :param error: the ``error`` object of the answer.
    :param limits: the points left, from the same answer.
    :param secrets: values in the request that must not appear in the error text, such as the password.
    """
    data: Any = error.get("data")
    data = data if isinstance(data, dict) else {}
    mnemonic, field = _text_or_none(data.get("mnemonic")), _text_or_none(data.get("field"))
    code, params = _read_code(error.get("code")), data.get("params")
    error_class = _BY_MNEMONIC.get(mnemonic or "") or _BY_CODE.get(code or 0, ServiceFailed)
    names = re.findall(r"\w+", (field or "").lower())
    if error_class is InvalidParameters and not DATE_FIELDS.isdisjoint(names):
        error_class = DateRefused

    def shown(name: str | None) -> str | None:
        return mask_phones(redact(name, list(secrets))) if name else name

    return error_class(
        redact(str(error.get("message") or "no message"), list(secrets)),
        method=method,
        request_id=request_id,
        code=code,
        mnemonic=shown(mnemonic),
        field=shown(field),
        params=params if isinstance(params, dict) else {},
        value=data.get("value"),
        limits=limits,
    )


def _read_code(value: object) -> int | None:
    """Return an error code as a number: ``"-32602"`` and ``-32602.0`` become -32602. None: no number."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text_or_none(value: object) -> str | None:
    """Return a text: ``"id"`` stays unchanged, and the list ``["id", "name"]`` becomes ``"[id, name]"``.

    Entries of the list that are no texts are left out. None: the value is neither a text nor a list.
    """
    if isinstance(value, list):
        return f"[{', '.join(each for each in value if isinstance(each, str))}]"
    return value if isinstance(value, str) else None
