"""The Airflow plugin that adds the page *Calls* to the navigation.

Every component of Airflow imports this module. To keep the import fast, the module imports the web
application only at the first request for the page.
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_callapi.plugin.address import root_path

_PREFIX = "/callapi"


class LazyApp:
    """An ASGI application that imports and builds the web application of the page *Calls* when first used."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            from airflow_provider_callapi.plugin.app import make_app  # noqa: PLC0415 - FastAPI is heavy

            self._app = make_app()
        await self._app(scope, receive, send)


class CallApiPlugin(AirflowPlugin):
    """Adds the page *Calls* to Airflow's navigation.

    Airflow 3.0 cannot show pages of plugins. In Airflow 3.0, the plugin therefore adds nothing.
    """

    name = "callapi"
    if hasattr(AirflowPlugin, "external_views"):
        fastapi_apps = [{"app": LazyApp(), "url_prefix": _PREFIX, "name": "Calls"}]
        external_views = [
            {
                "name": "Calls",
                "href": f"{root_path()}{_PREFIX}/",
                "destination": "nav",
                "category": "browse",
                "url_route": "callapi-calls",
            }
        ]
