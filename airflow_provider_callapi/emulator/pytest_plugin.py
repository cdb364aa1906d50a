"""The pytest fixture ``callapi_emulator``. Installing the package registers it.

pytest imports this module in every run of every user, so it imports the emulator only on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_callapi.emulator.server import Emulator

_EMULATOR: pytest.StashKey[Emulator] = pytest.StashKey()


@pytest.fixture
def callapi_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A telephone exchange on a free port of 127.0.0.1, in real time.

    ``callapi_emulator.exchange`` is the exchange. ``callapi_emulator.connection()`` returns an
    Airflow connection to it. Give phones short calls: ``exchange.expect_ring(phone,
    Script(rings=0.5, talks=1))``. A test that passes then fails if the phones rang differently from
    its expectations (``Exchange.check_rings``). For a clock that the test moves, use
    ``Emulator(Exchange(clock=ManualClock()))`` instead.
    """
    from airflow_provider_callapi.emulator.exchange import Exchange  # noqa: PLC0415
    from airflow_provider_callapi.emulator.server import Emulator  # noqa: PLC0415

    with Emulator(Exchange()) as emulator:
        request.node.stash[_EMULATOR] = emulator
        yield emulator


@pytest.hookimpl(trylast=True)  # after pytest has run the test; not called if the test has failed
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail the test, not its teardown, if the phones rang differently from its expectations."""
    __tracebackhide__ = True  # the report shows only the message
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None:
        emulator.exchange.check_rings()
