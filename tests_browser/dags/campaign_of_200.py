"""A campaign of 200 people that a user watches and stops on the page of calls."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

with DAG("campaign_of_200", schedule=None):
    CallApiCampaignOperator(
        task_id="call",
        campaign="spring sale",
        contacts=[{"phone": f"7916100{number:04}"} for number in range(200)],
        call={
            "method": "start.informer_call",
            "virtual_phone_number": "74993720692",
            "contact_message": {"type": "tts", "value": "Hello"},
        },
        calling_hours=None,
        max_active_calls=4,
        poll_interval=2.0,
    )
