"""The two languages of the documentation; loaded by mkdocs, see mkdocs.yml.

The Russian translation of the page ``x.md`` is ``ru/x.md``. The theme has one language for the whole site, so
this hook sets the language for each page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page

_FOLDERS = {"en": "", "ru": "ru/"}


def on_page_context(
    context: dict[str, Any], *, page: Page, config: MkDocsConfig, nav: Navigation
) -> dict[str, Any]:
    """Show the theme's texts in the language of the page, and switch to the same page in the other language.

    If a page has no translation, the switch leads to the first page of the other language.
    """
    urls = {each.file.src_uri: each.file.url for each in nav.pages}
    path = page.file.src_uri.removeprefix(_FOLDERS["ru"])
    config.theme["language"] = "en" if path == page.file.src_uri else "ru"
    for language in config.extra["alternate"]:
        folder = _FOLDERS[language["lang"]]
        language["link"] = urls.get(folder + path) or urls[f"{folder}index.md"]
    return context
