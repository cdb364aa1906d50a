"""Links from a page to a file of the repository; loaded by mkdocs, see mkdocs.yml.

A code host shows ``--8<--`` instead of the code of an example. Each page therefore links to the file of the
example. The built documentation shows the code and does not contain the file, so this hook keeps only the
text of such a link.
"""

from __future__ import annotations

import re
from typing import Any

_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:airflow_provider_callapi/|README)[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each link to an example or to a README by its text."""
    return _LINK.sub(r"\1", markdown)
