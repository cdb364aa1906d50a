"""Compares the external ids of calls, and recognises those that this package has made.

An ``external_id`` is a text that a start request gives its call. The service shows it in ``list.calls`` and
in the Data API's reports, under two names.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import TypeGuard

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.texts.empty_values import says_nothing

_OWN_PREFIX = re.compile(r"af(c|-alert)?-")
_OWN_ID = re.compile(_OWN_PREFIX.pattern + r"[0-9a-f]{24,32}-\d+(-\d+)?")
"""Matches an ``external_id`` that this package made for a task, a campaign or an alert."""
_ID_USED_ONCE = re.compile(r"af(-[0-9a-f]{32}|c-[0-9a-f]{24})-\d+")
"""Matches an ``external_id`` that this package made for one attempt of a task or of a campaign."""
_NO_ID = re.compile(r"[\W_]*|0+|empty|false|нет", re.IGNORECASE)
"""Matches what a service may show for a call without an ``external_id``, beside words such as ``null``."""
_SHORTEST_CUT = 6
"""The least number of characters behind the prefix to which a service may cut an id of this package."""


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


def is_shown(external_id: str | None) -> TypeGuard[str]:
    """Return whether a service shows an ``external_id`` for a call.

    None, a blank text and a placeholder such as ``null``, ``0`` or ``-`` mean that the call has no id, or
    that the service does not show the id.
    """
    return external_id is not None and not _is_no_id(external_id)


@lru_cache(maxsize=16_384)  # each poll may show the same thousands of ids
def _is_no_id(text: str) -> bool:
    return says_nothing(text) or _NO_ID.fullmatch(text.strip()) is not None


def is_same_id(shown: str, external_id: str) -> bool:
    """Return whether the id that a service shows for a call is an ``external_id``, perhaps spelt otherwise.

    :param shown: the id that the service shows. A service may show an empty text for no id.
    """
    return bool(shown.strip()) and _folded(shown) == _folded(external_id)


def has_id(found: CallSession | CallReport, external_id: str) -> bool:
    """Return whether a service shows an ``external_id`` for a call, perhaps spelt otherwise or cut.

    Only an id that this package made counts as cut, with at least six characters behind its prefix: the ids
    ``order-1`` and ``order-12`` of an author belong to two calls.
    """
    shown, _ = shown_external_id(found)
    if shown is None:
        return False
    return is_same_id(shown, external_id) or _is_cut(_folded(shown), _folded(external_id))


def _is_cut(shown: str, external_id: str) -> bool:
    if not external_id.startswith(shown):  # first, because a poll may show thousands of ids
        return False
    is_long = search_key(shown) == search_key(external_id)
    return is_long and is_own_id(external_id) and not is_own_id(shown)


def has_another_id(found: CallSession | CallReport, external_id: str | None) -> bool:
    """Return whether a service shows another ``external_id`` for a call than the call should have.

    Such a call is another one, although it has the session id of the call. For example, a wrong account's
    Data API may use the same session ids. An id that differs only in signs, such as ``A B-7`` and ``a_b 7``,
    may be the same id.

    :param external_id: the id that the call should have. None: it is not known.
    """
    shown, _ = shown_external_id(found)
    if external_id is None or not is_shown(shown):
        return False
    return not has_id(found, external_id) and not _may_be_respelt(shown, external_id)


def _may_be_respelt(shown: str, external_id: str) -> bool:
    """Return whether a service may show an id in another form: ``A&amp;B 7`` for ``A&B-7``."""
    letters = _letters(shown)
    return bool(letters) and letters == _letters(external_id)


@lru_cache(maxsize=16_384)
def _letters(external_id: str) -> str:
    plain = unicodedata.normalize("NFKD", html.unescape(external_id)).casefold()
    return "".join(filter(str.isalnum, plain))


def is_anothers_call(session: CallSession, external_id: str | None) -> bool:
    """Return whether an active call certainly belongs to another task, campaign or alert.

    The call has another ``external_id`` that this package made. Any other text may be the call's own id: a
    service may show an id in another form than it was sent.

    :param external_id: the id that the call should have. None: it is not known.
    """
    shown = (session.external_id or "").strip()
    return is_own_id(shown) and has_another_id(session, external_id)


def search_key(external_id: str) -> str:
    """Return a text that is equal for an ``external_id`` and for each text that may show it, see `has_id`.

    The ids of several calls can have the same key, so `has_id` must decide.
    """
    text = _folded(external_id)
    prefix = _OWN_PREFIX.match(text)
    return text[: prefix.end() + _SHORTEST_CUT] if prefix else text


@lru_cache(maxsize=16_384)
def _folded(external_id: str) -> str:
    """Return an ``external_id`` in the form in which two spellings of one id are equal.

    Examples: ``AF-7`` becomes ``af-7``, ``007`` becomes ``7``, and ``00`` becomes ``0``.
    """
    text = external_id.strip().casefold()
    return text.lstrip("0") or "0" if text.isdigit() else text  # an empty text is no id
