"""The package exports its public names."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.emulator import Exchange


def test_the_public_names_are_there():
    import airflow_provider_callapi.emulator as package

    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError):
        package.Nothing  # noqa: B018
    assert package.Exchange is Exchange
