"""The base class of the entries of ``list.calls``.

An answer can contain ten thousand entries. So the fast library `msgspec` reads an answer that has exactly the
documented shape. In any other answer, it reads each entry that has the documented shape, apart from
additional fields. The slower library `pydantic` reads the other entries: it converts values, and finds the
fields that cannot be read. Both libraries create objects of the same classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MemberDescriptorType
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

from msgspec import UNSET, Struct, ValidationError, convert, structs
from pydantic import BaseModel, ConfigDict, create_model
from pydantic_core import CoreSchema, core_schema, to_jsonable_python

from airflow_provider_callapi.api.values.private_repr import Private, RichRepr, shown

NOT_SENT: Any = UNSET
"""The default of a field that an entry may lack. The attribute then reads as the value in ``if_not_sent``."""


class _Extra(dict[str, Any]):
    """The fields of an entry that the entry's class does not declare: field name → value."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


class ListEntry(RichRepr, Private, Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Base class of the entries of ``list.calls``.

    An entry has some methods of a pydantic model, e.g. ``model_dump``. An entry must never contain itself,
    because Python's garbage collector ignores entries (``gc=False``).

    :ivar model_extra: the fields of the entry that the class does not declare.
    :cvar if_not_sent: field name → the field's value if the service omits the field. An omitted field
        that is not in this dict is None.
    """

    if_not_sent: ClassVar[Mapping[str, Any]] = {}

    # `msgspec` cannot read this type, so it refuses an entry with a field named `model_extra`.
    # With the type `dict`, it would store that field here.
    model_extra: _Extra = _Extra()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if isinstance(member, MemberDescriptorType):
                setattr(cls, name, _attribute(member, cls.if_not_sent.get(name)))

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> Self:
        """Return the entry that a JSON object describes, even if the object differs from the documentation.

        If a value has another type than documented, the method converts the value, provided that the
        conversion loses no information.

        :param values: the JSON object of the entry.
        :raises pydantic.ValidationError: the value of a field cannot be read, or a required field is missing.
        """
        try:
            return _read_exactly(cls, values)
        except (ValidationError, UnicodeEncodeError):  # msgspec refuses half of a character
            return _read_leniently(cls, values)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that the answer contains for this entry and that could be read."""
        sent = {name for name, value in structs.asdict(self).items() if value is not UNSET}
        return (sent - {"model_extra"}) | self.model_extra.keys()

    def model_dump(self, *, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
        """Return the entry as a dict.

        :param mode: ``python``: the values stay as they are in the entry, e.g. tuples. ``json``: the values
            become plain JSON: a tuple becomes a list, and ``NaN`` becomes None.
        """
        dumped = {name: _dumped(value) for name, value in self._items()}
        return to_jsonable_python(dumped, inf_nan_mode="null") if mode == "json" else dumped

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return a copy of the entry with new values in some fields.

        :param update: field → new value.
        """
        return structs.replace(self, **update)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, shown(name, value)) for name, value in self._items()]

    def _items(self) -> list[tuple[str, Any]]:
        names = [name for name in self.__struct_fields__ if name != "model_extra"]
        return [*((name, getattr(self, name)) for name in names), *self.model_extra.items()]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Return the pydantic schema for a model's field whose type is this class of entries.

        The field accepts only objects of this class. ``model_dump`` of the model returns them as dicts.
        """
        dump = core_schema.plain_serializer_function_ser_schema(lambda entry: entry.model_dump())
        return core_schema.is_instance_schema(cls, serialization=dump)


E = TypeVar("E", bound=ListEntry)


def _read_exactly(entry_type: type[E], values: Any) -> E:
    """Read an entry whose declared fields have exactly the documented types.

    The entry may have additional fields, and its legs and tags, too.

    :raises msgspec.ValidationError: a declared field has another type, or a required field is missing.
    """
    declared, lists = _declared_fields(entry_type)
    if not isinstance(values, dict):
        raise ValidationError
    sent = {name: value for name, value in values.items() if name in declared}
    for name, inner_type in lists.items():
        if isinstance(inner := sent.get(name), list):
            sent[name] = tuple(_read_exactly(inner_type, each) for each in inner)
    entry = convert(sent, entry_type)
    if len(sent) == len(values):
        return entry
    extra = _Extra({name: value for name, value in values.items() if name not in declared})
    return structs.replace(entry, model_extra=extra)


@cache
def _declared_fields(entry_type: type[ListEntry]) -> tuple[frozenset[str], dict[str, type[ListEntry]]]:
    """Return the names of an entry's fields, and a dict of those that contain a list.

    The dict maps the name of a field to the type of the list's entries.
    """
    names = frozenset(entry_type.__struct_fields__) - {"model_extra"}
    hints = get_type_hints(entry_type)
    return names, {name: get_args(hints[name])[0] for name in names if get_origin(hints[name]) is tuple}


def _read_leniently(entry_type: type[E], values: Mapping[str, Any]) -> E:
    """Read an entry in any shape, see `ListEntry.model_validate`."""
    read = _lenient_reader(entry_type).model_validate(values)
    extra = _Extra(read.model_extra or {})
    sent = {name: getattr(read, name) for name in read.model_fields_set - extra.keys()}
    return entry_type(**sent, model_extra=extra)


def _attribute(member: MemberDescriptorType, if_not_sent: Any) -> property:
    """Return a property that reads a field of an entry.

    If the service omitted the field, the value is ``if_not_sent``.
    """
    read = member.__get__

    def value_of(entry: ListEntry) -> Any:
        value = read(entry)
        return if_not_sent if value is UNSET else value

    return property(value_of)


@cache
def _lenient_reader(entry_type: type[ListEntry]) -> type[BaseModel]:
    """Return a pydantic model that has the fields of an entry class, and accepts additional fields."""
    hints = get_type_hints(entry_type, include_extras=True)
    fields: dict[str, Any] = {
        field.name: (hints[field.name], ... if field.required else None)
        for field in structs.fields(entry_type)
        if field.name != "model_extra"
    }
    config = ConfigDict(extra="allow", hide_input_in_errors=True)
    return create_model(entry_type.__name__, __config__=config, **fields)


def _dumped(value: Any) -> Any:
    if isinstance(value, ListEntry):
        return value.model_dump()
    return tuple(map(_dumped, value)) if isinstance(value, tuple) else value
