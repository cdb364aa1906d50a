"""Tells the classes of this package from those of an author, among the base classes of an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from inspect import Parameter, signature

_PACKAGE = __name__.partition(".")[0]


def is_of_package(owner: type) -> bool:
    """Return whether a class belongs to this package. False: it is a class of an author, or of Airflow."""
    return owner.__module__.partition(".")[0] == _PACKAGE


def fields_of_package(operator_type: type) -> Sequence[str]:
    """Return the template fields of the nearest class of this package among a class and its base classes.

    An author's subclass may add template fields of its own, or leave out some.
    """
    ours = next(filter(is_of_package, operator_type.__mro__))
    fields: Sequence[str] = ours.template_fields  # type: ignore[attr-defined]
    return fields


def parameters_of_package(owner: type) -> Mapping[str, Parameter]:
    """Return the parameters of the constructors of this package's classes: name → parameter.

    :param owner: a class of this package, or an author's subclass of it.
    """
    return parameters_of(tuple(filter(is_of_package, owner.__mro__)))


@lru_cache(maxsize=64)  # the operators of a DAG file have few classes
def parameters_of(classes: tuple[type, ...]) -> Mapping[str, Parameter]:
    """Return the parameters of the classes' own constructors: name → parameter. The first class counts."""
    parameters: dict[str, Parameter] = {}
    for each in classes:
        if "__init__" in vars(each):
            for name, parameter in signature(vars(each)["__init__"]).parameters.items():
                if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                    parameters.setdefault(name, parameter)
    return parameters
