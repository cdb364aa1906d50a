"""What Airflow reads at start-up: a plain dict, and no import."""

from typing import Any

_PACKAGE = "airflow_provider_callapi"
_INTEGRATION = "CoMagic / UIS Call API"


def _modules(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "integration-name": _INTEGRATION,
            "python-modules": [f"{_PACKAGE}.{name}" for name in names],
        }
    ]


def _field(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": schema}


def get_provider_info() -> dict[str, Any]:
    """Describe this provider; see ``provider_info.schema.json`` of the installed Airflow."""
    return {
        "package-name": "airflow-provider-callapi",
        "name": "CoMagic / UIS Call API",
        "description": "Start, steer, tag and wait for telephone calls of a CoMagic / UIS exchange.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.comagic.ru/support/api/call-api/",
                "tags": ["service"],
            }
        ],
        "hooks": _modules("hooks.callapi"),
        "operators": _modules("operators.start_call", "operators.call_control"),
        "sensors": _modules("sensors.call_session"),
        "triggers": _modules("triggers.call_session"),
        "connection-types": [
            {
                "connection-type": "callapi",
                "hook-name": "CoMagic / UIS Call API",
                "hook-class-name": f"{_PACKAGE}.hooks.callapi.CallApiHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {
                        "host": "Call API host",
                        "login": "Login (empty for an access key)",
                        "password": "Password, or permanent access key",
                    },
                    "placeholders": {
                        "host": "callapi.comagic.ru (or callapi.uiscom.ru)",
                        "port": "443",
                    },
                },
                "conn-fields": {
                    "api_version": _field(
                        "API version",
                        "Version in the URL of the Call API.",
                        type=["string", "null"],
                        default="v4.0",
                    ),
                    "timeout": _field(
                        "Timeout, seconds",
                        "How long to wait for the answer to one request.",
                        type=["number", "null"],
                        default=30,
                        minimum=1,
                    ),
                    "timezone": _field(
                        "Account's time zone",
                        "IANA name. The service sends times without a zone; they are in this one.",
                        type=["string", "null"],
                        default="Europe/Moscow",
                    ),
                    "data_api": _field(
                        "Use the Data API",
                        "Lets outcomes and tags of finished calls come from the vendor's Data API.",
                        type=["boolean", "null"],
                        default=False,
                    ),
                    "data_api_host": _field(
                        "Data API host",
                        "Empty: derived from the host (callapi. becomes dataapi.).",
                        type=["string", "null"],
                    ),
                    "verify": _field(
                        "TLS verification",
                        "true, or the path of a CA bundle.",
                        type=["string", "boolean", "null"],
                        default="true",
                    ),
                    "allow_http": _field(
                        "Allow plain http",
                        "Credentials travel in the clear. Not needed for a loopback host.",
                        type=["boolean", "null"],
                        default=False,
                    ),
                },
            }
        ],
    }
