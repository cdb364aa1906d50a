"""Read this package's settings from Airflow's configuration, mainly from the section ``[callapi]``.

The settings are the name and the secret keys of this Airflow deployment, and the connections to SQL ledgers.
"""

from __future__ import annotations

from functools import cache

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.calls.deployment import Deployment

SECTION = "callapi"
"""The section of this package in Airflow's configuration."""


@cache
def read_deployment() -> Deployment:
    """Read the name and the secret keys of this Airflow deployment from Airflow's configuration.

    Ids, such as the ``external_id`` of a call, and hashes of phone numbers depend on the name and the keys.
    All machines of a deployment must therefore have the same configuration. A process reads it only once.

    The result is a `Deployment`:

    - ``name``: the option ``[callapi] deployment``. If not set: ``[api] base_url``.
    - ``keys``: the keys in ``[callapi] secret_keys``, newest first. If not set: the keys in
      ``[core] fernet_key``.
    - ``id_key``: the key for the hashes in ids: the oldest of ``keys``. Empty if ``deployment`` is set and
      ``secret_keys`` is not.

    A new key in front of the old keys does not change the ids.
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
