"""### Somebody calls, and the call is tagged before it is answered

```
asset inbound_calls ← watcher          who → tag (one a call)
```

The triggerer looks at the active calls every five seconds; an inbound call that starts is an event of
the asset, and the event starts this DAG. `who` looks the caller up among the customers, and a known
customer's call is tagged with the customer's kind, for the employee to see.

Calls that come in together may start one run: `triggering_asset_events` holds all of them, and the
run tags each. A call that is over by then is left alone.

The event holds no phone number, since everybody may read it in Airflow: `who` asks for the number in
the worker, by the session id, and hands on nothing but session and tag.

The watcher runs while this DAG is not paused. Needs the connection `callapi_default` and the component
*call management* of the account.
"""

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.call_control import CallApiTagCallOperator
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

CUSTOMERS = {"79161234567": "key account", "79160000008": "owes money"}
"""Phone number → kind. Stands for your CRM."""
TAGS = {"key account": 254, "owes money": 36}
"""Kind → the id of a tag, as set up in the account."""

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
        """The calls to tag, and with what."""
        payloads = [event.extra["payload"] for events in triggering_asset_events.values() for event in events]
        with CallApiHook() as hook:
            active = {session.call_session_id: session for session in hook.call(ListCalls(direction="in"))}
        sessions = [active[call["call_session_id"]] for call in payloads if call["call_session_id"] in active]
        known = {session.call_session_id: CUSTOMERS.get(session.contact_phone_number) for session in sessions}
        return [{"call_session_id": call, "tag_id": TAGS[kind]} for call, kind in known.items() if kind]

    CallApiTagCallOperator.partial(task_id="tag").expand_kwargs(who())
# --8<-- [end:run]
