"""The decorators ``@task.callapi_informer`` and ``@task.callapi_campaign``.

Airflow finds the decorators in the object ``task``. An import from this module has the types of all
parameters, which an editor can show.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import task_decorator_factory


def callapi_informer(python_callable: Any = None, **kwargs: Any) -> Any:
    """Make a task that calls a contact and speaks the text that the function returns.

    :param kwargs: the parameters of `CallApiStartInformerCallOperator`, except ``contact_message``.
    """
    from airflow_provider_callapi.decorators._decorated_operators import (  # noqa: PLC0415 - parse time
        InformerFunctionOperator,
    )

    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=InformerFunctionOperator, **kwargs
    )


def callapi_campaign(python_callable: Any = None, **kwargs: Any) -> Any:
    """Make a task that calls each person on the contact list that the function returns.

    :param kwargs: the parameters of `CallApiCampaignOperator`, except ``contacts``.
    """
    from airflow_provider_callapi.decorators._decorated_operators import (  # noqa: PLC0415 - parse time
        CampaignFunctionOperator,
    )

    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=CampaignFunctionOperator, **kwargs
    )
