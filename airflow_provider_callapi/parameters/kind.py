"""What a kind of parameters is, and functions that make kinds. A kind checks and converts a value.

Templates, YAML files and forms give texts. A kind therefore also reads texts: ``"60"`` becomes 60 seconds,
and ``"false"`` becomes False. A kind never guesses: a parameter that is true or false allows the texts
``true`` and ``false``, and refuses ``"yes"``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.api.values.value_kinds import shown_word
from airflow_provider_callapi.api.values.value_parts import InvalidPart, WrongValue, invalid_part, shown_key

LONGEST_SECONDS = 366 * 86_400.0
"""The longest duration in seconds. Longer durations are typing errors, and overflow Airflow's own times."""
_LARGEST_COUNT = 1_000_000
_LONGEST_NUMERAL = 40
"""The largest number of characters of a text that is read as a number."""


@dataclass(frozen=True)
class Kind:
    """The kind of a parameter: which values are allowed, and how a value is converted.

    :ivar allowed: the allowed values in words, for error messages.
    :ivar read: a function that converts the parameter's value. It raises an error, such as ValueError, if the
        value is not allowed. A `WrongValue` says why.
    :ivar optional: True: the value None is allowed, and stays None. False: ``read`` decides about None.
    """

    allowed: str
    read: Callable[[Any], Any]
    optional: bool = False

    def read_named(self, name: str, value: Any) -> Any:
        """Check and convert a value that has a name. Return the converted value.

        :param name: the name of a parameter, or the key of the value in a dict.
        :raises InvalidPart: the value is not allowed. The error begins with ``name``. It does not contain the
            value, except for a short word from a fixed set, a weekday or the name of a time zone.
        """
        if value is None and self.optional:
            return None
        try:
            return self.read(value)
        except InvalidPart as error:
            raise InvalidPart(f"{name}.{error}") from None
        except WrongValue as error:
            raise invalid_part(name, self.allowed, value, str(error)) from None
        except (ValueError, TypeError, OverflowError):
            raise invalid_part(name, self.allowed, value) from None

    def or_none(self, meaning: str) -> Kind:
        """Return a copy of this kind that also allows the value None.

        :param meaning: what None means, e.g. "no limit". Error messages contain the meaning.
        """
        return replace(self, allowed=f"{self.allowed}, or None ({meaning})", optional=True)


def seconds(*, at_least: float = 0.0, zero: bool = False, at_most: float = LONGEST_SECONDS) -> Kind:
    """Return the kind (check and conversion) of parameters that are durations.

    The kind converts a number, a text or a timedelta to seconds: ``"7.5"`` becomes 7.5.

    :param at_least: the shortest allowed duration in seconds. With the default 0, every duration above 0 is
        allowed.
    :param zero: True: the duration 0 is allowed, too, if ``at_least`` is 0.
    :param at_most: the longest allowed duration in seconds, 366 days by default.
    """

    def read(value: Any) -> float:
        duration = value.total_seconds() if isinstance(value, timedelta) else read_number(value)
        if not at_least <= duration <= at_most or (duration == 0 and not zero):
            raise ValueError
        return duration

    shortest = f"at least {at_least:g}" if at_least else "from 0" if zero else "more than 0"
    return Kind(f"a number of seconds ({shortest}, at most {at_most:.0f}) or a timedelta", read)


def count(*, at_least: int = 1, at_most: int = _LARGEST_COUNT) -> Kind:
    """Return a `Kind` that allows whole numbers from ``at_least`` to ``at_most``.

    The `Kind` converts a number or a text to an int: ``"60"`` and 60.0 become 60.
    """

    def read(value: Any) -> int:
        number = read_number(value)
        if not at_least <= number <= at_most or number != int(number):
            raise ValueError
        return int(number)

    return Kind(f"a whole number from {at_least} to {at_most}", read)


def share(*, below_one: bool = False) -> Kind:
    """Return a `Kind` that allows numbers from 0 to 1, such as 0.2.

    :param below_one: True: the number must be less than 1. False: 1 is allowed, too.
    """

    def read(value: Any) -> float:
        number = read_number(value)
        if not 0 <= number <= 1 or (below_one and number == 1):
            raise ValueError
        return number

    return Kind(f"a share from 0 to {'less than ' if below_one else ''}1, such as 0.2", read)


def choice(values: Collection[str]) -> Kind:
    """Return a `Kind` that allows only some texts, and does not change them.

    :param values: the allowed texts, e.g. ``("at_most_once", "at_least_once")`` for ``delivery``.
    """

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise no_such_word(value)
        return value

    return Kind(f"one of {', '.join(values)}", read)


def no_such_word(value: Any) -> ValueError:
    """Return the error for a value that is no word of a fixed set. The error shows a short word."""
    word = shown_word(value)
    return WrongValue(f"the value is {word}") if word else ValueError()


def read_mapping(value: Any) -> Mapping[Any, Any]:
    """Check that a value is a dict, and return it unchanged.

    :raises ValueError: the value is no dict.
    """
    if not isinstance(value, Mapping):
        raise ValueError
    return value


def mapping_of(kind: Kind) -> Kind:
    """Return a `Kind` that allows only dicts, and checks and converts each value in the dict.

    :param kind: checks and converts the values. The keys are not checked.
    """

    def read(value: Any) -> dict[Any, Any]:
        return {
            name: kind.read_named(shown_key(name, number), inner)
            for number, (name, inner) in enumerate(read_mapping(value).items(), start=1)
        }

    return Kind(f"a dict whose values are {kind.allowed}", read)


def read_each(value: Any, kind: Kind) -> list[Any]:
    """Check and convert one value, or each entry of a list. Return the converted values as a list.

    :param value: a value, or a list, tuple or set of values.
    :param kind: checks and converts one value.
    :raises InvalidPart: an entry is not allowed. The error names the position of the entry: ``(entry 2)``.
    :raises ValueError: the value is not allowed, and is no list.
    """
    if not isinstance(value, Collection) or isinstance(value, str | Mapping | bytes | bytearray):
        return [kind.read(value)]
    return [kind.read_named(f"(entry {number})", inner) for number, inner in enumerate(value, start=1)]


def read_number(value: Any) -> float:
    """Convert an int, a float or a text to a float, e.g. ``"60"`` to 60.0.

    :raises ValueError: the value is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str) and (len(value) > _LONGEST_NUMERAL or "_" in value):
        raise ValueError
    try:
        number = float(value)
    except OverflowError:  # an int may be too large for a float
        raise ValueError from None
    if math.isnan(number):  # infinity is allowed
        raise ValueError
    return number
