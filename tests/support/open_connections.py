"""Which connections to databases the package has opened and not closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from airflow_provider_callapi.databases import connections, keyed_table


@dataclass
class OpenConnections:
    """The package's SQLAlchemy engines, and the connections of their drivers that are open now."""

    engines: list[Engine] = field(default_factory=list)
    opened: int = 0
    open: list[Any] = field(default_factory=list)

    def watch(self, engine: Engine) -> Engine:
        event.listen(engine, "connect", self._add)
        event.listen(engine, "close", lambda connection, _: self.open.remove(connection))
        self.engines.append(engine)
        return engine

    def _add(self, connection: Any, _: Any) -> None:
        self.opened += 1
        self.open.append(connection)


@pytest.fixture
def open_connections(monkeypatch: pytest.MonkeyPatch) -> OpenConnections:
    """The connections that the package opens from now on through Airflow connections."""
    found, engine_of = OpenConnections(), connections.engine_of
    for module in (connections, keyed_table):
        monkeypatch.setattr(module, "engine_of", lambda *args, **more: found.watch(engine_of(*args, **more)))
    return found
