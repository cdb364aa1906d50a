"""The rule that metrics, lineage and trace spans never stop a task, and that their failures leave a trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)


@contextmanager
def never_fails(what: str) -> Iterator[None]:
    """Return a context manager that logs an error of its block at debug level, and does not raise the error.

    The log line contains the traceback. The end of the process, such as ``SystemExit``, is no such error.

    :param what: what the block reports, for the log line, e.g. ``the metric callapi.calls``. No phone number.
    """
    try:
        yield
    except Exception:
        _log.debug("Continuing without %s, because it cannot be reported", what, exc_info=True)
