"""The pages of the documentation, in English and in Russian, and their parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUSSIAN = "ru/"
"""The folder of the Russian pages. The translation of ``x.md`` is ``ru/x.md``."""
PAGES = {page.relative_to(DOCS).as_posix(): page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md"))}
"""Path below docs/ → text."""
READMES = {name: ROOT.joinpath(name).read_text("utf-8") for name in ("README.md", "README_ru.md")}
README = READMES["README.md"]


def in_each_language(page: str) -> pytest.MarkDecorator:
    """Run a test with ``page`` and with its translation."""
    return pytest.mark.parametrize("page", [page, RUSSIAN + page])


def original(page: str) -> str:
    """Return the path of the English page."""
    return page.removeprefix(RUSSIAN)


def block(text: str, name: str) -> str:
    """Return the code block after ``<!-- test: name -->``."""
    found = re.search(rf"<!-- test: {name} -->\n(?:<!-- [^\n]+ -->\n)?```\w*\n(.*?)```", text, re.DOTALL)
    assert found, f"no block {name}"
    return found[1]


def tables(page: str) -> list[list[list[str]]]:
    """Return all tables of a page: rows without the head row, cells without backquotes."""
    found = re.findall(r"^(?:\|.*\n)+", PAGES[page] + "\n", re.MULTILINE)
    return [
        [
            [cell.strip().replace("`", "") for cell in line.strip("|").split(" |")]
            for line in lines.splitlines()[2:]
        ]
        for lines in found
    ]


def table(page: str, head: str) -> list[list[str]]:
    """Return the rows of the table whose first head cell in the English page is ``head``."""
    heads = re.findall(r"(?:^|\n\n)(\|.*)\n\|-", PAGES[original(page)])
    return tables(page)[[line.strip("|").split("|")[0].strip() for line in heads].index(head)]


def without_words(drawn: str) -> str:
    """Return a drawn tree without what it explains: the lines of the tree and the names."""
    return "\n".join(re.sub(r"^([├└│─ ]*\w*).*", r"\1", line) for line in drawn.splitlines())
