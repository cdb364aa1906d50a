"""What a request is: its method, its parameters, its answer, and whether a client may send it twice.

The module `api.methods` defines the requests of the Call API. The modules `api.data_api` and `api.account`
define those of the Data API.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum, StrEnum
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from airflow_provider_callapi.api.entries import Entries, Model, read_entries
from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.values.plain_problems import plain_problem
from airflow_provider_callapi.api.values.private_repr import PrivateRepr

R = TypeVar("R", covariant=True)
"""The type of a request's answer."""
M = TypeVar("M", bound=Model)
"""The type of the entries of an answer that is a list."""


class Repeat(Enum):
    """What happens if a client sends the same request to the service a second time."""

    SAFE = "changes nothing"
    IDEMPOTENT = "ends in the same state; the service answers that the request is already done"
    NEVER = "may ring a phone, play a sound or undo the first request"


class Component(StrEnum):
    """A part of the Call API that an account can have or lack.

    The values are the Russian component names that the account's settings show.
    """

    BASE = "Call API Базовый набор"
    MANAGEMENT = "Call API Управление вызовами"
    INFORMER = "Call API Информационный вызов"
    SCENARIO = "Call API Вызов сценария"


class Parameters(PrivateRepr):
    """Base class of requests and of the objects in requests.

    An instance is immutable. Types are strict, and unknown fields are errors.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        coerce_numbers_to_str=True,  # has an effect only in `from_values`, which is not strict
        hide_input_in_errors=True,
        populate_by_name=True,
    )


class Request(Parameters, Generic[R]):
    """Base class of the requests: one subclass for each method of the service.

    ``R`` is the type of the answer. The client adds the access token.

    :cvar method: the method's name, e.g. ``list.calls``.
    :cvar component: the component (part of the Call API) that the account needs for the method.
    :cvar repeat: what happens if a client sends the request a second time.
    :cvar needs_token: whether the client adds an access token.
    """

    method: ClassVar[str]
    component: ClassVar[Component] = Component.BASE
    repeat: ClassVar[Repeat] = Repeat.NEVER
    already_done_errors: ClassVar[frozenset[str]] = frozenset()
    """The error mnemonics which mean that the requested state already exists, e.g. ``duplicate_tag``."""
    needs_token: ClassVar[bool] = True
    exact_type: ClassVar[Any] = None
    """The documented type of ``result.data`` if an answer may be long. The client then reads it fast."""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Build a request from values that may be text, e.g. from templates, forms or YAML.

        :param values: the fields by name. A field whose value is None is left out.
        :raises InvalidParameters: a value cannot be converted. The error names the first field with an
            invalid value.
        """
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return cls.model_validate(given, strict=False)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
        raise cls._invalid(problem)

    @classmethod
    def check_values(cls, values: Mapping[str, Any], *, unknown: Collection[tuple[str, ...]]) -> None:
        """Check the values of a request before all values are known, e.g. before Airflow renders a template.

        :param values: the known values: field name → value. None counts as not set.
        :param unknown: the paths of the fields whose values are not known yet, such as ``("contact",)`` or
            ``("contact_message", "value")``.
        :raises InvalidParameters: a known value is invalid, or a required field is in neither parameter. The
            error names the first such field.
        """
        given = {name: value for name, value in values.items() if value is not None}
        try:
            cls.model_validate(given, strict=False)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        else:
            return
        for problem in problems:
            # A problem of an object concerns several fields together, and some may not be known.
            if not any(_overlap(path, problem["loc"]) for path in unknown):
                raise cls._invalid(problem)

    @classmethod
    def _invalid(cls, problem: Mapping[str, Any]) -> InvalidParameters:
        """Return the error for one problem that pydantic has found. The error omits the invalid value."""
        field = ".".join(str(part) for part in problem["loc"]) or None
        text = plain_problem(problem)
        return InvalidParameters(f"{field}: {text}" if field else text, method=cls.method, field=field)

    @property
    def params(self) -> dict[str, Any]:
        """The JSON-RPC ``params`` of the request, without ``access_token`` and without unset fields."""
        return self.model_dump(mode="json", exclude_none=True)

    def means_already_done(self, mnemonic: object) -> bool:
        """Return whether an error's mnemonic means that the requested state already exists.

        Example: ``duplicate_tag`` means that the call already has the tag.
        """
        return isinstance(mnemonic, str) and mnemonic in self.already_done_errors

    def convert_answer(self, data: Any) -> R:
        """Convert ``result.data`` of the answer to this request to the answer type of the request class.

        By default, `read_answer` converts the answer. A class overrides this method if the conversion depends
        on the values of the request, e.g. on the fields that the request asks for.
        """
        return self.read_answer(data)

    @classmethod
    def data_in(cls, result: Any) -> Any:
        """Return the part of an answer's ``result`` that `convert_answer` converts: ``result.data``."""
        return result.get("data") if isinstance(result, dict) else None

    @classmethod
    def read_answer(cls, data: Any) -> R:
        """Convert ``result.data`` of the service's answer to the answer type of this request class.

        :raises ValueError: the answer differs from the method's documentation. A `pydantic.ValidationError`
            is a ValueError.
        """
        answer: R = _answer_reader(cls).validate_python(data)
        return answer


class ListRequest(Request[Entries[M]], Generic[M]):
    """Base class of the requests whose answer is a list.

    The answer is an `Entries`. An entry that cannot be read is left out and counted.

    :cvar entry_type: the class of the list's entries.
    :cvar decisive_fields: names of fields. If one of these fields is unreadable, the entry is left out.
    :cvar id_field: the name of the field with an entry's id, for `Entries.left_out_ids`.
    """

    entry_type: ClassVar[type[Any]]
    decisive_fields: ClassVar[frozenset[str]] = frozenset()
    id_field: ClassVar[str] = "id"

    @classmethod
    def read_answer(cls, data: Any) -> Entries[M]:
        """Convert ``result.data`` of the service's answer to `Entries`.

        :raises ValueError: the data is neither a list nor an object.
        """
        return read_entries(cls.entry_type, data, decisive=cls.decisive_fields, id_field=cls.id_field)


@cache
def _answer_reader(request_type: type[Request[Any]]) -> TypeAdapter[Any]:
    """Return the pydantic validator for the answers to one class of requests.

    The validator is built at the first use, so that imports stay fast.
    """
    for base in request_type.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
        if arguments:
            (answer,) = arguments
            if isinstance(answer, type) and issubclass(answer, PrivateRepr):
                answer.model_rebuild()  # else the reader ignores the model's hide_input_in_errors
                return TypeAdapter(answer)
            return TypeAdapter(answer, config=ConfigDict(hide_input_in_errors=True))
    raise TypeError(f"{request_type.__name__} has no answer type; derive it from Request[...]")


def _overlap(path: Sequence[object], other: Sequence[object]) -> bool:
    """Return whether one of two paths, such as ``("employee", "id")``, is the beginning of the other."""
    return all(one == another for one, another in zip(path, other, strict=False))
