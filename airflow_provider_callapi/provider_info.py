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


def form_label(field: str) -> str:
    """What the connection's form calls ``host``, ``extra.timeout`` and the like."""
    (form,) = get_provider_info()["connection-types"]
    name = field.removeprefix("extra.")
    if name != field:
        return str(form["conn-fields"][name]["label"]) if name in form["conn-fields"] else field
    return str(form["ui-field-behaviour"]["relabeling"].get(field, field.capitalize()))


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
        "operators": _modules(
            "operators.start_call", "operators.call_control", "operators.branch", "operators.campaign"
        ),
        "sensors": _modules("sensors.call_session"),
        "triggers": _modules("triggers.call_session", "triggers.call_events", "triggers.campaign"),
        "notifications": [f"{_PACKAGE}.notifications.callapi.CallApiNotifier"],
        "extra-links": [f"{_PACKAGE}.operators._call.base_operator.RecordingLink"],
        "cli": [f"{_PACKAGE}.cli.definition.get_callapi_cli_commands"],  # Airflow 3.2+
        "connection-types": [
            {
                "connection-type": "callapi",
                "hook-name": "CoMagic / UIS Call API",
                "hook-class-name": f"{_PACKAGE}.hooks.callapi.CallApiHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {
                        "host": "Call API host",
                        # a number's field shows no placeholder; and Airflow 3.3 refuses to test a
                        # connection without a port from its list
                        "port": "Port (the vendor's is 443)",
                        "password": "Password, or access key",
                    },
                    "placeholders": {
                        "host": "callapi.comagic.ru (or callapi.uiscom.ru)",
                        "login": "Left empty, the password is an access key",
                        "password": "The login's password, or a permanent access key",
                    },
                },
                "conn-fields": {
                    "api_version": _field(
                        "API version",
                        "The version in the URL of the Call API.",
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
                        "IANA name, e.g. Asia/Yekaterinburg. The service's times are in it, unmarked.",
                        type=["string", "null"],
                        default="Europe/Moscow",
                    ),
                    "data_api": _field(
                        "Use the Data API",
                        "Tells and tags calls that have ended. Has limits, rights and an IP list of its own.",
                        type=["boolean", "null"],
                        default=False,
                    ),
                    "data_api_host": _field(
                        "Data API host",
                        "Left empty, it is the Call API host with dataapi. in place of callapi.",
                        type=["string", "null"],
                    ),
                    "verify": _field(
                        "TLS verification",
                        "true, or the path of a file with the certificates of your own authority.",
                        type=["string", "boolean", "null"],
                        default="true",
                    ),
                    "allow_http": _field(
                        "Allow plain http",
                        "The credentials would travel in the clear. Not needed for this machine (127.0.0.1).",
                        type=["boolean", "null"],
                        default=False,
                    ),
                },
            }
        ],
    }
