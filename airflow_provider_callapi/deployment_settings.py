"""Read this package's settings from Airflow's configuration: name, secret keys, ledger connections."""

from __future__ import annotations

from functools import cache

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.calls.deployment import Deployment

SECTION = "callapi"
"""The section of this package in Airflow's configuration."""


@cache
def read_deployment() -> Deployment:
    """Return the name and the secret keys of this Airflow deployment, from Airflow's configuration.

    The ids of calls, and the hashes of phone numbers, depend on the name and the keys. All machines of a
    deployment must therefore have the same configuration.

    The name is the option ``[callapi] deployment``. If this option is not set, the name is
    ``[api] base_url``. The keys are in the option ``[callapi] secret_keys``, the newest key first:
    ``new,old``. If this option is not set, the keys are in ``[core] fernet_key``.

    The ids of calls use only the oldest (last) key, so a new key does not change the ids. There is one
    exception: if ``[callapi] deployment`` is set and ``[callapi] secret_keys`` is not set, the ids use no
    key. A change of ``[core] fernet_key`` then does not change the ids.
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
