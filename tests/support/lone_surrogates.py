"""Texts with lone surrogates (halves of characters), as a cut emoji or a file name can leave them."""

from __future__ import annotations

from hypothesis import strategies as st

HALF = "\ud83d"
"""The first half of an emoji, as a program leaves it that cuts a text."""
OF_A_FILE_NAME = b"/data/\xee\xf2.csv".decode("utf-8", "surrogateescape")
"""A file name in Windows-1251, as Python reads it on Linux."""
TEXTS = st.lists(st.text(max_size=9) | st.sampled_from("\ud83d\ude00\udcee"), max_size=5).map("".join)
"""Any text, often with lone surrogates."""
