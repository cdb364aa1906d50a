"""The description of this provider for Airflow: its operators, connection form and configuration options.

Airflow imports this module at start-up, so the module imports nothing heavy.
"""

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
    """Return the label of a field in Airflow's connection form, e.g. ``Call API host`` for ``host``.

    :param field: the name of a field: ``host``, or ``extra.timeout`` for the field ``timeout`` of the
        connection's extra.
    :return: the label. If the form does not contain the field of the extra: ``field`` unchanged.
    """
    (form,) = get_provider_info()["connection-types"]
    name = field.removeprefix("extra.")
    if name != field:
        return str(form["conn-fields"][name]["label"]) if name in form["conn-fields"] else field
    return str(form["ui-field-behaviour"]["relabeling"].get(field, field.capitalize()))


def get_provider_info() -> dict[str, Any]:
    """Return the description of this provider, in the form of Airflow's ``provider_info.schema.json``.

    Airflow calls this function to find the provider's hooks, operators, connection form and configuration
    options.
    """
    return {
        "package-name": "airflow-provider-callapi",
        "name": "CoMagic / UIS Call API",
        "description": "Start, control, tag and wait for telephone calls of a CoMagic / UIS exchange.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.comagic.ru/support/api/call-api/",
                "tags": ["service"],
            }
        ],
        "hooks": _modules("hooks.callapi"),
        "operators": _modules(
            "operators.start_call",
            "operators.call_control",
            "operators.branch",
            "operators.campaign",
            "operators.calls_report",
        ),
        "sensors": _modules("sensors.call_session"),
        "triggers": _modules("triggers.call_session", "triggers.call_events", "triggers.campaign"),
        "notifications": [f"{_PACKAGE}.notifications.callapi.CallApiNotifier"],
        "extra-links": [f"{_PACKAGE}.operators._call.base_operator.RecordingLink"],
        "task-decorators": [
            {"name": name, "class-name": f"{_PACKAGE}.decorators.callapi.{name}"}
            for name in ("callapi_informer", "callapi_campaign")
        ],
        "cli": [f"{_PACKAGE}.cli.definition.get_callapi_cli_commands"],  # Airflow 3.2+
        "config": {
            "callapi": {
                "description": "Options of the CoMagic / UIS Call API provider.",
                "options": {
                    "deployment": {
                        "description": (
                            "A name of this Airflow that no other Airflow with the same account has. "
                            "The default is [api] base_url."
                        ),
                        "version_added": "0.2.0",
                        "type": "string",
                        "example": "production",
                        "default": "",
                    },
                    "notifications_asset": {
                        "description": "The asset whose events the vendor's HTTP notifications create.",
                        "version_added": "0.2.0",
                        "type": "string",
                        "example": None,
                        "default": "callapi_notifications",
                    },
                    "secret_keys": {
                        "description": (
                            "Secret keys for hashes of phone numbers, the newest first, with commas between "
                            "them. The default is [core] fernet_key."
                        ),
                        "version_added": "0.2.0",
                        "type": "string",
                        "sensitive": True,
                        "example": None,
                        "default": "",
                    },
                    "ledger_conn_ids": {
                        "description": (
                            "Connections to the SQL ledgers whose campaigns the page of calls shows, with "
                            "commas between them. Airflow 3.3 and newer also finds ledgers by itself."
                        ),
                        "version_added": "0.2.0",
                        "type": "string",
                        "example": "ledger",
                        "default": "",
                    },
                },
            }
        },
        "connection-types": [
            {
                "connection-type": "callapi",
                "hook-name": "CoMagic / UIS Call API",
                "hook-class-name": f"{_PACKAGE}.hooks.callapi.CallApiHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {
                        "host": "Call API host",
                        # the label names the port because a number field shows no placeholder, and
                        # Airflow 3.3's list of connections refuses to test a connection without a port
                        "port": "Port (enter 443 for the vendor)",
                        "password": "Password or access key",
                    },
                    "placeholders": {
                        "host": "callapi.comagic.ru, callapi.uiscom.ru, "
                        "callapi-jsonrpc.novofon.ru or callapi.callgear.com",
                        "login": "Leave empty if the password is an access key",
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
                        "Seconds to wait for the answer to one request.",
                        type=["number", "null"],
                        default=30,
                        minimum=1,
                        maximum=86400,
                    ),
                    "timezone": _field(
                        "Account's time zone",
                        "IANA name, e.g. Asia/Yekaterinburg. The service's times are in this zone. Leave "
                        "empty to use the zone that the Data API names; without it, Europe/Moscow.",
                        type=["string", "null"],
                    ),
                    "data_api": _field(
                        "Use the Data API",
                        "Reports and tags finished calls. It has its own limits, rights and IP list.",
                        type=["boolean", "null"],
                        default=False,
                    ),
                    "data_api_host": _field(
                        "Data API host",
                        "Leave empty at the vendor's hosts: CoMagic dataapi.comagic.ru, "
                        "UIS dataapi.uiscom.ru, Novofon dataapi-jsonrpc.novofon.ru, "
                        "CallGear dataapi.callgear.com.",
                        type=["string", "null"],
                    ),
                    "verify": _field(
                        "TLS verification",
                        "true, or the path of a file with your own authority's certificates.",
                        type=["string", "boolean", "null"],
                        default="true",
                    ),
                    "allow_http": _field(
                        "Allow plain http",
                        "Sends the credentials unencrypted. Not needed for this machine (127.0.0.1).",
                        type=["boolean", "null"],
                        default=False,
                    ),
                },
            }
        ],
    }
