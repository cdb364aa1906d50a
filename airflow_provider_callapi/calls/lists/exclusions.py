"""A do-not-call list that combines the account's blacklist with a list of the author."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Exclusions:
    """Whom a campaign must not call.

    :ivar rows: the author's do-not-call list: a list of rows, the path of a file, or a query. None: the
        author has no do-not-call list.
    :ivar blacklist: True: the campaign does not call the numbers on the account's blacklist either.
    """

    rows: Any = field(default=None, repr=False)
    blacklist: bool = False
