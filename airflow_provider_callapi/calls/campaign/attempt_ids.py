"""The ids of attempts and people. An id contains no phone number, so logs and stores may show it."""

from __future__ import annotations

import hashlib

from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key

_ID_DIGITS = slice(0, 24)
"""The digits of the hash that an ``external_id`` contains."""
_FINGERPRINT_DIGITS = slice(24, 40)
"""The digits of the hash that are a person's fingerprint.

No ``external_id`` contains them. A report shows the ``external_id`` beside the phone number, so with the same
digits everyone who reads reports could tell which person a fingerprint identifies.
"""


def external_id(scope: str, contact: str, attempt: int, own: str | None = None) -> str:
    """Return the ``external_id`` of an attempt to call a person, such as ``afc-1f0c…-2`` (second attempt).

    The campaign finds an unconfirmed call by this id.

    :param scope: a text that identifies the campaign and its Airflow deployment, see `Deployment.scope`.
    :param contact: the number to call. The id does not contain the number.
    :param attempt: the number of the attempt; 1 is the first attempt.
    :param own: the author's id for the first attempt, such as ``order-7``. The second attempt gets
        ``order-7-2``. None: the id contains a hash of ``scope`` and ``contact``.
    """
    if own is not None:
        return own if attempt == 1 else f"{own}-{attempt}"
    return f"afc-{_digest(scope, contact)[_ID_DIGITS]}-{attempt}"


def fingerprint(scope: str, contact: str) -> str:
    """Return a person's fingerprint: 16 hexadecimal digits of a hash of ``scope`` and the phone number.

    The fingerprint identifies the person where the phone number itself must not be stored.

    :param scope: a text that identifies the campaign and its deployment, as `Deployment.scope` returns it.
    :param contact: the number to call.
    """
    return _digest(scope, contact)[_FINGERPRINT_DIGITS]


def _digest(scope: str, contact: str) -> str:
    return hashlib.sha256(f"{scope}\n{contact_key(contact)}".encode()).hexdigest()
