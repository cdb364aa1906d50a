"""Send a control request that must not be repeated.

For example, the request rings a phone or plays a sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import SessionRequest
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.calls.single_call.request_journal import MaybeCarriedOut, RequestJournal
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.exceptions import CallUnresolved, translate_errors
from airflow_provider_callapi.operators._requests import explained
from airflow_provider_callapi.task_context.facts import TaskFacts

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook


def send_once(request: SessionRequest, facts: TaskFacts, hook: CallApiHook) -> Done:
    """Send a control request that must not be carried out twice. Return the answer.

    :raises CallUnresolved: this or an earlier try has sent the request, and the answer is not known.
    """
    name = f"{request.method}, call session {request.call_session_id}"
    # The first try after a clear by a user is no retry, and sends the request.
    is_retry = facts.try_number > facts.cleared_after + 1
    # Without task state (Airflow 3.3+), a retry cannot know what an earlier try has sent.
    if facts.state is None and is_retry:
        raise CallUnresolved(_text(f"{name}: an earlier try may have sent the request"))
    journal = RequestJournal(facts.state or MemoryStore(), facts.clears)
    with translate_errors():
        try:
            with explained(request):
                return journal.send_once(request, lambda before: hook.call(request, before_each_send=before))
        except MaybeCarriedOut:
            raise CallUnresolved(_text(f"{name}: an earlier try ended before it got an answer")) from None
        except CallApiError as error:
            if not error.maybe_done:
                raise
            raise CallUnresolved(_text(str(error))) from error


def _text(cause: str) -> str:
    return (
        f"{cause}. The request may have been carried out. The task does not repeat it: a repeat could carry "
        "it out twice. Check the call in the account. To send the request again, clear this task; otherwise, "
        "mark this task as success"
    )
