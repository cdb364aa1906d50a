"""Advice about API errors, written for the user who fills in the Airflow connection.

The advice names the fields by their labels in Airflow's connection form.
"""

from __future__ import annotations

from requests.exceptions import SSLError

from airflow_provider_callapi.api.errors import (
    CallApiError,
    NotSent,
    ProtocolMismatch,
    Rejected,
    ServiceFailed,
    Unanswered,
)

_UNREACHABLE = (
    'No server answers at this address. Check "{service} host" and the port. Check that the Airflow machines '
    "may connect to it (DNS, firewall)."
)
_UNTRUSTED_TLS = (
    'The server offers no trusted TLS. Check "{service} host" and the port; before the host of an emulator, '
    "write http://. If your own authority signs the "
    'certificate, enter the path of the authority\'s file as "TLS verification".'
)
_MISSING_CA_BUNDLE = (
    "This machine does not have the certificate file that the environment names (REQUESTS_CA_BUNDLE, "
    'CURL_CA_BUNDLE). Correct the variable, or enter a file\'s path as "TLS verification".'
)
_UNEXPECTED_ANSWER = (
    'The server does not answer as the {service} does. Check "{service} host", the port and "API version". '
    'If the server is only slow, raise "Timeout, seconds".'
)
_SERVICE_TROUBLE = (
    "The service itself has a problem; the connection's fields may be correct. Try again later."
)
_CHECK_VENDOR_HOST = (
    "An account lives on one of the vendor's hosts (comagic.ru, uiscom.ru, novofon.ru, callgear.com): "
    'check "{service} host", too.'
)
_SHARED_LOGIN = (
    "The {service} refuses the token of a new login. Another program may use the same login at the same "
    "time: enter a permanent access key, or a login that only Airflow uses."
)
_COMPONENT_OFF = "Have the {service} component that this error names switched on in the account."

_BY_MNEMONIC = {
    "auth_error": f"The login or the password is wrong. {_CHECK_VENDOR_HOST}",
    "access_token_invalid": (
        "The service does not know this access key. If it is a user's password, enter the user's "
        f'"Login", too. {_CHECK_VENDOR_HOST}'
    ),
    "access_token_expired": "The access key has expired. Create a new key in the account.",
    "access_token_blocked": "The access key is blocked. Unblock it, or create a new key in the account.",
    "ip_not_whitelisted": (
        "The account does not accept requests from this address. An account accepts requests only from the "
        "addresses on its IP list. Add the addresses of all Airflow machines (API server, workers, "
        "triggerer) to its IP list for the {service}."
    ),
    "account_inactive": "The account is switched off. Ask the vendor's support.",
    "forbidden": "The credentials have no right to the {service}. Have the right granted in the account.",
    "component_disabled": _COMPONENT_OFF,
    "method_component_disabled": _COMPONENT_OFF,
}


def advice(error: CallApiError, *, service: str = "Call API") -> str:
    """Return advice about an API error for the user who fills in the Airflow connection.

    The error's own message follows in parentheses. If there is no advice, the result is only this message.

    :param service: the service that got the request: ``Call API`` or ``Data API``.
    """
    text, reason = advice_only(error, service=service), _reason_of(error)
    return f"{text} ({reason})" if text else str(reason)


def advice_only(error: CallApiError, *, service: str) -> str:
    """Return advice about an API error without the error's own message. Empty text: there is no advice.

    :param service: the service that got the request: ``Call API`` or ``Data API``.
    """
    return _advice_template(error).format(service=service)


def _reason_of(error: CallApiError) -> CallApiError:
    """Return the error of a login, or of its token, that has kept a request from being sent.

    Any other error is its own reason.
    """
    cause = error.__cause__
    return cause if isinstance(error, NotSent) and isinstance(cause, CallApiError) else error


def _advice_template(failed: CallApiError) -> str:
    """Return the advice for an error, with the placeholder ``{service}``."""
    error = _reason_of(failed)
    if error is not failed and getattr(error, "mnemonic", None) == "access_token_invalid":
        return _SHARED_LOGIN
    if isinstance(error, NotSent):
        if "TLS CA certificate bundle" in str(error.__cause__):  # `requests` raises a plain OSError
            return _MISSING_CA_BUNDLE
        return _UNTRUSTED_TLS if isinstance(error.__cause__, SSLError) else _UNREACHABLE
    if isinstance(error, Unanswered | ProtocolMismatch):
        return _UNEXPECTED_ANSWER
    if isinstance(error, ServiceFailed):
        return _SERVICE_TROUBLE
    return _BY_MNEMONIC.get(str(error.mnemonic), "") if isinstance(error, Rejected) else ""
