"""The TaskFlow decorators ``@task.callapi_informer`` and ``@task.callapi_campaign``.

In a DAG file, both decorators are attributes of Airflow's ``task``. A DAG author can also import them from
this module. A code editor then shows the types of all parameters, which the file ``callapi.pyi`` states.
"""

from __future__ import annotations

from typing import Any


def callapi_informer(python_callable: Any = None, **kwargs: Any) -> Any:
    """Decorate a function: the task calls a contact and speaks the text that the function returns.

    :param python_callable: the function under ``@callapi_informer``. None: the author writes the decorator
        with parameters, ``@callapi_informer(…)``, so the result is a decorator.
    :param kwargs: the parameters of `CallApiStartInformerCallOperator`, except ``contact_message``.
    """
    from airflow_provider_callapi.decorators._decorated_operators import (  # noqa: PLC0415 - parse time
        InformerFunctionOperator,
    )
    from airflow_provider_callapi.decorators._task_decorator import decorate  # noqa: PLC0415

    return decorate(python_callable, InformerFunctionOperator, kwargs)


def callapi_campaign(python_callable: Any = None, **kwargs: Any) -> Any:
    """Decorate a function: the task calls each person on the contact list that the function returns.

    :param python_callable: the function under ``@callapi_campaign``. None: the author writes the decorator
        with parameters, ``@callapi_campaign(…)``, so the result is a decorator.
    :param kwargs: the parameters of `CallApiCampaignOperator`, except ``contacts``.
    """
    from airflow_provider_callapi.decorators._decorated_operators import (  # noqa: PLC0415 - parse time
        CampaignFunctionOperator,
    )
    from airflow_provider_callapi.decorators._task_decorator import decorate  # noqa: PLC0415

    return decorate(python_callable, CampaignFunctionOperator, kwargs)
