"""The pytest plugin with the fixtures ``callapi_emulator`` and ``callapi_profile``.

Installing the package registers the plugin. Because pytest imports this module in every test run of every
user, the plugin imports the emulator only when a test uses ``callapi_emulator``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_callapi.emulator.profile import Profile
    from airflow_provider_callapi.emulator.server import Emulator

_EMULATOR: pytest.StashKey[Emulator] = pytest.StashKey()


@pytest.fixture
def callapi_profile() -> str | Profile:
    """How the emulated exchange of ``callapi_emulator`` behaves: the name of a profile, or a `Profile`.

    A project can override this fixture. A test can run under several profiles:
    ``@pytest.mark.parametrize("callapi_profile", ["document", "seen"])``.
    """
    return "document"


@pytest.fixture
def callapi_emulator(request: pytest.FixtureRequest, callapi_profile: str | Profile) -> Iterator[Emulator]:
    """An emulated telephone exchange on a free port of 127.0.0.1. The clock runs in real time.

    ``callapi_emulator.exchange`` is the exchange. ``callapi_emulator.connection()`` returns an Airflow
    connection to the exchange. To keep a test fast, script short calls, e.g. ``exchange.expect_ring(phone,
    Script(rings=0.5, talks=1))``. If the phones rang differently from the test's expectations, the test fails
    even if the test's own code passes (``Exchange.check_rings``). For a clock that the test moves, use
    ``Emulator(Exchange(clock=ManualClock()))`` instead.
    """
    from airflow_provider_callapi.emulator.exchange import Exchange  # noqa: PLC0415
    from airflow_provider_callapi.emulator.profile import Profile  # noqa: PLC0415
    from airflow_provider_callapi.emulator.server import Emulator  # noqa: PLC0415

    profile = callapi_profile
    if isinstance(profile, str):
        profile = Profile.named(profile)
    with Emulator(Exchange(profile=profile)) as emulator:
        request.node.stash[_EMULATOR] = emulator
        yield emulator


@pytest.hookimpl(trylast=True)  # Runs after the test, and only if the test has passed.
def pytest_runtest_call(item: pytest.Item) -> None:
    """Make a test fail if the phones rang differently from the test's expectations.

    The test fails even if the test's own code passes. pytest reports a failure of the test, not an error in
    the teardown of the fixture ``callapi_emulator``.
    """
    __tracebackhide__ = True  # the report shows only the message
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None:
        emulator.exchange.check_rings()
