"""Checks the parameters of an operator as soon as its constructor has ended."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi.api.masking import mask_phones

if TYPE_CHECKING:
    from airflow.sdk.bases.operator import BaseOperatorMeta
else:
    BaseOperatorMeta = type(BaseOperator)


class CheckedOperator(BaseOperatorMeta):
    """Metaclass that calls an operator's method ``check_constants`` as soon as its constructors have ended.

    Airflow shows an error of this method as an error of the DAG file.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - a metaclass
        # A constructor cannot check, because the constructor of a subclass may set attributes later.
        try:
            operator = super().__call__(*args, **kwargs)
        except TypeError as error:
            # Airflow's error shows the values, and a row of `expand_kwargs(rows)` may hold personal data.
            if unknown := _unknown_parameters(cls, kwargs):
                raise TypeError(f"{cls.__name__} has no parameter {', '.join(unknown)}") from None
            if (text := mask_phones(str(error))) != str(error):  # the constructor of a subclass passed it on
                raise TypeError(text) from None
            raise
        operator.check_constants()
        return operator


def _unknown_parameters(operator_type: type, kwargs: Mapping[str, Any]) -> list[str]:
    """Return the names in ``kwargs`` that neither the operator class nor a base class of it takes."""
    known = {
        parameter.name
        for base in operator_type.__mro__
        if "__init__" in vars(base)
        for parameter in signature(vars(base)["__init__"]).parameters.values()
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    return sorted(name for name in kwargs.keys() - known if not name.startswith("_"))
