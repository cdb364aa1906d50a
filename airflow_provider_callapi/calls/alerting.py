"""Ringing people one after the other until one answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from airflow_provider_callapi.api.errors import CallApiError, mask_phones
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import Journal, Means, Memory, Unresolved, place


@dataclass
class Alert:
    """The calls of one alert; whoever drives it waits between two of them.

    A person who cannot be rung, or of whose call nobody knows whether it was placed, is followed by
    the next. Only for the last one, with nobody left to ask, is such a call placed once more, after
    the search for it (`placing.place`, ``at_least_once``).

    :ivar people: one request a person, in the order in which they are rung.
    :ivar trouble: told why somebody is not known to have been rung.
    :ivar rung: how many calls are known to have been placed.
    """

    people: Sequence[StartInformerCall]
    means: Means
    appear_timeout: float
    trouble: Callable[[str], None]
    rung: int = field(default=0, init=False)
    _next: int = field(default=0, init=False)

    def ring_next(self) -> Outcome | None:
        """Ring the next person who can be rung; None: there is nobody left."""
        while self.somebody_is_left:
            request = self.people[self._next]
            self._next += 1
            whom = f"person {self._next} of {len(self.people)}, {mask_phones(request.contact)}"
            try:
                call = place(
                    Journal(Memory(), owner=(), generation=0),
                    request,
                    self.means,
                    appear_timeout=self.appear_timeout,
                    delivery="at_most_once" if self.somebody_is_left else "at_least_once",
                )
            except (CallApiError, Unresolved) as error:
                self.trouble(f"{whom}, is not known to have been rung: {error}")
                continue
            self.rung += 1
            self.means.log(f"{whom}: call session {call.call_session_id}")
            return call
        return None

    @property
    def somebody_is_left(self) -> bool:
        """Whether there is somebody to be rung after this one."""
        return self._next < len(self.people)
