"""The manual clock."""

from __future__ import annotations

import pytest


def test_a_manual_clock_does_not_go_back(clock):
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)
