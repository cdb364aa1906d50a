"""A Russian page shows what its English original shows: sections, code, names, figures, tables and links.

These tests find a part that was changed in one language only. The tests of test_docs.py compare the tables of
both languages with the code.
"""

from __future__ import annotations

import importlib.util
import posixpath
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from documentation import DOCS, PAGES, READMES, RUSSIAN, original, without_words

OWN_PAGE = f"{RUSSIAN}index.md"
"""The page with the table of terms: its sections are not those of the English page."""
TRANSLATIONS = [page for page in PAGES if page.startswith(RUSSIAN)]
TEXTS = {page: (PAGES[original(page)], PAGES[page]) for page in TRANSLATIONS if page != OWN_PAGE}
TEXTS["README_ru.md"] = (
    READMES["README.md"].partition("\n## Documentation")[0],
    READMES["README_ru.md"].partition("\n## Документация")[0],
)
"""Russian page → the English and the Russian text. The last sections of the READMEs list other pages."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.*?)(?: \{#([\w-]+)\})?$", re.MULTILINE)

each_translation = pytest.mark.parametrize("page", TEXTS)


def sections(text):
    """Return the sections of a page: its level, its anchor and its text without code blocks."""
    prose = FENCE.sub("", text)
    found = [*HEADING.finditer(prose), None]
    return [
        (
            len(heading[1]),
            heading[3] or re.sub(r"[^\w-]+", "-", heading[2].lower()).strip("-"),
            prose[heading.end() : following.start() if following else None],
        )
        for heading, following in pairwise(found)
    ]


def differences(page, read):
    """Return what ``read`` finds in a section of one language only, for each section."""
    english, russian = (sections(text) for text in TEXTS[page])
    return {
        anchor: difference
        for (_, anchor, here), (_, _, there) in zip(english, russian, strict=True)
        if (difference := set(read(here)) ^ set(read(there)))
    }


def code(text):
    """Return the code blocks without comments and without the words of drawn trees, and the snippets."""
    fences = [
        (language, without_words(lines) if "├" in lines else re.sub(r" +# .*", "", lines))
        for language, lines in FENCE.findall(text)
    ]
    return fences, re.findall(r"^--8<-- .*|<!-- .* -->", text.replace("README_ru", "README"), re.MULTILINE)


def links(page):
    """Return the pages and anchors to which a page leads; a translation counts as its original."""
    folder = posixpath.dirname(page)
    return {
        original(posixpath.normpath(posixpath.join(folder, path)) if path else page).replace("_ru.md", ".md")
        + anchor
        for path, anchor in re.findall(r"\]\(((?!http)[^)#]*)(#?[^)]*)\)", PAGES[page])
    }


@pytest.mark.parametrize("page", TRANSLATIONS)
def test_a_translation_begins_with_a_link_to_its_original(page):
    assert original(page) in PAGES
    path = posixpath.relpath(original(page), posixpath.dirname(page))
    assert (
        PAGES[page].split("\n\n")[1 + PAGES[page].startswith("---")]
        == f"[Эта страница на английском]({path})"
    )


@each_translation
def test_a_translation_has_the_sections_of_its_original_with_the_same_anchors(page):
    english, russian = ([section[:2] for section in sections(text)] for text in TEXTS[page])
    if page == "README_ru.md":  # GitHub makes the anchors from the Russian headings
        english, russian = ([level for level, _ in found] for found in (english, russian))

    assert russian == english


@each_translation
def test_a_translation_has_the_code_of_its_original(page):
    english, russian = (code(text) for text in TEXTS[page])

    assert russian == english


@each_translation
def test_a_translation_has_the_names_in_code_of_its_original(page):
    def names(text):
        return (" ".join(name.split()) for name in re.findall(r"`([^`]+)`", text))

    assert differences(page, names) == {}


@each_translation
def test_a_translation_has_the_figures_of_its_original(page):
    def figures(text):
        return re.findall(r"\d+", re.sub(r"`[^`]+`|\]\([^)]+\)", "", text))

    assert differences(page, figures) == {}


@each_translation
def test_a_translation_has_the_tables_and_lists_of_its_original(page):
    def shape(text):
        return [line.count(" |") for line in re.findall(r"^\|.*\|$|^- ", text, re.MULTILINE)]

    english, russian = ([shape(section) for *_, section in sections(text)] for text in TEXTS[page])
    assert russian == english


@pytest.mark.parametrize("page", [page for page in TRANSLATIONS if page != OWN_PAGE])
def test_a_translation_links_to_the_same_pages_as_its_original(page):
    assert links(page) - {original(page)} == links(original(page))


@pytest.mark.parametrize("page", TRANSLATIONS)
def test_a_translation_links_to_the_russian_page_if_one_exists(page):
    folder = posixpath.dirname(page)
    linked = {
        posixpath.normpath(posixpath.join(folder, path))
        for path in re.findall(r"\]\(([^)#:]+\.md)", PAGES[page])
    }

    assert {path for path in linked if RUSSIAN + path in PAGES} == {original(page)}


# --- the language switch ---


def switched(path):
    """Return the language of a page, and where its switch leads."""
    spec = importlib.util.spec_from_file_location("languages", DOCS / "languages.py")
    languages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(languages)
    page = {each: SimpleNamespace(file=SimpleNamespace(src_uri=each, url=f"<{each}>")) for each in PAGES}
    alternate = [{"lang": "en"}, {"lang": "ru"}]
    config = SimpleNamespace(theme={}, extra={"alternate": alternate})
    languages.on_page_context({}, page=page[path], config=config, nav=SimpleNamespace(pages=page.values()))
    return config.theme["language"], *(each["link"] for each in alternate)


@pytest.mark.parametrize(
    ("page", "language", "english", "russian"),
    [
        ("errors.md", "en", "errors.md", "ru/errors.md"),
        ("ru/operators/lists.md", "ru", "operators/lists.md", "ru/operators/lists.md"),
        ("versions.md", "en", "versions.md", "ru/index.md"),
    ],
)
def test_the_language_switch_leads_to_the_same_page_or_to_the_first_page(page, language, english, russian):
    assert switched(page) == (language, f"<{english}>", f"<{russian}>")
