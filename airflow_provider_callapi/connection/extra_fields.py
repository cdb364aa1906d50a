"""Read the extra of an Airflow connection of type ``callapi``: a JSON object with fields such as ``timeout``.

An unknown field has no effect. But if its name looks like a misspelt name of a known field, it is an error.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from airflow_provider_callapi.api.values.value_kinds import problem_text
from airflow_provider_callapi.calls.iana_zones import is_iana_zone
from airflow_provider_callapi.connection.field_invalid import FieldInvalid

_FORM_PREFIX = "extra__callapi__"
"""The prefix that older Airflow versions give to the names of a form's own fields."""
_NEAR = 0.75
"""The smallest similarity (0 to 1) at which an unknown name counts as a misspelt name of a field."""
_OTHER_NAMES = {
    "tz": "timezone",
    "zone": "timezone",
    "ssl": "verify",
    "sslverify": "verify",
    "verifyssl": "verify",
    "ca": "verify",
    "cabundle": "verify",
    "usedataapi": "data_api",
    "dataapienabled": "data_api",
    "dataapiurl": "data_api_host",
    "version": "api_version",
    "readtimeout": "timeout",
    "requesttimeout": "timeout",
}
"""Other usual name of a field, in lower case and without signs → the field."""
_LONGEST_TIMEOUT = 86_400
"""The longest time limit of one request in seconds. Sockets cannot count much longer times."""
_ENTER = {
    "timeout": f"enter a number of seconds, more than 0 and at most {_LONGEST_TIMEOUT}, e.g. 30",
    "data_api": "enter true or false",
    "allow_http": "enter true or false",
}
"""Field of the extra that is no text → what to enter."""


class ExtraFields(BaseModel):
    """The fields in the extra (a JSON object) of an Airflow connection, such as ``{"timeout": 30}``."""

    # Not strict: forms and URIs store all values as text, such as ``"30"`` and ``"true"``.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_version: str = "v4.0"
    timeout: float = Field(30.0, gt=0, le=_LONGEST_TIMEOUT, allow_inf_nan=False)
    timezone: str | None = None
    data_api: bool = False
    data_api_host: str | None = None
    verify: bool | str = True
    allow_http: bool = False

    @field_validator("timeout", mode="before")
    @classmethod
    def _refuse_flag(cls, value: Any) -> Any:
        if isinstance(value, bool):  # pydantic would read true as one second
            raise ValueError(_ENTER["timeout"])
        return value

    @field_validator("verify", mode="before")
    @classmethod
    def _parse_verify(cls, value: Any) -> bool | str:
        text = str(value).strip().lower()
        if text in ("true", "1", "false"):  # 0 must not switch the verification off: only the word false does
            return text != "false"
        if not isinstance(value, str):
            raise ValueError("enter true, or the path of a file")
        return value

    @field_validator("verify")
    @classmethod
    def _check_readable(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not os.access(value, os.R_OK):
            raise ValueError(
                "this machine has no such file, or may not read it; enter true, or the path of a file"
            )
        return value

    @field_validator("api_version")
    @classmethod
    def _check_version(cls, value: str) -> str:
        if not re.fullmatch(r"v\d+\.\d+", value, re.ASCII):
            raise ValueError("enter a version, e.g. v4.0")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str | None) -> str | None:
        if value is not None and not is_iana_zone(value):
            raise ValueError("enter an IANA zone, e.g. Europe/Moscow")
        return value


def read_extra(extra: str | None) -> ExtraFields:
    """Return the fields in the extra of an Airflow connection.

    :param extra: a JSON object as text. None: all fields have their defaults.
    :raises FieldInvalid: the extra is no JSON object, a field is invalid, or a name is probably misspelt.
    """
    try:
        values = json.loads(extra or "{}")
    except (ValueError, RecursionError):  # RecursionError: brackets nested too deeply
        values = None
    if not isinstance(values, dict):
        raise FieldInvalid("extra", "enter a JSON object")
    # a name without the prefix counts more than the same name with the prefix
    names = sorted(values, key=lambda name: not name.startswith(_FORM_PREFIX))
    fields = {
        name.removeprefix(_FORM_PREFIX): values[name] for name in names if values[name] not in (None, "")
    }
    for name in fields.keys() - ExtraFields.model_fields.keys():
        if any(map(_closest_field, _names_inside(fields[name]))):
            raise FieldInvalid(f"extra.{name}", "enter these fields directly in extra, not in an object")
        if meant := _closest_field(name):
            raise FieldInvalid(f"extra.{name}", f"there is no such field; did you mean {meant}?")
    try:
        return ExtraFields.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    is_own_check = first["type"] == "value_error"
    raise FieldInvalid(
        f"extra.{name}", problem_text(first) if is_own_check else _ENTER.get(name, "enter a text")
    )


def _names_inside(value: Any) -> list[str]:
    """Return the names of the fields of a JSON object, given as a dict or as text.

    Any other value gives an empty list.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return re.findall(r'"(\w+)"\s*:', value)
    return list(value) if isinstance(value, dict) else []


def _closest_field(name: str) -> str | None:
    """Return the field of the connection that a name probably means, e.g. ``timezone`` for ``tz``.

    None: no field is similar.
    """
    name = name.removeprefix(_FORM_PREFIX)
    if other := _OTHER_NAMES.get(_fold(name)):
        return other
    known = {_fold(field): field for field in ExtraFields.model_fields}
    found = difflib.get_close_matches(_fold(name), known, n=1, cutoff=_NEAR)
    # account_timezone means timezone, and enable_data_api means data_api
    found += [field for field in sorted(known, key=len, reverse=True) if field in _fold(name)]
    return known[found[0]] if found else None


def _fold(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())
