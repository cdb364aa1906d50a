"""TLS contexts that the HTTPS connections of a process share.

A TLS context holds the certificates that a connection trusts. Reading the certificates of a CA bundle takes
about ten times as much CPU time as a request.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

from urllib3.util.ssl_ import create_urllib3_context


def shared_tls_context(verify_mode: ssl.VerifyMode, bundle: str | None) -> ssl.SSLContext:
    """Return the TLS context that all connections with the same settings share.

    After the file of the CA bundle has changed, the result is a new context.

    :param verify_mode: ``CERT_REQUIRED``: a connection needs a trusted certificate. ``CERT_NONE``: any
        certificate.
    :param bundle: the path of the CA bundle. None: no bundle, which only fits ``CERT_NONE``.
    :raises OSError: the bundle is missing or unreadable, or contains no certificate.
    """
    return _make_context(verify_mode, bundle, bundle and _file_version(bundle))


def _file_version(path: str) -> tuple[int, int, int]:
    """Return numbers that identify the version of a file. A write or a replacement changes the numbers."""
    status = Path(path).stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=8)
def _make_context(verify_mode: ssl.VerifyMode, bundle: str | None, _version: object) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=verify_mode)
    if bundle:
        context.load_verify_locations(bundle)
    return context
