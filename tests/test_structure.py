"""The tests mirror the package: one test folder for each package folder, one test file for each module."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "airflow_provider_callapi"

FOLDERS_WITHOUT_A_PACKAGE = {
    "dags": "tests of example_dags/ in an Airflow, of the documentation and of the README",
    "data": "the examples of the vendor's document; no tests",
    "journeys": "tests of several packages together, from a DAG to the emulator",
    "support": "fixtures and fakes that several test folders share; no tests",
}
FILES_WITHOUT_A_MODULE = {
    "test_package.py": "the package as a whole: promised names, imports, entry points",
    "test_structure.py": "the structure of the tests themselves",
}
FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))


def package_folder(file: Path) -> Path:
    """Return the package folder that a test file's folder mirrors."""
    return PACKAGE / file.parent


def has_own_folder(file: Path) -> bool:
    return file.parts[0] not in FOLDERS_WITHOUT_A_PACKAGE


def modules_in(folder: Path) -> set[str]:
    """Return the names of the modules and packages in a folder, without leading underscores."""
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return {name.strip("_") for name in packages | modules | {"__init__"}}


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES if has_own_folder(file)}), ids=str)
def test_every_test_folder_mirrors_a_package(folder: Path) -> None:
    assert (PACKAGE / folder / "__init__.py").is_file(), f"airflow_provider_callapi/{folder}/ does not exist"


@pytest.mark.parametrize("file", filter(has_own_folder, FILES), ids=str)
def test_every_test_file_is_named_after_a_module_of_its_folder(file: Path) -> None:
    if str(file) in FILES_WITHOUT_A_MODULE:
        return
    name = file.stem.removeprefix("test_")
    # Several folders have an errors.py: the name of one of its folders may come first.
    names = {name, *(name.removeprefix(f"{folder.strip('_')}_") for folder in file.parent.parts)}
    modules = modules_in(package_folder(file))

    assert any(f"{name}_".startswith(f"{module}_") for name in names for module in modules), (
        f"tests/{file}: name the file test_<module>.py or test_<module>_<aspect>.py, with a module of "
        f"airflow_provider_callapi/{file.parent}: {', '.join(sorted(modules))}"
    )


def test_every_listed_exception_to_the_structure_exists() -> None:
    assert {name for name in FOLDERS_WITHOUT_A_PACKAGE if not (TESTS / name).is_dir()} == set()
    assert {name for name in FILES_WITHOUT_A_MODULE if not (TESTS / name).is_file()} == set()


def test_the_names_of_test_files_are_unique_because_no_test_folder_is_a_package() -> None:
    names = Counter(path.name for path in TESTS.rglob("*.py") if path.name != "conftest.py")

    assert [name for name, count in names.items() if count > 1] == []
