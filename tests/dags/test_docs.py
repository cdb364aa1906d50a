"""The documentation agrees with the code: its rooms, snippets, examples and pictures."""

from __future__ import annotations

import ast
import csv
import json
import os
import posixpath
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from documentation import PAGES, README, ROOT, block, in_each_language, table

from airflow_provider_callapi import provider_info
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytestmark = pytest.mark.usefixtures("hurry")

EXAMPLES = ROOT / "airflow_provider_callapi" / "example_dags"


# --- the rooms ---


def test_every_room_is_in_the_table_with_the_first_line_of_its_docstring():
    package = ROOT / "airflow_provider_callapi"
    rooms = {
        f"{init.parent.relative_to(package)}/": ast.get_docstring(ast.parse(init.read_text("utf-8")))
        for init in package.rglob("__init__.py")
        if init.parent != package
    }

    assert dict(table("contributing.md", "room")) == {
        name: text.splitlines()[0].replace("`", "") for name, text in rooms.items()
    }


def test_every_module_that_the_page_for_contributors_names_exists():
    """A module without a folder is in the folder of the module before it."""
    names = re.findall(r"`([\w/]+\.py)`", PAGES["contributing.md"])
    assert names
    folder = Path()
    for name in names:
        folder = Path(name).parent if "/" in name else folder
        places = (ROOT, ROOT / "airflow_provider_callapi", ROOT / "airflow_provider_callapi" / folder)
        assert any((place / name).is_file() for place in places), name


def test_the_table_of_the_reference_names_the_modules_of_each_page():
    rows = re.findall(r"^\| \[.*\]\((.*)\) \| (.*) \|$", PAGES["reference/index.md"], re.MULTILINE)
    assert rows
    for page, cell in rows:
        shown = re.findall(r"^::: airflow_provider_callapi\.(.*)$", PAGES[f"reference/{page}"], re.MULTILINE)
        modules = re.findall("`(.*?)`", cell)
        assert modules == [name for name in shown if not name.startswith("emulator.")]


def test_every_test_that_the_security_policy_names_exists():
    named = re.findall(r"`([\w/]+/test_\w+\.py)`", (ROOT / "SECURITY.md").read_text("utf-8"))

    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
    assert named


# --- the examples work ---


def test_the_dag_returns_what_the_quick_starts_show(run_dag, exchange):
    exchange.script("79161234567", Script(rings=0.3, talks=10))

    run = run_dag(block(README, "dag"))

    assert run.state == "success"
    call = run.xcoms["remind"]
    assert (call["answered"], call["status"], call["tags"]) == (True, "ended", [36])
    for page in ("quick-start.md", "ru/quick-start.md"):
        shown = json.loads(block(PAGES[page], "result"))
        assert list(shown) == list(call)
        varies = {name for name in call if name.endswith(("_at", "_id"))}
        assert {**shown, **{name: call[name] for name in varies}} == call


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_first_campaign_rehearses_and_calls_as_the_page_says(run_dag, exchange, tmp_path, capsys):
    page = PAGES["operators/first-campaign.md"]
    for name in ("people", "do_not_call"):
        (tmp_path / f"{name}.csv").write_text(block(page, name))
    dag = block(page, "dag").replace("file:///tmp/callapi", tmp_path.as_uri())
    exchange.script("79161234567", Script(rings=0.3, talks=1))

    rehearsal = run_dag(dag)

    assert (rehearsal.state, exchange.calls) == ("success", [])
    log = capsys.readouterr().out
    for line in block(page, "plan").splitlines():
        assert line.replace(" …:", f".{rehearsal.run_id}:") in log

    run = run_dag(dag.replace('("09:00", "21:00")', "None"), conf={"dry_run": False})

    assert run.state == "success"
    assert [call.messages for call in exchange.calls] == [
        {"contact_message": "Hello Anna, you owe 1500 rubles."}
    ]
    (results,) = tmp_path.glob("results-*.csv")
    rows = list(csv.DictReader(results.open(encoding="utf-8-sig"), delimiter=";"))
    assert [row["call_result"] for row in rows] == ["answered", "do_not_call", "invalid"]
    for column, _ in table("operators/first-campaign.md", "column"):
        assert rows[0][column], column


@pytest.mark.timeout(300)
@pytest.mark.example
def test_the_pages_test_with_the_fixture_passes(tmp_path):
    """Run it in a project that contains only the shown files, without the environment of these tests."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "reminder.py").write_text(block(README, "dag"))
    for name, file in (("conftest", "conftest.py"), ("pytest", "test_reminder.py")):
        assert f"`{file}`" in PAGES["emulator.md"]
        (tmp_path / file).write_text(block(PAGES["emulator.md"], name))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path],
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout


@in_each_language("connection.md")
def test_the_connections_on_the_page_give_the_settings_of_the_table(page, monkeypatch):
    shown = re.findall(r"export AIRFLOW_CONN_CALLAPI_DEFAULT='(.*)'", PAGES[page])
    settings = []
    for value in shown:
        monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", value)
        settings.append(CallApiHook().settings)

    key, login = settings
    assert (key.login, key.url) == (None, "https://callapi.comagic.ru/v4.0")
    assert key.data_api_url == "https://dataapi.comagic.ru/v2.0"
    assert (login.login, login.url) == ("login", "https://callapi.uiscom.ru/v4.0")
    assert (login.timezone, login.data_api_url) == ("Asia/Yekaterinburg", None)


@in_each_language("connection.md")
def test_every_field_of_the_form_is_in_the_table_with_its_default(page):
    fields = provider_info.get_provider_info()["connection-types"][0]["conn-fields"]
    rows = {row[0].removeprefix("extra "): row[2] for row in table(page, "field")}

    assert {name for name in rows if name in fields} == set(fields)
    for name, field in fields.items():
        default = field["schema"].get("default")
        assert default is None or rows[name].lower() == str(default).lower(), name


NEEDS_NEWER = {
    "operators/alerts.md": pytest.mark.needs_airflow("3.3", "retry policies and deadlines"),
}


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=NEEDS_NEWER.get(page, ()))
        for page, text in PAGES.items()
        if "```python\n" in text
    ],
)
def test_python_on_a_page_is_a_snippet_or_runs(page, airflow_db):
    for marked, code in re.findall(r"(<!-- test: .*\n)?```python\n(.*?)```", PAGES[page], re.DOTALL):
        if "--8<--" not in code and not marked:  # other tests run the marked blocks
            exec(compile(code, page, "exec"), {"__name__": "docs"})


def test_every_snippet_exists():
    """The build of the documentation checks this as well. This test needs no mkdocs."""
    named = [
        (page, *found) for page in PAGES for found in re.findall(r'--8<-- "([^":]+):?(\w*)"', PAGES[page])
    ]

    assert {path for _, path, _ in named} >= {
        f"{EXAMPLES.relative_to(ROOT)}/{name}.py" for name in ("campaign", "inbound_call")
    }
    for page, path, section in named:
        text = ROOT.joinpath(path).read_text("utf-8")
        assert not section or text.count(f"[start:{section}]") == text.count(f"[end:{section}]") == 1, (
            page,
            path,
        )


def test_a_section_with_a_snippet_links_to_the_file_for_readers_of_the_repository():
    """A code host shows the line of the snippet, and not the code."""
    missing = []
    for page, text in PAGES.items():
        folder = f"docs/{posixpath.dirname(page)}"
        for snippet in re.finditer(r'^--8<-- "([^":]+)', text, re.MULTILINE):
            section = re.split(r"^#+ ", text[: snippet.start()], flags=re.MULTILINE)[-1]
            links = re.findall(r"\]\(([^)#]+)", section)
            if snippet[1] not in {posixpath.normpath(posixpath.join(folder, link)) for link in links}:
                missing.append((page, snippet[1]))

    assert missing == []


@in_each_language("quick-start.md")
def test_every_example_is_on_a_page_and_in_the_list_of_examples(page):
    examples = {path.name for path in EXAMPLES.glob("*.py")}
    listed = {row[0] for row in table(page, "file")} - {"dag_factory/"}
    everywhere = "".join(PAGES.values())

    assert listed == examples
    for name in chain(examples, (f"dag_factory/{path.name}" for path in EXAMPLES.glob("dag_factory/*"))):
        if name.endswith((".py", ".yml")) and name != "dag_factory/start_wait_tag_branch.yml":
            assert f"{EXAMPLES.relative_to(ROOT)}/{name}" in everywhere, f"{name} is shown on no page"


def test_every_picture_is_shown_and_every_shown_picture_exists():
    shown = set(re.findall(r"\]\((?:\.\./)*images/([\w-]+\.png)\)", "".join(PAGES.values())))

    assert shown == {path.name for path in ROOT.glob("docs/images/*.png")}
