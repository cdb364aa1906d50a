"""A do-not-call list that combines the account's blacklist with a list of the author."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Exclusions:
    """Whom a campaign must not call.

    :ivar rows: a list of rows, the path of a file, or a query. None: the author has no list.
    :ivar blacklist: whether the numbers on the account's blacklist are excluded, too.
    """

    rows: Any = field(default=None, repr=False)
    blacklist: bool = False
