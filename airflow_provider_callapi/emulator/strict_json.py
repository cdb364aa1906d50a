"""Read a JSON text into a pydantic model.

If the text or a field is wrong, the error message names the field and the problem in one line.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from airflow_provider_callapi.api.values.value_kinds import problem_text

ModelT = TypeVar("ModelT", bound=BaseModel)

_UNKNOWN_FIELD = ("extra_forbidden", "unexpected_keyword_argument")


def parse_json(model: type[ModelT], text: str | bytes) -> ModelT:
    """Parse a JSON text into an object of a pydantic model.

    :param model: the class of the object. It defines which fields the JSON must and may contain.
    :param text: the JSON. Some editors write a byte order mark before it, which does not count.
    :raises ValueError: the text is not JSON, or a field is missing, wrong or unknown. The error message names
        the field and the problem in one line.
    """
    try:
        return model.model_validate_json(text if isinstance(text, str) else text.removeprefix(BOM_UTF8))
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in detail["loc"])
    problem = problem_text(detail)
    if detail["type"] in _UNKNOWN_FIELD:
        similar = get_close_matches(field, model.model_fields, n=1)
        problem = "there is no such field" + (f"; {similar[0]} is similar" if similar else "")
    raise ValueError(f"{field or 'the JSON'}: {problem}")
