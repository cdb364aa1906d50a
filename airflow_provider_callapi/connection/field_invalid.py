"""The error about one field of an Airflow connection of type ``callapi``."""

from __future__ import annotations


class FieldInvalid(ValueError):
    """A field of the Airflow connection is invalid.

    :ivar field: ``host``, ``port``, ``password``, ``extra``, or a field of the extra, e.g. ``extra.timeout``.
    :ivar problem: what is wrong, and what the field must contain. ``problem`` never contains the field's
        value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
