"""The package as it is installed: names that are promised, layers, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, entry_points, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import airflow_provider_callapi

PACKAGE = Path(airflow_provider_callapi.__file__).parent
REPO = PACKAGE.parent
MODULES = sorted(
    info.name for info in pkgutil.walk_packages([str(PACKAGE)], prefix="airflow_provider_callapi.")
)

PROMISED = {
    "hooks.callapi": ["CallApiHook"],
    "operators.start_call": [
        "CallApiStartEmployeeCallOperator",
        "CallApiStartScenarioCallOperator",
        "CallApiStartVnumberCallOperator",
        "CallApiStartInformerCallOperator",
        "CallApiStartSimpleCallOperator",
    ],
    "operators.call_control": [
        "CallApiTagCallOperator",
        "CallApiReleaseCallOperator",
        "CallApiHoldCallOperator",
        "CallApiUnholdCallOperator",
        "CallApiMakeCallOperator",
        "CallApiTransferTalkOperator",
        "CallApiRestoreTalkOperator",
        "CallApiAddCoachOperator",
        "CallApiRecordCallOperator",
        "CallApiDisconnectLegOperator",
        "CallApiSendDtmfOperator",
        "CallApiBlockContactOperator",
        "CallApiCallTalkOptionOperator",
        "CallApiListCallsOperator",
        "CallApiListTalkOptionsOperator",
    ],
    "operators.branch": ["CallApiBranchOperator"],
    "operators.calls_report": ["CallApiCallsReportOperator"],
    "operators.campaign": ["CallApiCampaignOperator"],
    "notifications.callapi": ["CallApiNotifier"],
    "retry_policies": ["CallApiRetryPolicy"],
    "triggers.call_events": ["CallApiEventTrigger"],
    "sensors.call_session": ["CallApiSessionSensor"],
    "triggers.call_session": ["CallApiSessionTrigger"],
    "emulator": ["Emulator", "Exchange", "Script", "Fault", "ManualClock"],
}
"""Module → the public names that users import. To rename one of them breaks the users' DAG files."""


def modules(names):
    """As parameters, with what needs a newer Airflow marked."""
    needs = {"retry_policies": pytest.mark.needs_airflow("3.3", "retry policies")}
    return [
        pytest.param(name, marks=needs.get(name.removeprefix("airflow_provider_callapi."), ()))
        for name in names
    ]


@pytest.mark.parametrize("module", modules(PROMISED))
def test_every_promised_name_exists_and_is_documented(module):
    found = importlib.import_module(f"airflow_provider_callapi.{module}")

    for name in PROMISED[module]:
        assert getattr(found, name).__doc__, name


@pytest.mark.parametrize("module", modules(name for name in MODULES if not name.endswith("__main__")))
def test_every_module_can_be_imported_and_has_a_docstring(module):
    assert importlib.import_module(module).__doc__


def test_the_version_is_the_same_in_the_metadata_the_package_and_the_changelog():
    assert version("airflow-provider-callapi") == airflow_provider_callapi.__version__
    assert f"## {airflow_provider_callapi.__version__}" in re.sub(
        r"[\[\]]", "", (REPO / "CHANGELOG.md").read_text()
    )


def test_the_package_is_marked_as_typed():
    assert (PACKAGE / "py.typed").exists()


def test_the_pytest_plugin_is_an_entry_point():
    names = {point.name: point.value for point in entry_points(group="pytest11")}

    assert names["callapi"] == "airflow_provider_callapi.emulator.pytest_plugin"


def declared(*extras: str) -> set[str]:
    """The distributions that pyproject.toml names: those of the package, or those of its extras."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["optional-dependencies"][extra] for extra in extras] or [project["dependencies"]]
    return {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}


def imported_modules(file: Path) -> set[str]:
    """The modules that a file imports, anywhere in it; of ``from a import b`` it returns a.b."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    own = (*sys.stdlib_module_names, PACKAGE.name)
    return {name for name in names if name.partition(".")[0] not in own}


@pytest.fixture(scope="module")
def distribution_of():
    """Find the distribution that brings a module: the one with the longest matching path."""
    owners = {}
    for distribution in distributions():
        owner = canonicalize_name(distribution.name)  # each look at the name parses the metadata
        for file in distribution.files or ():
            if file.suffix in {".py", ".so"}:
                folder = file.parent if file.name.startswith("__init__.") else file.with_suffix("")
                owners[folder.as_posix().partition(".")[0]] = owner

    def find(module):
        parts = module.split(".")
        paths = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((owners[path] for path in paths if path in owners), f"nothing brings {module}")

    return find


def test_every_imported_distribution_is_declared_and_every_declared_one_is_imported(distribution_of):
    files = [file for file in PACKAGE.rglob("*.py") if "example_dags" not in file.parts]
    assert len(files) > 50
    needed, needed_by_emulator = set(), set()
    for file in files:
        distributions_of_file = {distribution_of(module) for module in imported_modules(file)}
        if file.name == "pytest_plugin.py":  # pytest loads it
            distributions_of_file.remove("pytest")
        (needed_by_emulator if "emulator" in file.parts else needed).update(distributions_of_file)

    assert needed >= declared("excel", "holidays", "parquet")
    needed -= declared("excel", "holidays", "parquet")
    assert needed | needed_by_emulator - declared("emulator") == declared() - {"apache-airflow"}
    assert needed_by_emulator - declared() == declared("emulator")


def test_the_repository_has_one_address():
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    files = [*REPO.glob("*.md"), *REPO.glob("*.toml"), *REPO.glob(".github/**/*.yml")]
    found = {
        address
        for file in files
        for address in re.findall(
            r"https://github\.com/[\w-]+/airflow-provider-[\w-]+", file.read_text("utf-8")
        )
    }

    assert found == {project["urls"]["Source"]}


def imported_by(code: str) -> set[str]:
    names = "{'requests', 'starlette', 'uvicorn', 'pytest', 'airflow', 'airflow.models', 'sqlalchemy'}"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*({names} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_pytest_plugin_costs_users_no_imports():
    assert imported_by("import airflow_provider_callapi.emulator.pytest_plugin") <= {"pytest"}


def test_the_packages_api_and_calls_import_no_airflow():
    assert "airflow" not in imported_by(
        "import airflow_provider_callapi.api.client, airflow_provider_callapi.calls.single_call.placing, "
        "airflow_provider_callapi.calls.watching.watch, airflow_provider_callapi.calls.watching.shared_poll"
    )


@pytest.fixture(scope="module")
def loaded_by_a_dag_file() -> set[str]:
    """The modules that a DAG file with all kinds of classes loads, apart from what Airflow itself loads."""
    code = """
import sys
import airflow.sdk
from airflow.providers.common.compat.sdk import BaseNotifier, Variable, conf

before = set(sys.modules)  # Airflow 3.0 loads phonenumbers itself
from airflow_provider_callapi.notifications import callapi
from airflow_provider_callapi.operators import call_control, campaign, start_call
from airflow_provider_callapi.sensors import call_session
from airflow_provider_callapi.triggers import call_events

call = {
    "method": "start.vnumber_call",
    "virtual_phone_number": "{{ contact.line }}",
    "first_call": "contact",
}
campaign.CallApiCampaignOperator(task_id="a", call=call, contacts=[], calling_days="workdays")
print(*(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_parsing_a_dag_file_imports_no_http_client(loaded_by_a_dag_file):
    """Airflow parses a DAG file again and again, and only its tasks need the HTTP client."""
    clients = {"hooks.callapi", "api.jsonrpc", "api.client", "triggers.call_session"}

    assert "airflow_provider_callapi.calls.watching.events" in loaded_by_a_dag_file
    assert not loaded_by_a_dag_file & {"requests", *(f"airflow_provider_callapi.{name}" for name in clients)}


def test_parsing_a_dag_file_loads_neither_numbering_plans_nor_holidays(loaded_by_a_dag_file):
    assert "airflow_provider_callapi.operators.campaign" in loaded_by_a_dag_file
    assert not loaded_by_a_dag_file & {"phonenumbers", "holidays"}


def test_arrows_between_the_layers_point_down():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout
