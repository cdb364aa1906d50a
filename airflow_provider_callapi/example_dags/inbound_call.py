"""### Tag an inbound call before an employee answers it

```
asset inbound_calls ← watcher          who → tag (once per call)
```

The triggerer polls the active calls every five seconds. A new inbound call becomes an event of the asset,
and the event starts this DAG. The task `who` searches for the caller among the customers. If the caller is
a customer, the task `tag` tags the call with the kind of the customer. The employee sees the tag.

Several calls that arrive together can start one run. `triggering_asset_events` then contains an event for
each call, and the run tags each call. The run ignores a call that has already ended.

The event contains no phone number, because every Airflow user can read events. The task `who` runs in the
worker and asks the service for the number, by the session id. The task returns only session ids and tags.

The watcher runs while this DAG is not paused. Needs the connection `callapi_default` and the component
*call management* of the account.
"""

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.call_control import CallApiTagCallOperator
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

CUSTOMERS = {"79161234567": "key account", "79160000008": "owes money"}
"""Phone number → kind. Replace this with your CRM."""
TAGS = {"key account": 254, "owes money": 36}
"""Kind → the id of a tag in the account."""

# --8<-- [start:watcher]
inbound_calls = Asset(
    "inbound_calls",
    watchers=[
        AssetWatcher(name="started", trigger=CallApiEventTrigger(events="started", direction="in")),
    ],
)
# --8<-- [end:watcher]

# --8<-- [start:run]
with DAG("callapi_inbound_call", schedule=[inbound_calls], doc_md=__doc__, tags=["callapi"]) as dag:

    @task
    def who(triggering_asset_events: dict) -> list[dict[str, int]]:
        """Return the calls to tag, with the tag of each call."""
        payloads = [event.extra["payload"] for events in triggering_asset_events.values() for event in events]
        with CallApiHook() as hook:
            active = {session.call_session_id: session for session in hook.call(ListCalls(direction="in"))}
        sessions = [active[call["call_session_id"]] for call in payloads if call["call_session_id"] in active]
        known = {session.call_session_id: CUSTOMERS.get(session.contact_phone_number) for session in sessions}
        return [{"call_session_id": call, "tag_id": TAGS[kind]} for call, kind in known.items() if kind]

    CallApiTagCallOperator.partial(task_id="tag").expand_kwargs(who())
# --8<-- [end:run]
