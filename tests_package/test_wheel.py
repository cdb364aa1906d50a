"""Tests of the wheel as a user installs it: in a fresh environment outside the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
PACKAGE = REPO / "airflow_provider_callapi"
INSTALLING = 900.0
"""The seconds that an installation may take. Airflow is large."""
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AIRFLOW", "PYTHON", "VIRTUAL_ENV"))
}

IMPORT_ALL = """
import importlib, pkgutil, airflow_provider_callapi as package
for module in pkgutil.walk_packages(package.__path__, "airflow_provider_callapi."):
    if module.name.endswith(("__main__", "pytest_plugin")):  # the plugin needs pytest, not installed here
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        if "needs Airflow 3.3 or newer" not in str(error):
            raise
print(package.__file__)
"""


def run(*command, cwd, timeout=120.0):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=CLEAN | {"AIRFLOW_HOME": str(cwd)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="session")
def wheel():
    """Return the only wheel in dist/. ``make package`` builds it."""
    (built,) = REPO.glob("dist/*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel, tmp_path_factory, request):
    """Create an environment that contains only the wheel and its dependencies in the pinned versions."""
    pins = request.config.getoption("--pins")
    folder = tmp_path_factory.mktemp("fresh")
    assert REPO not in folder.parents
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    install = ("pip", "install", "--quiet", "--constraint", pins, f"{wheel}[emulator]")
    run(folder / "venv/bin/python", "-m", *install, cwd=folder, timeout=INSTALLING)
    return folder / "venv"


def test_the_wheel_contains_exactly_the_files_of_the_package(wheel):
    kept = {
        file.relative_to(REPO).as_posix()
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert files == kept
    assert files >= {
        f"airflow_provider_callapi/{name}"
        for name in ("py.typed", "example_dags/.airflowignore", "example_dags/informer_call.py")
    }


@pytest.mark.timeout(INSTALLING)
def test_every_module_imports_with_the_declared_dependencies(environment, tmp_path):
    imported = run(environment / "bin/python", "-c", IMPORT_ALL, cwd=tmp_path)

    assert imported.splitlines()[-1].startswith(str(environment))
    assert "No broken requirements" in run(environment / "bin/python", "-m", "pip", "check", cwd=tmp_path)


@pytest.mark.timeout(INSTALLING)
def test_airflow_finds_the_provider(environment, tmp_path):
    found = run(environment / "bin/airflow", "providers", "list", "--output", "plain", cwd=tmp_path)

    assert "airflow-provider-callapi" in found


@pytest.mark.timeout(INSTALLING)
def test_the_readmes_commands_and_dag_work(environment):
    """Run ``tests/dags/test_readme.py`` with the commands of the fresh environment."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/dags/test_readme.py"],
        cwd=REPO,
        env=CLEAN | {"CALLAPI_README_COMMANDS": str(environment / "bin")},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout
