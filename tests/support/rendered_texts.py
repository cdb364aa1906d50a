"""The text of an informer call after Airflow has rendered its templates."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, VNUMBER

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

NATIVE = pytest.mark.parametrize("native", [False, True])


def rendered(text: str, params: dict[str, Any], *, native: bool, **dag: Any) -> Any:
    """Return the text of an informer call's message after its templates are rendered."""
    with DAG("dag", render_template_as_native_obj=native, **dag):
        operator = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message={"type": "tts", "value": text},
        )
    operator.render_template_fields({"params": params})
    return operator.contact_message["value"]
