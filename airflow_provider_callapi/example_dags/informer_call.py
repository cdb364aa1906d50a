"""### Say a text to somebody over the telephone

Press *Trigger*, fill in the form, and the call is placed: no code needed. The task waits for the
end of the call in the triggerer and returns what is known of it: `answered`, `answered_at`,
`ended_at`, never the phone number.

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
        "contact": Param(
            "79161234567",
            type="string",
            pattern="^[0-9]{10,15}$",
            title="Whom to call",
            description="Digits only, the country code first, no +.",
        ),
        "text": Param(
            "Здравствуйте! Ваш заказ готов, ждём вас до восьми вечера.",
            type="string",
            format="multiline",
            minLength=1,
            title="What to say",
            description="Is spoken by the exchange when the call is answered.",
        ),
        "virtual_phone_number": Param(
            "74993720692",
            type="string",
            pattern="^[0-9]{10,15}$",
            title="Number shown",
            description="One of the account's virtual numbers; no 800 number.",
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
