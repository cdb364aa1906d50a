"""Draw docstrings and sentences of the documentation at random, for a reader who has not seen the code.

The reader marks each text as clear at first reading or not. The goals are 47 of 50 docstrings and 28 of 30
sentences. A docstring stands below its signature, as ``help()`` shows it. A sentence stands in its paragraph
or list item, between ``»`` and ``«``, and a list item follows the sentence that introduces the list.

Usage: ``python benchmarks/reading.py [SEED]``
"""

from __future__ import annotations

import ast
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "airflow_provider_callapi"
DOCSTRINGS, SENTENCES = 50, 30
_SENTENCE_ENDS = re.compile(r"(?<=[.?])\s+(?=[A-ZА-ЯЁ`*])|(?<=:)\s+(?=[A-ZА-ЯЁ*])")
"""What separates two sentences. A list of code names after a colon belongs to its sentence."""


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield each module, class and function of the package: its qualified name, and its docstring.

    The docstring of a function stands below the function's parameters and return type.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "__init__.py" or "example_dags" in path.parts:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, node in _definitions(ast.parse(path.read_text()), module):
            if text := ast.get_docstring(node):
                yield name, _signature(node) + text


def _signature(node: ast.AST) -> str:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(node.args)}){returned}\n"


def _definitions(
    node: ast.AST, name: str
) -> Iterator[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield name, node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _definitions(child, f"{name}.{child.name}")


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the page with its heading, and a paragraph or list item in which one sentence is marked.

    Each sentence of the documentation's paragraphs and lists is marked once.
    """
    for path in [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        heading = introduction = ""
        for lines in re.split(r"\n\s*\n|\n(?=[-*#|] ?|\d+\. )", text):
            block = " ".join(lines.split())
            if block.startswith("#"):
                heading = re.sub(r"\{#.*\}", "", block).strip("# ")
            elif block and block[0] not in "|<:!{[":
                item = re.sub(r"^([-*]|\d+\.) ", "", block)
                parts = _SENTENCE_ENDS.split(item)
                if item == block:
                    introduction = parts[-1] + " " if block.endswith(":") else ""
                for index, sentence in enumerate(parts):
                    if len(sentence.split()) > 3:
                        marked = [*parts[:index], f"»{sentence}«", *parts[index + 1 :]]
                        before = "" if item == block else introduction
                        yield f"{path.relative_to(ROOT)} — {heading}", before + " ".join(marked)


def main() -> None:
    chance = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 13)
    for title, drawn in (
        ("Docstrings", chance.sample(list(docstrings()), DOCSTRINGS)),
        ("Sentences", chance.sample(list(sentences()), SENTENCES)),
    ):
        print(f"# {title}\n")
        for number, (where, text) in enumerate(drawn, start=1):
            print(f"{number}. [{where}]\n{text}\n")


if __name__ == "__main__":
    main()
