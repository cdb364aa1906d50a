"""The name and the secret keys of an Airflow deployment, and the hashes that are made with them.

If the deployment has a secret key, only this deployment can compute its hashes. A hash that is made without a
secret key reveals a phone number, because a computer can try all numbers of a country in minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

_KEY_ID_DIGITS = 8
_DIGITS = 16


@dataclass(frozen=True)
class Deployment:
    """The name and the secret keys of one Airflow deployment.

    :ivar name: distinguishes this deployment from others that use the same account; may be empty.
    :ivar id_key: the secret key for the hashes in ids, such as the ``external_id`` of a call. It must stay
        the same for a long time. Empty: ids are made without a key.
    :ivar keys: the secret keys for fingerprints, the newest first. New fingerprints are made with the newest
        key. Empty: fingerprints are made without a key.
    """

    name: str = ""
    id_key: bytes = field(default=b"", repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def scope(self, *names: str) -> str:
        """Return a text that identifies a task, a campaign or an alert of this deployment.

        The package makes ids from this text. Deployments that differ in ``name`` or ``id_key`` get different
        texts for equal ``names``.

        :param names: what identifies the task, campaign or alert, such as dag id, run id and task id.
        :return: a hash in hexadecimal digits. If the deployment has neither a name nor a key: ``names``, one
            on each line.
        """
        if not self.name and not self.id_key:
            return "\n".join(names)
        return _keyed_hash(self.id_key, "id", self.name, *names)

    def fingerprint(self, *parts: str) -> str:
        """Return a fingerprint (hash) of some texts, for example of a task's name and a phone number.

        If the deployment has a key, the fingerprint does not reveal the texts. Without a key, a computer can
        find a phone number by trying all numbers.
        """
        if not self.keys:
            return _unkeyed(parts)
        return _fingerprint_with(self.keys[0], parts)

    def is_fingerprint_of(self, fingerprint: str, *parts: str) -> bool | None:
        """Return whether a stored fingerprint is the fingerprint (hash) of the given texts.

        The stored fingerprint may have been made with any key of the deployment, or without a key.

        :param fingerprint: the stored fingerprint.
        :param parts: the texts, for example a task's name and a phone number.
        :return: True or False. None: unknown, because the fingerprint was made with a key that the deployment
            does not have any more.
        """
        key_id, separator, _ = fingerprint.partition(".")
        if not separator:
            return hmac.compare_digest(fingerprint, _unkeyed(parts))
        for key in self.keys:
            if key_id == _key_id(key):
                return hmac.compare_digest(fingerprint, _fingerprint_with(key, parts))
        return None


NO_DEPLOYMENT = Deployment()
"""A deployment without a name and without keys."""


def _unkeyed(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _fingerprint_with(key: bytes, parts: tuple[str, ...]) -> str:
    return f"{_key_id(key)}.{_keyed_hash(key, 'fingerprint', *parts)[:_DIGITS]}"


def _key_id(key: bytes) -> str:
    return _keyed_hash(key, "name of the key")[:_KEY_ID_DIGITS]


def _keyed_hash(key: bytes, purpose: str, *parts: str) -> str:
    message = json.dumps(["airflow-provider-callapi", purpose, *parts])
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
