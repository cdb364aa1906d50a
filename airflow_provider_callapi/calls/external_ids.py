"""Compares the external ids of calls, and recognises those that this package has made.

An ``external_id`` is a text that a start request gives its call. The service shows it in ``list.calls`` and
in the Data API's reports, under two names.
"""

from __future__ import annotations

import re

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession

_OWN_ID = re.compile(r"af(c|-alert)?-[0-9a-f]{24,32}-\d+(-\d+)?")
"""Matches an ``external_id`` that this package made for a task, a campaign or an alert."""
_ID_USED_ONCE = re.compile(r"af(-[0-9a-f]{32}|c-[0-9a-f]{24})-\d+")
"""Matches an ``external_id`` that this package made for one attempt of a task or of a campaign."""
_SHORTEST_CUT = 16
"""The least number of characters to which a service may cut an ``external_id``."""


def is_own_id(external_id: str) -> bool:
    """Return whether this package made an ``external_id``, such as ``af-<32 hexadecimal digits>-1``.

    False: the author of a DAG chose the id, and may use the id for several tasks.
    """
    return _OWN_ID.fullmatch(external_id) is not None


def is_used_once(external_id: str) -> bool:
    """Return whether this package made an ``external_id`` for one attempt of a task or of a campaign.

    False: several calls may have the id. For example, two alerts about one DAG run have the same id.
    """
    return _ID_USED_ONCE.fullmatch(external_id) is not None


def shown_external_id(found: CallSession | CallReport) -> tuple[str | None, str]:
    """Return a pair: a call's ``external_id``, or None if it has none, and the name of the field.

    Active calls and reports name this field differently.
    """
    if isinstance(found, CallSession):
        return found.external_id, "external_id"
    return found.call_api_external_id, "call_api_external_id"


def is_same_id(shown: str, external_id: str) -> bool:
    """Return whether the id that a service shows for a call is an ``external_id``, perhaps spelt otherwise.

    :param shown: the id that the service shows. A service may show an empty text for no id.
    """
    return bool(shown.strip()) and folded(shown) == folded(external_id)


def has_another_id(found: CallSession | CallReport, external_id: str | None) -> bool:
    """Return whether a service shows another ``external_id`` for a call than the call should have.

    Such a call is another one, although it has the session id of the call. For example, a wrong account's
    Data API may use the same session ids. The first characters of the call's ``external_id`` are no other
    id, because a service may cut a long id.

    :param external_id: the id that the call should have. None: it is not known.
    """
    shown, _ = shown_external_id(found)
    if external_id is None or shown is None or not shown.strip():
        return False
    return not is_same_id(shown, external_id) and not _is_cut(shown, external_id)


def _is_cut(shown: str, external_id: str) -> bool:
    return len(shown.strip()) >= _SHORTEST_CUT and folded(external_id).startswith(folded(shown))


def folded(external_id: str) -> str:
    """Return an ``external_id`` in the form in which two spellings of one id are equal.

    Examples: ``AF-7`` becomes ``af-7``, ``007`` becomes ``7``, and ``00`` becomes ``0``.
    """
    text = external_id.strip().casefold()
    return text.lstrip("0") or "0" if text.isdigit() else text  # an empty text is no id
