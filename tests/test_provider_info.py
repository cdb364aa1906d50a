"""The provider info that Airflow reads at start-up, checked with Airflow's own schemas and commands."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import BaseOperatorLink
from airflow_program import stdout_of

from airflow_provider_callapi.connection.extra_fields import ExtraFields
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.provider_info import get_provider_info

AIRFLOW = Path(airflow.__file__).parent
INFO = get_provider_info()
(TYPE,) = INFO["connection-types"]


def schema(name: str) -> Any:
    return json.loads((AIRFLOW / name).read_text())


def test_the_provider_info_fits_the_schema_that_airflow_validates_at_startup():
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


def test_the_connection_form_fits_the_schema_of_a_provider_yaml():
    jsonschema.validate(
        INFO["connection-types"], schema("provider.yaml.schema.json")["properties"]["connection-types"]
    )


def test_the_provider_info_is_plain_json_and_needs_no_heavy_imports():
    assert json.loads(json.dumps(INFO)) == INFO
    code = (
        "import sys; from airflow_provider_callapi.provider_info import get_provider_info;"
        "get_provider_info(); print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'airflow', 'requests', 'pydantic', 'pendulum', 'tenacity', 'starlette'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_entry_point_leads_to_the_provider_info():
    (found,) = [
        point
        for point in entry_points(group="apache_airflow_provider")
        if point.dist is not None and point.dist.name == "airflow-provider-callapi"
    ]
    assert found.load() is get_provider_info


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers", "notifications"])
def test_the_provider_info_names_every_module_and_each_can_be_imported(kind):
    package = Path(inspect.getfile(get_provider_info)).parent / kind
    named: list[str] = []
    for entry in INFO.get(kind, []):
        # notifications are a list of class paths; the others of integrations with modules
        named += [entry.rpartition(".")[0]] if isinstance(entry, str) else entry["python-modules"]
    for module in named:
        importlib.import_module(module)
    public = {
        f"airflow_provider_callapi.{kind}.{path.stem}"
        for path in package.glob("*.py")
        if any(
            inspect.isclass(value)
            and name.startswith("CallApi")
            and value.__module__ == f"airflow_provider_callapi.{kind}.{path.stem}"
            for name, value in vars(
                importlib.import_module(f"airflow_provider_callapi.{kind}.{path.stem}")
            ).items()
        )
    }
    assert public == set(named), "modules with public classes, and modules in provider info"


def test_the_provider_info_names_every_link_of_an_operator():
    package = Path(inspect.getfile(get_provider_info)).parent
    for path in (package / "operators").glob("*.py"):
        importlib.import_module(f"airflow_provider_callapi.operators.{path.stem}")

    links = {f"{link.__module__}.{link.__qualname__}" for link in BaseOperatorLink.__subclasses__()}
    assert {name for name in links if name.startswith("airflow_provider_callapi.")} == set(
        INFO["extra-links"]
    )


def test_the_connection_type_is_that_of_the_hook():
    assert TYPE["connection-type"] == CallApiHook.conn_type
    assert TYPE["hook-name"] == CallApiHook.hook_name
    module, _, name = TYPE["hook-class-name"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is CallApiHook


def test_the_form_shows_exactly_the_fields_that_the_hook_reads_with_its_defaults():
    fields = TYPE["conn-fields"]

    assert set(fields) == set(ExtraFields.model_fields)
    for name, field in fields.items():
        given = {name: field["schema"].get("default")}
        read = ExtraFields.model_validate({key: value for key, value in given.items() if value is not None})
        assert getattr(read, name) == ExtraFields.model_fields[name].default, name
        assert field["description"], name


def test_every_field_of_the_form_may_be_left_empty():
    for name, field in TYPE["conn-fields"].items():
        assert "null" in field["schema"]["type"], name


def test_the_password_is_not_one_of_the_forms_extra_fields():
    """Airflow shows extra fields in plain text; it hides the password field."""
    assert not {name for name in TYPE["conn-fields"] if "password" in name or "key" in name}


def test_airflow_providers_shows_the_provider_and_its_connection_type(airflow_db):
    shown = ("list", "links", "hooks")
    # Airflow 3.0 logs to stdout
    written = stdout_of(
        *(["providers", name, "--output", "json"] for name in shown),
        COLUMNS="400",
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
    )
    providers, links, hooks = map(json.loads, written)

    (mine,) = [row for row in providers if row["package_name"] == "airflow-provider-callapi"]
    assert mine["version"] == importlib.import_module("airflow_provider_callapi").__version__
    assert set(INFO["extra-links"]) <= {row["extra_link_class_name"] for row in links}
    (hook,) = [row for row in hooks if row["connection_type"] == "callapi"]
    assert hook["class"] == "airflow_provider_callapi.hooks.callapi.CallApiHook"
    assert "callapi_conn_id" in hook.values()


KINDS = ("hooks", "operators", "sensors", "triggers")
MODULES_OF_AUTHORS = [
    *(name for kind in KINDS for entry in INFO[kind] for name in entry["python-modules"]),
    *(name.rpartition(".")[0] for name in INFO["notifications"]),
    pytest.param(
        "airflow_provider_callapi.retry_policies",
        marks=pytest.mark.needs_airflow("3.3", "retry policies"),
    ),
]


@pytest.mark.parametrize("name", MODULES_OF_AUTHORS)
def test_every_parameter_is_described_in_the_docstring_of_its_class_or_module(name):
    module = importlib.import_module(name)
    for found in vars(module).values():
        if not inspect.isclass(found) or found.__module__ != name or found.__name__.startswith("_"):
            continue
        described = set(re.findall(r":param (\w+):", f"{found.__doc__}\n{module.__doc__}"))
        assert parameters_of(found) - described == set(), found.__name__


def parameters_of(found: type) -> set[str]:
    """Return the names of the parameters that a class and its bases of this package take."""
    own = [base for base in found.__mro__ if base.__module__.startswith("airflow_provider_callapi.")]
    return {
        parameter.name
        for base in own
        if "__init__" in vars(base)
        for parameter in list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
