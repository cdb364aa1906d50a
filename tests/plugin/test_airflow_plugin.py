"""The plugin as Airflow finds and loads it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from airflow.plugins_manager import AirflowPlugin

from airflow_provider_callapi.plugin.address import root_path
from airflow_provider_callapi.plugin.airflow_plugin import CallApiPlugin, LazyApp

REPO = Path(__file__).parents[2]


@pytest.mark.needs_airflow("3.1", "pages of plugins")
def test_the_link_in_the_navigation_leads_to_the_page() -> None:
    (view,) = CallApiPlugin.external_views
    (app,) = CallApiPlugin.fastapi_apps

    assert (view["name"], view["destination"]) == ("Calls", "nav")
    assert view["href"].endswith(f"{app['url_prefix']}/")


def test_airflow_finds_the_plugin_by_an_entry_point() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    (path,) = project["entry-points"]["airflow.plugins"].values()
    assert path == f"{CallApiPlugin.__module__}:{CallApiPlugin.__name__}"


@pytest.mark.parametrize(
    ("base_url", "page"),
    [
        ("http://localhost:8080", "/callapi/"),
        ("https://one.example/airflow/", "/airflow/callapi/"),
        ("", "/callapi/"),
    ],
)
def test_the_address_follows_the_path_of_the_api_server(
    monkeypatch: pytest.MonkeyPatch, base_url: str, page: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    assert f"{root_path()}/callapi/" == page


def test_an_airflow_without_plugin_pages_gets_no_web_application() -> None:
    shows_pages = hasattr(AirflowPlugin, "external_views")
    assert ("fastapi_apps" in vars(CallApiPlugin)) == shows_pages


def test_the_plugin_imports_no_heavy_packages_in_other_components() -> None:
    code = (
        "import sys, airflow.plugins_manager, airflow.providers.common.compat.sdk as sdk; sdk.conf;"
        "before = set(sys.modules); import airflow_provider_callapi.plugin.airflow_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )

    loaded = done.stdout.split()
    assert [name for name in loaded if name.startswith(("fastapi", "sqlalchemy", "jinja2", "requests"))] == []
    assert [name for name in loaded if name.startswith("airflow_provider_callapi.")] == [
        "airflow_provider_callapi.plugin",
        "airflow_provider_callapi.plugin.address",
        "airflow_provider_callapi.plugin.airflow_plugin",
    ]


@pytest.mark.needs_airflow("3.1", "pages of plugins")
def test_the_web_application_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        built.append(scope)

    def make_app() -> Any:
        built.append("made")
        return app

    monkeypatch.setattr("airflow_provider_callapi.plugin.app.make_app", make_app)
    lazy = LazyApp()
    asyncio.run(lazy(1, None, None))
    asyncio.run(lazy(2, None, None))

    assert built == ["made", 1, 2]
