"""The record of one task's call, as the task's journal stores it for the next try."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

RECORD_KEY = "callapi_call"
"""The key under which the journal of a task's call stores its record."""


class Stage(StrEnum):
    """How far the call of a task is, as the task's journal stores it.

    - NOTHING: the call was not placed.
    - STARTING: the intent is stored, and the start request may have been sent.
    - STARTED: the service has accepted the call.
    - ENDED: the call has ended. Its tags or its report may still be missing.
    - DONE: the attempt is complete.
    - REDIAL: the contact did not answer, and the next try places a new attempt.
    - UNRESOLVED: the start request got no answer, and the search did not find the call.
    """

    NOTHING = "nothing"
    STARTING = "starting"
    STARTED = "started"
    ENDED = "ended"
    DONE = "done"
    REDIAL = "redial"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Record:
    """The journal's record of one call, as plain JSON without a phone number.

    :ivar fingerprint: a hash that identifies the called person, see `Journal.person_fingerprint`.
    :ivar generation: the task's ``Clears.generation`` when the stage was stored.
    :ivar attempt: the number of the newest attempt; the first is 1.
    :ivar intended_at: when the intent of this attempt was stored, epoch seconds.
    :ivar call: the outcome so far, as `Outcome.to_xcom` returns it. None: no placed call is known.
    :ivar others: session ids of other tasks' calls with the same ``external_id`` and contact. They were
        active before the start request was sent, so none of them is this task's call.
    :ivar missing_since: when the first search for the unconfirmed call ended without finding it, epoch
        seconds. None: no search has ended in this way.
    :ivar retries: the task's ``retries`` in the DAG file when the stage was stored. None: not known.
    :ivar run_clears: how often users had cleared tasks of the DAG run when the stage was stored.
    :ivar connection: id of the Airflow connection of the start request. None: not known.
    :ivar tries_before: how many tries came before the try that stored the stage. None: not known.
    :ivar before: the record of the attempt before, if its call is unresolved and no user has cleared the task
        since. A search for the newest attempt's call also looks for the call of this attempt. None: there is
        no such attempt.
    :ivar earlier: the records of the other people whom the task has called, or may have called.
    """

    stage: Stage
    fingerprint: str
    generation: int
    attempt: int
    external_id: str
    intended_at: float
    call: dict[str, Any] | None = None
    others: tuple[int, ...] = ()
    missing_since: float | None = None
    retries: int | None = None
    run_clears: int = 0
    connection: str | None = None
    tries_before: int | None = None
    before: Record | None = None
    earlier: tuple[Record, ...] = ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Record:
        """Convert the plain JSON that a journal has stored back to a `Record`.

        Unknown fields are ignored: a newer version of this package may have stored the record. If an older
        version must not continue with a record, the newer version gives it a new stage.

        :raises ValueError: the record cannot be read. The text says what a user can do.
        """
        try:
            return cls._read(value)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            stored = value if isinstance(value, dict) else {}
            raise ValueError(
                f"The record of this task's call cannot be read ({type(error).__name__}: {error}): a newer "
                "version of airflow-provider-callapi has stored it, or it is damaged. This try sends no "
                "start request for the call. Install the newer version again, and clear this task. Or search "
                f"the account's calls for external_id {stored.get('external_id')}; if it is not there, start "
                "another DAG run"
            ) from error

    @classmethod
    def _read(cls, value: dict[str, Any]) -> Record:
        known = {each.name: value[each.name] for each in fields(cls) if each.name in value}
        if known.get("call") is not None:
            Outcome.from_xcom(known["call"])  # raises an error if later reads would fail
        others = tuple(value.get("others", ()))
        before = cls._read(value["before"]) if value.get("before") else None
        earlier = tuple(map(cls._read, value.get("earlier", ())))
        converted = {"stage": Stage(value["stage"]), "others": others, "before": before, "earlier": earlier}
        return cls(**{**known, **converted})

    def to_json(self) -> dict[str, Any]:
        """Return this record as plain JSON, which `from_json` reads."""
        own = asdict(replace(self, before=None, earlier=()))
        del own["before"]  # an older version of this package does not know the field
        before = {"before": self.before.to_json()} if self.before else {}
        earlier = [each.to_json() for each in self.earlier]
        return {**own, "others": list(self.others), **before, "earlier": earlier}

    @property
    def of_all_people(self) -> tuple[Record, ...]:
        """The newest record of each person whom the task has called, or may have called."""
        return (*self.earlier, replace(self, earlier=()))

    def without_unplaced_attempt(self) -> Record:
        """Return the record that counts: if the newest attempt was certainly not placed, that of `before`."""
        if self.stage is not Stage.NOTHING or self.before is None:
            return self
        return replace(self.before, earlier=self.earlier)

    @property
    def unconfirmed(self) -> tuple[Record, ...]:
        """The records of the attempts whose calls a search may find, the newest attempt first."""
        return (self, *(self.before.unconfirmed if self.before else ()))

    @property
    def clears(self) -> Clears:
        """The record's ``generation``, ``retries`` and ``run_clears``, as one object.

        With this object, a later try finds out whether a user has cleared the task since the stage was
        stored.
        """
        return Clears(self.generation, self.retries, self.run_clears, self.tries_before)

    def describe_call(self) -> str:
        """Describe the newest attempt's call for an error text, e.g. ``call session 5 was placed``.

        If no placed call is known: ``the call with external_id … may have been placed``.
        """
        if self.call is None:
            return f"the call with external_id {self.external_id} may have been placed"
        return f"call session {self.outcome.call_session_id} was placed"

    @property
    def outcome(self) -> Outcome:
        """The outcome so far of the call in the record. The call must have reached the stage ``started``."""
        assert self.call is not None, f"a call in stage {self.stage} has no session"
        return Outcome.from_xcom(self.call)
