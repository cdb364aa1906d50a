"""The pytest plugin with the fixtures ``callapi_emulator`` and ``callapi_profile``.

If this package is installed, pytest imports this module in every test run, even in projects that do not use
the package. To keep the import fast, the plugin imports the emulator only when a test uses the fixture
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

    A profile states how the exchange behaves where the vendor's brands and accounts differ. The fixture
    returns the name of a profile or a `Profile`; by default ``document``.

    A project can override this fixture. With a parameter, a test runs once for each of several profiles:
    ``@pytest.mark.parametrize("callapi_profile", ["document", "seen"])``.
    """
    return "document"


@pytest.fixture
def callapi_emulator(request: pytest.FixtureRequest, callapi_profile: str | Profile) -> Iterator[Emulator]:
    """Yield an `Emulator`: an emulated telephone exchange on a free port of 127.0.0.1.

    - ``callapi_emulator.exchange`` is the `Exchange`.
    - ``callapi_emulator.connection()`` returns an Airflow connection to the exchange, as a dict.
    - The fixture ``callapi_profile`` chooses the behaviour of the exchange.

    A test can state which phones must ring, e.g. with `Exchange.expect_ring`. If phones ring differently, the
    test fails.

    The clock runs in real time, so let calls be short, e.g. with ``Script(rings=0.5, talks=1)``.
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

    The hook first plays the active calls to their end, because a DAG that does not wait for a call may end
    before the call has rung its second phone.

    pytest calls this hook after the test's own code has passed. If the hook raises an error, the test has
    failed. The fixture itself could check the rings only in its teardown, where an error is no failure of the
    test.

    :raises AssertionError: the rings differ from the expectations, see `Exchange.check_rings`.
    """
    __tracebackhide__ = True  # the report shows only the message
    own = getattr(item, "funcargs", {}).get("callapi_emulator")  # also a fixture of the project's own
    exchange = getattr(item.stash.get(_EMULATOR, own), "exchange", None)
    if exchange is not None:
        exchange.play_to_end()
        exchange.check_rings()
