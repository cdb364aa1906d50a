"""A secrets backend that is down while a file exists."""

from __future__ import annotations

import os
from pathlib import Path

from airflow.secrets import BaseSecretsBackend


class Vault(BaseSecretsBackend):
    """Reads each connection from a file in the folder ``CALLAPI_VAULT``.

    While this folder contains a file ``down``, each look-up fails as with a server that cannot be reached.
    """

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        folder = Path(os.environ["CALLAPI_VAULT"])
        if (folder / "down").exists():
            raise ConnectionError("the vault is down")
        file = folder / conn_id
        return file.read_text("utf-8") if file.exists() else None
