"""What somebody who fills in a connection should do about an error, in the words of the form."""

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

_NOT_REACHED = (
    'Nothing can be reached there. Check "{host}" and the port, and that the machines of Airflow may '
    "connect to it (DNS, firewall)."
)
_NO_TLS = (
    'There is no TLS that can be trusted. Check "{host}" and the port; where an authority of your own '
    'signs the certificate, give the path of the authority\'s file as "TLS verification".'
)
_NO_BUNDLE = (
    "The file of certificates that the environment names (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE) is not on this "
    'machine. Correct that, or give the path of one as "TLS verification".'
)
_NOT_UNDERSTOOD = (
    'What is there does not answer as the {service} does. Check "{host}", the port and "API version"; '
    'where it is only slow, allow a longer "Timeout, seconds".'
)
_BROKEN = "The service has trouble of its own, which says nothing of the connection. Try again later."
_ACCOUNTS = 'An account lives on one of the vendor\'s hosts, comagic.ru or uiscom.ru: check "{host}", too.'
_COMPONENT = "Have the component of the {service} that is named here switched on in the account."

_BY_MNEMONIC = {
    "auth_error": f"The login or the password is wrong. {_ACCOUNTS}",
    "access_token_invalid": (
        "The service does not know this access key. If it is the password of a user, fill in the user's "
        f'"Login", too. {_ACCOUNTS}'
    ),
    "access_token_expired": "The access key has expired. Have another one made in the account.",
    "access_token_blocked": "The access key is blocked. Have it unblocked, or another one made.",
    "ip_not_whitelisted": (
        "The account does not let this address in. Have the addresses of all machines of Airflow (API "
        "server, workers, triggerer) put on its IP list for the {service}."
    ),
    "account_inactive": "The account is switched off. Ask the vendor's support.",
    "forbidden": "The credentials have no right to the {service}. Have it granted in the account.",
    "component_disabled": _COMPONENT,
    "method_component_disabled": _COMPONENT,
}


def advice(error: CallApiError, *, service: str = "Call API", host: str = "Call API host") -> str:
    """What to do, then what was said, which holds the request's id for the vendor's support.

    :param service: who was asked.
    :param host: the label of the form's field that leads there.
    """
    if isinstance(error, NotSent) and isinstance(error.__cause__, CallApiError):
        error = error.__cause__  # the login that a request needed
    todo = _todo(error)
    return f"{todo.format(service=service, host=host)} ({error})" if todo else str(error)


def _todo(error: CallApiError) -> str:
    if isinstance(error, NotSent):
        if "TLS CA certificate bundle" in str(error.__cause__):  # of requests: a plain OSError
            return _NO_BUNDLE
        return _NO_TLS if isinstance(error.__cause__, SSLError) else _NOT_REACHED
    if isinstance(error, Unanswered | ProtocolMismatch):
        return _NOT_UNDERSTOOD
    if isinstance(error, ServiceFailed):
        return _BROKEN
    return _BY_MNEMONIC.get(str(error.mnemonic), "") if isinstance(error, Rejected) else ""
