"""Tells the classes of this package from those of an author, among the base classes of an operator."""

from __future__ import annotations

from collections.abc import Sequence

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
