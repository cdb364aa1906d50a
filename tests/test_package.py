"""The package as it is installed: names that are promised, layers, and what importing it costs."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

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
    "operators.campaign": ["CallApiCampaignOperator"],
    "notifications.callapi": ["CallApiNotifier"],
    "retry_policies": ["CallApiRetryPolicy"],
    "triggers.call_events": ["CallApiEventTrigger"],
    "sensors.call_session": ["CallApiSessionSensor"],
    "triggers.call_session": ["CallApiSessionTrigger"],
    "emulator": ["Emulator", "Exchange", "Script", "Fault", "ManualClock"],
}
"""Section 3 of the design: a promise to users."""


def modules(names):
    """As parameters, with what needs a newer Airflow marked."""
    needs = {"retry_policies": pytest.mark.needs_airflow("3.3", "retry policies")}
    return [
        pytest.param(name, marks=needs.get(name.removeprefix("airflow_provider_callapi."), ()))
        for name in names
    ]


@pytest.mark.parametrize("module", modules(PROMISED))
def test_every_promised_name_is_there_and_documented(module):
    found = importlib.import_module(f"airflow_provider_callapi.{module}")

    for name in PROMISED[module]:
        assert getattr(found, name).__doc__, name


@pytest.mark.parametrize("module", modules(name for name in MODULES if not name.endswith("__main__")))
def test_every_module_imports_and_says_what_it_is_for(module):
    assert importlib.import_module(module).__doc__


def test_the_version_is_one():
    assert version("airflow-provider-callapi") == airflow_provider_callapi.__version__
    assert f"## {airflow_provider_callapi.__version__}" in re.sub(
        r"[\[\]]", "", (REPO / "CHANGELOG.md").read_text()
    )


def test_it_is_marked_as_typed():
    assert (PACKAGE / "py.typed").exists()


def test_the_pytest_plugin_is_an_entry_point():
    names = {point.name: point.value for point in entry_points(group="pytest11")}

    assert names["callapi"] == "airflow_provider_callapi.emulator.pytest_plugin"


def imported_by(code: str) -> set[str]:
    names = "{'requests', 'starlette', 'uvicorn', 'pytest', 'airflow', 'airflow.models', 'sqlalchemy'}"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*({names} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_pytest_plugin_costs_users_no_imports():
    assert imported_by("import airflow_provider_callapi.emulator.pytest_plugin") <= {"pytest"}


def test_the_vendors_services_and_the_life_of_a_call_need_no_airflow():
    assert "airflow" not in imported_by(
        "import airflow_provider_callapi.api.client, airflow_provider_callapi.calls.placing, "
        "airflow_provider_callapi.calls.watch, airflow_provider_callapi.calls.polling"
    )


def test_parsing_a_dag_file_with_operators_imports_no_http_client():
    """A DAG file is parsed over and over; the wire is needed by its tasks only."""
    code = (
        "from airflow_provider_callapi.operators import call_control, start_call;"
        "mine = [n for n in sys.modules if n.startswith('airflow_provider_callapi')];"
        "assert len(mine) > 5, mine; print(*mine)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}"], capture_output=True, text=True, timeout=60, check=True
    )
    mine = set(done.stdout.splitlines()[-1].split())
    heavy = {
        f"airflow_provider_callapi.{name}"
        for name in ("hooks.callapi", "api.jsonrpc", "sensors.call_session", "triggers.call_session")
    }

    assert not mine & heavy


def test_arrows_between_the_layers_point_down():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout
