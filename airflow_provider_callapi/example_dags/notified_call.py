"""### Start a run when the vendor notifies Airflow of a call

The run starts within a second of the notification, without a poll. The page *Notifications* of the
documentation describes how to set up the vendor's cabinet and the secret.

Needs the connection `callapi_default` with the Data API, and Airflow 3.1 or newer.
"""

from airflow.sdk import DAG, Asset, task

from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

# --8<-- [start:dag]
with DAG(
    "callapi_notified_call",
    schedule=[Asset("callapi_notifications")],
    doc_md=__doc__,
    catchup=False,
    tags=["callapi"],
) as dag:

    @task(show_return_value_in_logs=False)  # else Airflow writes the phone numbers into the task's log
    def calls(triggering_asset_events=None):
        """Return the calls that have ended. Several events may start one run."""
        events = [event for events in triggering_asset_events.values() for event in events]
        payloads = [event.extra["payload"] for event in events]
        return [payload for payload in payloads if payload["event"] == "ended"]

    CallApiSessionSensor.partial(task_id="outcome", deferrable=True).expand(call_session_id=calls())
# --8<-- [end:dag]
