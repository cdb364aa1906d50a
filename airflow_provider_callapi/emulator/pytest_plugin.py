"""The pytest plugin with the fixture ``callapi_emulator``. Installing the package registers the plugin.

The fixture imports the emulator only when a test uses the fixture. The reason is that pytest imports this
module in every test run of every user of the package.
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
    """An emulated telephone exchange on a free port of 127.0.0.1. The clock runs in real time.

    ``callapi_emulator.exchange`` is the exchange. ``callapi_emulator.connection()`` returns an Airflow
    connection to the exchange. Give phones short calls: ``exchange.expect_ring(phone, Script(rings=0.5,
    talks=1))``. If the phones rang differently from the test's expectations, a passed
    test fails after all (``Exchange.check_rings``). For a clock that the test moves, use
    ``Emulator(Exchange(clock=ManualClock()))`` instead.
    """
    from airflow_provider_callapi.emulator.exchange import Exchange  # noqa: PLC0415
    from airflow_provider_callapi.emulator.server import Emulator  # noqa: PLC0415

    with Emulator(Exchange()) as emulator:
        request.node.stash[_EMULATOR] = emulator
        yield emulator


@pytest.hookimpl(trylast=True)  # Runs after the test, and only if the test has passed.
def pytest_runtest_call(item: pytest.Item) -> None:
    """Make a passed test fail if the phones rang differently from the test's expectations.

    pytest reports a failure of the test, not an error in the teardown of the fixture.
    """
    __tracebackhide__ = True  # the report shows only the message
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None:
        emulator.exchange.check_rings()
