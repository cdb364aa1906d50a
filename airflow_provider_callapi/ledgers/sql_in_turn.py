"""Claims and stores attempts with several statements in one transaction, in any supported database.

To claim an attempt means to reserve the attempt: to store its intent before the start request is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, is_same_intent, is_taken
from airflow_provider_callapi.databases.attempt_columns import KEY
from airflow_provider_callapi.databases.attempt_rows import attempt_of_row, row_of_attempt
from airflow_provider_callapi.databases.retries import LostRaceError
from airflow_provider_callapi.ledgers.sql_statements import RANG, RECORD, TAKE_OVER, knowledge_index
from airflow_provider_callapi.ledgers.sql_tables import calls, locks, stripe_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LONG_AGO = -float("inf")


def claim_in_turn(
    campaign: str, intents: Sequence[Attempt], min_gap: float | None, db: Connection, *, repeated: bool
) -> list[ClaimResult]:
    """Decide about each intent, and store those intents that the ledger grants.

    :param campaign: the campaign's name.
    :param intents: the intents, in the order of the people's keys.
    :param min_gap: seconds between two calls to a person. None: no minimum.
    :param db: a connection within a transaction.
    :param repeated: True: a failed statement of this process may have stored the intents. If the ledger
        already contains exactly this intent, it is therefore granted. False: an intent that the ledger
        already contains belongs to another process, and is refused.
    :return: one `ClaimResult` for each intent, in the order of ``intents``.
    :raises LostRaceError: another process has changed a row after this function had read the row.
    """
    keys = sorted({intent.person for intent in intents})
    if min_gap is not None:
        _lock(db, keys)
    newest = _newest(db, campaign, keys)
    last_calls = {} if min_gap is None else _last_calls(db, keys)
    claims: list[ClaimResult] = []
    for intent in intents:
        held = newest.get(intent.person)
        not_before = last_calls.get(intent.person, _LONG_AGO) + (min_gap or 0.0)
        if is_taken(held, intent):
            is_own = repeated and held is not None and is_same_intent(held, intent)
            claims.append(ClaimResult(granted=True) if is_own else ClaimResult(granted=False, held=held))
        elif intent.intended_at < not_before:
            claims.append(ClaimResult(granted=False, not_before=not_before))
        else:
            _store(db, campaign, intent, is_again=held is not None and held.attempt == intent.attempt)
            newest[intent.person] = intent
            claims.append(ClaimResult(granted=True))
    return claims


def record_in_turn(campaign: str, attempts: Sequence[Attempt], db: Connection) -> None:
    """Store new versions of attempts in the ledger's call table.

    If a row already contains more knowledge of its attempt than the new version, the row stays unchanged.
    `airflow_provider_callapi.ledgers.sql_statements.record_statement` describes the rules.

    :param campaign: the campaign's name.
    :param attempts: the new versions.
    :param db: a connection within a transaction.
    """
    db.execute(
        RECORD,
        [
            {
                "new_known": knowledge_index(attempt),
                **{f"new_{name}": value for name, value in row_of_attempt(attempt, campaign).items()},
            }
            for attempt in attempts
        ],
    )


def _lock(db: Connection, keys: Iterable[str]) -> None:
    """Lock the rows of the people with these keys in the lock table until the transaction ends.

    Several people share a row. Until the end, other processes cannot reserve attempts to call these people.
    """
    # Only claims with `min_gap` lock people and wait, also those of other campaigns.
    are_theirs = locks.c.stripe.in_(sorted(set(map(stripe_of, keys))))
    # All claims lock in one order. With different orders, two claims could wait for each other: a deadlock.
    db.execute(select(locks.c.stripe).where(are_theirs).order_by(locks.c.stripe).with_for_update()).all()
    # The change shows `claim_batch` that there was a claim. In SQLite, only a write begins a transaction.
    db.execute(update(locks).where(are_theirs).values(locked_by=uuid.uuid4().hex))


def _newest(db: Connection, campaign: str, keys: Sequence[str]) -> dict[str, Attempt]:
    query = select(calls).where(calls.c.campaign == campaign, calls.c.person.in_(keys))
    rows = db.execute(query.order_by(calls.c.person, calls.c.attempt))
    return {attempt.person: attempt for attempt in map(attempt_of_row, rows)}


def _last_calls(db: Connection, keys: Sequence[str]) -> dict[str, float]:
    """Return when each called person was last called in any campaign: key → epoch seconds.

    Calls that rang no phone do not count.
    """
    # The time of a call is the time of its intent.
    query = select(calls.c.person, func.max(calls.c.intended_at)).where(calls.c.person.in_(keys), RANG)
    return {key: float(at) for key, at in db.execute(query.group_by(calls.c.person))}


def _store(db: Connection, campaign: str, intent: Attempt, *, is_again: bool) -> None:
    """Store an intent. With ``is_again``, replace an attempt whose call was not placed.

    :raises LostRaceError: another process has changed the row.
    """
    row = row_of_attempt(intent, campaign)
    if not is_again:
        db.execute(insert(calls).values(row))
    # The intent replaces a stored attempt whose call was not placed.
    elif db.execute(TAKE_OVER.values(row), {f"of_{name}": row[name] for name in KEY}).rowcount != 1:
        raise LostRaceError
