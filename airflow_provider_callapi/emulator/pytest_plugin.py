"""The pytest fixture ``callapi_emulator``, registered for everybody who installs the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_callapi.emulator.server import Emulator


@pytest.fixture
def callapi_emulator() -> Iterator[Emulator]:
    """A telephone exchange on a free port of 127.0.0.1, in real time.

    ``callapi_emulator.exchange`` is the exchange, ``callapi_emulator.connection()`` an Airflow
    connection to it. A DAG that waits wants short calls: ``exchange.script(phone, Script(rings=0.5,
    talks=1))``. For a clock that the test moves: ``Emulator(Exchange(clock=ManualClock()))``.
    """
    # here, because pytest imports this module in every run of every user
    from airflow_provider_callapi.emulator.exchange import Exchange  # noqa: PLC0415
    from airflow_provider_callapi.emulator.server import Emulator  # noqa: PLC0415

    with Emulator(Exchange()) as emulator:
        yield emulator
