"""### Speak a text to a person by telephone

Press *Trigger* and fill in the form. No code is needed. The task waits in the triggerer for the end of the
call. The task returns what is known of the call, for example `answered`, `answered_at` and `ended_at`, but
not the phone number.

Needs the connection `callapi_default` and the component *informer call* of the account.
"""

from airflow.sdk import DAG, Param

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

with DAG(
    "callapi_informer_call",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        # Without a default, a run whose conf misspells `contact` is refused. A pattern would write a wrong
        # number into the log.
        "contact": Param(
            type="string",
            title="Phone number to call",
            description="In any usual spelling. A number of another country than Russia needs its +.",
        ),
        "text": Param(
            "Здравствуйте! Ваш заказ готов, ждём вас до восьми вечера.",
            type="string",
            format="multiline",
            minLength=1,
            title="Text to speak",
            description="The exchange speaks this text when the person answers.",
        ),
        "virtual_phone_number": Param(
            "74993720692",
            type="string",
            pattern="^[0-9]{10,15}$",
            title="Number shown",
            description="One of the account's virtual numbers.",
        ),
    },
) as dag:
    # --8<-- [start:call]
    CallApiStartInformerCallOperator(
        task_id="call",
        virtual_phone_number="{{ params.virtual_phone_number }}",
        contact="{{ params.contact }}",
        contact_message={"type": "tts", "value": "{{ params.text }}"},
        wait_for_completion=True,
        deferrable=True,
    )
    # --8<-- [end:call]
