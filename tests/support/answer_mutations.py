"""Mutations of the answers that a service sends: the same facts in shapes that the package does not know."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
_NO_FACTS = [0, -1, 10**30, -(10**30)]
JUNK: list[Any] = ["", True, False, [], {}, [None], [[]], {"x": {}}, 1.5, float("nan"), *_NO_FACTS]
"""Values that have no meaning in any field of an answer."""


def paths(value: Any, prefix: Path = ()) -> list[Path]:
    """Return the path of every value inside a JSON value."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    found: list[Path] = []
    for name, inner in items:
        found += [(*prefix, name), *paths(inner, (*prefix, name))]
    return found


def _other_types(value: Any) -> list[Any]:
    """Return the same fact in other JSON types, if the conversion loses no information."""
    if isinstance(value, bool) or value is None or value in _NO_FACTS:
        return []
    if isinstance(value, int):
        return [str(value), float(value), f" {value} "]
    if isinstance(value, str) and value.isdigit():
        return [int(value)]
    return []


@st.composite
def mutated(
    draw: st.DrawFn,
    entries: list[Any],
    *,
    not_null: Collection[str] = (),
    most: int = 4,
) -> Any:
    """Draw a mutated copy of a list of entries. No entry is dropped, and no fact is replaced by another one.

    :param not_null: fields in which ``null`` has a meaning of its own.
    """
    data: Any = copy.deepcopy(entries)
    changed: list[Path] = []
    for _ in range(draw(st.integers(1, most))):
        # In two steps, junk could replace a boolean, and then the other boolean the junk.
        choices = [path for path in paths(data) if not any(path[: len(old)] == old for old in changed)]
        if not choices:
            break
        path = draw(st.sampled_from(choices))
        _mutate(draw, data, path, not_null)
        changed.append(path)
    if len(data) == 1 and isinstance(data[0], dict) and draw(st.booleans()):
        return data[0]
    return data


def _mutate(draw: st.DrawFn, data: Any, path: Path, not_null: Collection[str]) -> None:
    parent, name = data, path[-1]
    for part in path[:-1]:
        parent = parent[part]
    value = parent[name]
    # True, False, 0 and 1 are facts in a field that contains a boolean.
    junk = [each for each in JUNK if not (isinstance(value, bool) and isinstance(each, bool | int))]
    actions: list[Callable[[], None]] = [
        lambda: parent.__setitem__(name, copy.deepcopy(draw(st.sampled_from(junk)))),
        lambda: parent.__setitem__(name, [value]),
        lambda: parent.__setitem__(name, {"value": value}),
    ]
    if others := _other_types(value):
        actions.append(lambda: parent.__setitem__(name, draw(st.sampled_from(others))))
    if isinstance(parent, list):
        actions.append(lambda: parent.append(copy.deepcopy(value)))
    if len(path) > 1:  # an entry that is dropped as a whole leaves no trace
        actions.append(lambda: parent.pop(name))
    if not (set(not_null) & set(map(str, path))):
        actions.append(lambda: parent.__setitem__(name, None))
    draw(st.sampled_from(actions))()
