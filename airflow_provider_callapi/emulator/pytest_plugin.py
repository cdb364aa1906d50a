"""The pytest plugin with the fixtures ``callapi_emulator`` and ``callapi_profile``.

An installation of this package registers the plugin. pytest then imports this module in every test run of
every user. To keep this import fast, the plugin imports the emulator only when a test uses the fixture
``callapi_emulator``.
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
    """Return the profile of the telephone exchange in the fixture ``callapi_emulator``.

    A profile states how the exchange behaves where the vendor's brands and accounts differ. The value is the
    name of a profile or a `Profile`. The default is ``document``.

    A project can override this fixture. A test can run under several profiles:
    ``@pytest.mark.parametrize("callapi_profile", ["document", "seen"])``.
    """
    return "document"


@pytest.fixture
def callapi_emulator(request: pytest.FixtureRequest, callapi_profile: str | Profile) -> Iterator[Emulator]:
    """Yield an `Emulator`: an emulated telephone exchange on a free port of 127.0.0.1.

    - ``callapi_emulator.exchange`` is the `Exchange`.
    - ``callapi_emulator.connection()`` returns an Airflow connection to the exchange, as a dict.
    - The fixture ``callapi_profile`` chooses the behaviour of the exchange.

    After the test's own code has passed, `Exchange.check_rings` fails the test if phones rang differently
    from the test's expectations.

    The exchange's clock runs in real time, so let calls be short, e.g. with ``Script(rings=0.5, talks=1)``.
    For a clock that the test moves, use ``Emulator(Exchange(clock=ManualClock()))`` instead of this fixture.
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
    """Fail a test with the fixture ``callapi_emulator`` if phones rang differently from the expectations.

    The hook compares the rings after the test's own code has passed. pytest then reports a failure of the
    test. If the fixture made the comparison instead, pytest would report an error in the teardown of the
    fixture.

    :raises AssertionError: the rings differ from the expectations, see `Exchange.check_rings`.
    """
    __tracebackhide__ = True  # the report shows only the message
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None:
        emulator.exchange.check_rings()
