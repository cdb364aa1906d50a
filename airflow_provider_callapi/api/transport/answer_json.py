"""Two readers for the body of an answer: a fast reader for the documented shape, and a reader for any JSON.

The fast reader is strict: it accepts only an answer that has exactly the documented shape. If the fast reader
accepts an answer, both readers return the same values.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from airflow_provider_callapi.api.values.lone_surrogates import replace_lone_surrogates

D = TypeVar("D")
_NULL = msgspec.Raw(b"null")
_NUL = b"\\u0000"
"""The character NUL in JSON."""
_NUL_IN_TEXT = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The character NUL in the text of JSON, with the pairs of backslashes before it: a pair is one backslash."""


class _Result(msgspec.Struct, Generic[D], forbid_unknown_fields=True):
    data: D
    metadata: msgspec.Raw = _NULL


class _Envelope(msgspec.Struct, Generic[D], forbid_unknown_fields=True):
    id: str
    result: _Result[D]
    jsonrpc: str = ""
    metadata: msgspec.Raw = _NULL


def load_exact_envelope(content: bytes, data_type: Any) -> dict[str, Any] | None:
    """Read an answer quickly, if it has exactly the documented shape.

    :param content: the body of the answer.
    :param data_type: the documented type of ``result.data``, e.g. ``list[CallSession]``.
    :return: a dict with the keys ``id``, ``result`` and ``metadata``. ``result["data"]`` has the type
        ``data_type``. None: the answer has another shape. Use `load_json` to read it.
    """
    if _NUL in content:
        return None
    try:
        envelope = _decoder(data_type).decode(content)
        result = {"data": envelope.result.data, "metadata": load_json(bytes(envelope.result.metadata))}
        return {"id": envelope.id, "result": result, "metadata": load_json(bytes(envelope.metadata))}
    except (msgspec.MsgspecError, ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None


@cache
def _decoder(data_type: Any) -> msgspec.json.Decoder[_Envelope[Any]]:
    return msgspec.json.Decoder(_Envelope[data_type])


def load_json(content: bytes, *, unique_names: bool = False) -> Any:
    """Return the JSON value in the body of an answer.

    A lone surrogate, such as ``\\ud800``, becomes U+FFFD, because other libraries refuse a text that contains
    a lone surrogate. The character NUL becomes U+FFFD, too, because PostgreSQL refuses it.

    :param unique_names: True: refuse an object with two values of one name. False: the last value counts.
    :raises ValueError: the body is not JSON, or an object has two values of one name.
    :raises RecursionError: the body is nested too deeply.
    """
    encoding, is_valid = json.detect_encoding(content), True
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text, is_valid = content.decode(encoding, "surrogatepass"), False
    body = json.loads(text, object_pairs_hook=_with_unique_names if unique_names else None)
    if is_valid and "\\ud" not in text.lower() and "\\u0000" not in text:
        return body
    text = replace_lone_surrogates(json.dumps(body, ensure_ascii=False))
    return json.loads(_NUL_IN_TEXT.sub("\\1\ufffd", text))


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object has two values of one name")
    return values
