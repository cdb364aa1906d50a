"""Send a control request that must not be repeated, such as a request that rings a phone or plays a sound.

If the service may have carried out the request, Airflow's retries of the task do not send the request again.
If a user clears the task, the next try sends the request once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import SessionRequest
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.calls.request_journal import MaybeCarriedOut, RequestJournal
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.exceptions import CallUnresolved, translate_errors
from airflow_provider_callapi.task_context import TaskFacts

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook


def send_once(request: SessionRequest[Done], facts: TaskFacts, hook: CallApiHook, *, retries: int) -> Done:
    """Send a control request that must not be carried out twice. Return the answer.

    What a retry of the task does:

    - With task state (Airflow 3.3+): return the stored answer, if there is one, without a request.
    - Without task state: fail without a request.

    After a user has cleared the task, the function sends the request again.

    :param facts: the task's ids, the number of its try, and its task state.
    :param retries: the task's parameter ``retries``.
    :raises CallUnresolved: the service may have carried out the request of this or an earlier try.
    :raises CallApiFailure: the service refuses the request.
    :raises CallApiError: the service has not carried out the request. With task state, a retry sends it
        again.
    """
    name = f"{request.method}, call session {request.call_session_id}"
    is_retry = facts.try_number > facts.max_tries - retries + 1
    if facts.state is None and is_retry:
        raise CallUnresolved(_text(f"{name}: an earlier try may have sent the request"))
    journal = RequestJournal(facts.state or MemoryStore(), facts.max_tries)
    with translate_errors():
        try:
            return journal.send_once(request, lambda: hook.call(request))
        except MaybeCarriedOut:
            raise CallUnresolved(_text(f"{name}: an earlier try ended before it got an answer")) from None
        except CallApiError as error:
            if not error.maybe_done:
                raise
            raise CallUnresolved(_text(str(error))) from error


def _text(cause: str) -> str:
    return (
        f"{cause}. The request may have been carried out. The task does not repeat it: a repeat could carry "
        "it out twice. Check the call in the account, then clear or mark this task"
    )
