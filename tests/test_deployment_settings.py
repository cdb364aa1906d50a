"""How the deployment's name and secret keys are read from Airflow's configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_provider_callapi.calls.deployment import Deployment
from airflow_provider_callapi.deployment_settings import read_deployment

Configured = Callable[..., Deployment]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configured]:
    """Return a function that sets options of Airflow and returns the deployment."""

    def read(**options: str) -> Deployment:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__{name.upper()}", value)
        read_deployment.cache_clear()
        return read_deployment()

    yield read
    read_deployment.cache_clear()


def test_the_default_name_is_the_address_and_the_default_keys_are_the_fernet_keys(configured):
    assert configured(api__base_url="https://staging", core__fernet_key="new, old") == Deployment(
        "https://staging", id_key=b"old", keys=(b"new", b"old")
    )


def test_the_options_deployment_and_secret_keys_replace_the_defaults(configured):
    assert configured(
        api__base_url="https://staging",
        core__fernet_key="fernet",
        callapi__deployment="production",
        callapi__secret_keys="new,old",
    ) == Deployment("production", id_key=b"old", keys=(b"new", b"old"))


def test_a_configured_name_makes_ids_independent_of_the_fernet_key(configured):
    """A fernet key may differ between machines whose connections come from elsewhere."""
    deployment = configured(core__fernet_key="fernet", callapi__deployment="production")
    assert (deployment.id_key, deployment.keys) == (b"", (b"fernet",))


def test_a_new_key_before_the_old_one_leaves_ids_unchanged(configured):
    before = configured(core__fernet_key="old", api__base_url="https://x").scope("dag")
    assert configured(core__fernet_key="new,old").scope("dag") == before


@pytest.mark.parametrize("empty", ["", " ", " , "])
def test_empty_options_are_no_keys(configured, empty):
    assert configured(core__fernet_key=empty, callapi__secret_keys=empty).keys == ()
