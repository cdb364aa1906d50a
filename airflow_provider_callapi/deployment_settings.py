"""Read this package's settings from Airflow's configuration: name, secret keys, ledger connections."""

from __future__ import annotations

from functools import cache

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.calls.deployment import Deployment

SECTION = "callapi"
"""The section of this package in Airflow's configuration."""


@cache
def read_deployment() -> Deployment:
    """Read the name and the secret keys of this Airflow deployment from Airflow's configuration.

    The ids that the package makes, such as the ``external_id`` of a call, depend on the name and on one key.
    The fingerprints (hashes) of phone numbers depend on the keys. All machines of a deployment must therefore
    have the same configuration.

    - Name: the option ``[callapi] deployment``. If this option is not set: ``[api] base_url``.
    - Keys: the option ``[callapi] secret_keys``, the newest key first: ``new,old``. If this option is not
      set: ``[core] fernet_key``.
    - Key of the ids (`Deployment.id_key`): the oldest (last) key, so that a new key does not change the ids.
      If ``[callapi] deployment`` is set and ``[callapi] secret_keys`` is not set, the ids use no key. A
      change of ``[core] fernet_key`` then does not change the ids.
    """
    name, own_keys = _option(SECTION, "deployment"), _keys(_option(SECTION, "secret_keys"))
    keys = own_keys or _keys(_option("core", "fernet_key"))
    id_keys = own_keys if name else keys
    return Deployment(
        name or _option("api", "base_url"),
        id_key=id_keys[-1] if id_keys else b"",
        keys=keys,
    )


def read_ledger_conn_ids() -> list[str]:
    """Return the ids in the option ``[callapi] ledger_conn_ids``, e.g. ``["ledger"]``.

    The ids name connections to SQL ledgers. The page of calls shows the campaigns in these ledgers.
    """
    return [name.strip() for name in _option(SECTION, "ledger_conn_ids").split(",") if name.strip()]


def _option(section: str, name: str) -> str:
    return str(conf.get(section, name, fallback="") or "").strip()


def _keys(text: str) -> tuple[bytes, ...]:
    return tuple(key.strip().encode() for key in text.split(",") if key.strip())
