"""Compiles the Jinja templates in a campaign's parameter ``call``, and fills them in from a person's row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError, meta, nodes

from airflow_provider_callapi.api.values.control_characters import has_control_character
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.api.values.value_kinds import is_template_text, without_enum
from airflow_provider_callapi.calls.campaign.contact_list.row_sandbox import RowSandbox
from airflow_provider_callapi.calls.campaign.contact_list.row_values import (
    EMPTY_CELL_USED,
    RowForTemplates,
    values_for_templates,
)
from airflow_provider_callapi.calls.lists.column_names import (
    fold_name,
    is_name_of_person,
    shown_name,
    value_of,
)
from airflow_provider_callapi.calls.texts.damaged_text import (
    has_codes,
    has_failed_formula,
    has_gap,
    has_machine_time,
    has_nested_text,
    has_rounded_number,
    has_unfilled_field,
    is_damaged,
)
from airflow_provider_callapi.calls.texts.empty_values import is_empty, is_placeholder
from airflow_provider_callapi.calls.texts.inserted_values import (
    CONTROL_CHARACTER,
    FAILED_FORMULA,
    MACHINE_TIME,
    ROUNDED,
    UNFILLED_FIELD,
    exact_value,
    spoken_value,
    written_value,
)
from airflow_provider_callapi.calls.texts.single_braces import PROBLEM, has_single_braces
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

ROW = "contact"
"""The name of the person's row in templates."""
_SPOKEN = "message"
"""How the names of the fields end whose texts a person hears, such as ``contact_message``."""
_CHECKS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        is_damaged,
        "the letters of a value are lost, because a program has read the list in a wrong encoding; export "
        "the list again",
    ),
    (
        has_codes,
        "a value has codes instead of letters, such as &quot;, <b> or \\u0410; export the list again as "
        "plain text",
    ),
    (
        has_nested_text,
        "a value is the text of a list or dict, such as ['Anna']; export its items as columns",
    ),
    (
        has_gap,
        "a value contains a program's word for a missing value, such as nan or None; export an empty text "
        "instead",
    ),
)
"""Checks of a rendered text, and what is wrong if a check says so."""
_CHECKS_OF_SPOKEN = (
    *_CHECKS,
    (has_failed_formula, f"a value contains {FAILED_FORMULA}"),
    (has_unfilled_field, f"a value contains {UNFILLED_FIELD}"),
    (has_rounded_number, f"a value contains {ROUNDED}"),
    (has_machine_time, f"a value contains {MACHINE_TIME}"),
    (has_control_character, f"a value contains {CONTROL_CHARACTER}"),
)
"""The same for a text that a person hears."""

_DATE = r"(?:\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4})(?!\d)"
_PHONE_NUMBER = re.compile(rf"(?<!\d)(?!{_DATE})\d(?:[\s().\-\u2010-\u2015]{{0,3}}\d){{9,14}}(?!\d)")
_MAY_BE_NUMBER = re.compile(r"[0-9][0-9\s().\-\u2010-\u2015]{9}")
"""Matches ten digits or signs of a phone number. This is quick."""
_NO_NAME = "a phone number in place of a person's name; another person must not hear it"
_TEXT_IS_NO_NUMBER = "; if it calculates with a text, write `| float` or `| int` behind the text"
"""What an author can do about an operator that does not fit its values, for error messages."""
TEMPLATE_NAMES = ("params", "ds", "run_id")
"""The names that templates of ``call`` can use beside ``contact``."""
_OF_ANOTHER_TASK = (
    f"Put the results of other tasks into columns of the contact list, and write {ROW}.<column>"
)
"""What an author can do who wants to use the output of another task, for error messages."""


class InvalidRow(ValueError):
    """No call can be made from a row of the contact list.

    The error message names the field, such as ``call.contact``, but contains no value of the row.
    """


@dataclass(frozen=True)
class _PlainText:
    """A template that only inserts columns, such as ``Hello {{ contact.name }}``.

    :ivar pattern: the text with ``%s`` for each column.
    :ivar columns: the names of the columns in order.
    """

    pattern: str
    columns: Sequence[str]

    def fill_in(self, row: Mapping[str, Any]) -> str | None:
        """Return the template's text for a row of the contact list, without Jinja.

        None: only Jinja can render the template, because a column is missing, or a cell contains no text.
        """
        values = []
        for column in self.columns:  # Like Jinja, stop at the first column that has no text.
            try:
                value = value_of(row, column)
            except KeyError:
                return None
            # a number, an empty value, or a text with a behaviour of its own
            if type(value) is not str or is_placeholder(value):
                return None
            values.append(value)
        return self.pattern % tuple(values)


class RowTemplate:
    """A Jinja template that is compiled once and filled in for many people.

    :param environment: the sandbox that compiles the template.
    :param text: the text of the template. It uses the person's row by the name ``contact``.
    :param values: name → value, for the other names that the template can use. They are the same for all
        people.
    :param where: the name of the field that has the template, such as ``call.contact``, for error messages.
    :raises TemplateError: Jinja cannot compile the text.
    """

    def __init__(self, environment: RowSandbox, text: str, values: Mapping[str, Any], where: str) -> None:
        self._jinja = environment.from_string(text)
        self._values = values_for_templates(values)
        self._where = where
        parsed = environment.parse(text)
        self._plain = _plain_text(parsed, values)
        own_text = " ".join(part.data for part in parsed.find_all(nodes.TemplateData))
        is_json = any(each.name == "tojson" for each in parsed.find_all(nodes.Filter))
        self._checks = [
            (check, problem)
            for check, problem in (_CHECKS_OF_SPOKEN if environment.is_spoken else _CHECKS)
            if not check(own_text) and not (check is has_nested_text and is_json)
        ]
        own_names = {node.name for node in parsed.find_all(nodes.Name) if node.ctx == "store"}
        self.names = meta.find_undeclared_variables(parsed) - environment.globals.keys() - own_names
        """The names that the template uses, such as ``contact`` and ``params``."""
        self.uses_row = ROW in self.names
        """Whether the template uses the person's row. If not, its text is the same for every person."""
        self.columns = frozenset(map(fold_name, _columns_in(parsed)))
        """The columns that the template can use, and perhaps further names, as `fold_name` returns them."""
        names = frozenset(filter(is_name_of_person, self.columns))
        self._spoken_names = names if environment.is_spoken else frozenset()

    def render(self, row: Mapping[str, Any]) -> str:
        """Return the text of the template, filled in for one person.

        :param row: the person's row in the contact list: column → value.
        :raises InvalidRow: the template inserts a missing column, an empty cell, or a text whose letters a
            wrong encoding has destroyed. Or an expression in the template raises an error. The error message
            names the field that has the template.
        :raises ListUnreadable: two columns of the row fit a name in the template.
        """
        text = self._plain.fill_in(row) if self._plain else None
        if text is None:
            text = self._render_with_jinja(row)
        for is_wrong, problem in self._checks:
            if is_wrong(text):
                raise InvalidRow(f"{self._where}: {self._column_with(is_wrong, row)}{problem}")
        if self._spoken_names and _MAY_BE_NUMBER.search(text):
            self._refuse_numbers_as_names(row)
        return text

    def _refuse_numbers_as_names(self, row: Mapping[str, Any]) -> None:
        """Check the names of people that a person hears: address books name a contact by its number."""
        for name, value in row.items():
            if fold_name(name) in self._spoken_names and _PHONE_NUMBER.search(str(value)):
                raise InvalidRow(f"{self._where}: column {shown_name(name)}: {_NO_NAME}")

    @property
    def only_column(self) -> str | None:
        """The name of the column, if the template is only ``{{ contact.phone }}``, for example."""
        plain = self._plain
        return plain.columns[0] if plain and plain.pattern.strip() == "%s" else None

    def _column_with(self, is_wrong: Callable[[str], bool], row: Mapping[str, Any]) -> str:
        """Return the first used column whose text is wrong, as ``column 'name': ``. Empty: no column is."""
        for name, value in row.items():
            if isinstance(value, str) and fold_name(name) in self.columns and is_wrong(value):
                return f"column {shown_name(name)}: "
        return ""

    def _render_with_jinja(self, row: Mapping[str, Any]) -> str:
        try:
            return self._jinja.render({**self._values, ROW: RowForTemplates(values_for_templates(row))})
        except ListUnreadable:  # it is not certain which column the template means
            raise
        except TemplateError as error:
            problem = str(error)
            raise InvalidRow(f"{self._where}: {mask_phones(problem)}{self._hint(problem, row)}") from None
        except Exception as error:  # an author's expression can raise anything
            remedy = _TEXT_IS_NO_NUMBER if isinstance(error, TypeError) else ""
            raise InvalidRow(f"{self._where}: {type(error).__name__} in its template{remedy}") from None

    def _hint(self, problem: str, row: Mapping[str, Any]) -> str:
        """Return which columns of a row may have caused Jinja's error, as the end of the error text."""
        if problem != EMPTY_CELL_USED:
            return ""
        empty = [
            shown_name(name)
            for name, value in row.items()
            if fold_name(name) in self.columns
            and (is_empty(value) or (isinstance(value, str) and is_placeholder(value)))
        ]
        return f"; empty in this row: {', '.join(empty)}" if empty else ""

    def render_for_all(self) -> str:
        """Return the text of a template that does not use the person's row. All people get this text."""
        return self._jinja.render(self._values)


def _plain_text(parsed: nodes.Template, values: Mapping[str, Any]) -> _PlainText | None:
    """Return a template as a text with ``%s`` for each column.

    None: only Jinja can fill in a part of the template, e.g. a condition.
    """
    pattern, columns = "", []
    for output in parsed.body:
        for node in output.nodes if isinstance(output, nodes.Output) else (output,):
            if isinstance(node, nodes.TemplateData):
                pattern += node.data.replace("%", "%%")
            elif isinstance(node, nodes.Getattr) and _is_row(node.node):
                pattern += "%s"
                columns.append(node.attr)
            elif isinstance(node, nodes.Name) and type(values.get(node.name)) is str and not _is_row(node):
                pattern += values[node.name].replace("%", "%%")
            else:
                return None
    return _PlainText(pattern, columns)


def _is_row(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == ROW


def _columns_in(parsed: nodes.Template) -> frozenset[str]:
    """Return the columns that a template can use, and perhaps further names.

    If a template does not only take columns of the row by name, as in ``contact.ext`` and ``contact['ext']``,
    each attribute and constant of the template may be the name of a column.
    """
    by_name = [node.attr for node in parsed.find_all(nodes.Getattr) if _is_row(node.node)]
    by_key = [
        str(node.arg.value)
        for node in parsed.find_all(nodes.Getitem)
        if _is_row(node.node) and isinstance(node.arg, nodes.Const)
    ]
    uses = sum(map(_is_row, parsed.find_all(nodes.Name)))
    if uses == len(by_name) + len(by_key) and not any(hasattr(dict, name) for name in by_name):
        return frozenset([*by_name, *by_key])
    attributes = {node.attr for node in parsed.find_all(nodes.Getattr)}
    return frozenset(attributes | {str(node.value) for node in parsed.find_all(nodes.Const)})


def compile_templates(value: Any, values: Mapping[str, Any], where: str) -> Any:
    """Return a copy of a value of the parameter ``call``, in which the templates are compiled.

    - A template that uses the person's row becomes a `RowTemplate`, which `fill_in` fills in later.
    - Any other template is filled in at once, and becomes a text. If that fails, the template becomes a
      `RowTemplate`, too, and `fill_in` raises the error later.

    :param value: a text, a mapping with texts, or any other value.
    :param values: name → value, for the names that the templates can use beside ``contact`` (the row).
    :param where: the name of the field, such as ``call``, for error messages.
    :raises ValueError: Jinja cannot compile a template, or the template uses an unknown name. Or a value is
        the output of another task. The message names the field.
    """
    if not isinstance(value, Mapping):
        return _compile(value, values, where, RowSandbox(spoken_value))
    return {
        name: _compile(inner, values, f"{where}.{name}", RowSandbox(_judge_of(name)))
        for name, inner in value.items()
    }


def _judge_of(field: str) -> Callable[[Any], Any]:
    """Return the function that checks and converts each value that a template of a field inserts."""
    if field == ROW:  # the number to call
        return written_value
    return spoken_value if field.endswith(_SPOKEN) else exact_value


def _compile(value: Any, values: Mapping[str, Any], where: str, environment: RowSandbox) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _compile(inner, values, f"{where}.{name}", environment) for name, inner in value.items()
        }
    if hasattr(value, "resolve"):  # an Airflow object
        raise ValueError(f"{where}: the output of another task. {_OF_ANOTHER_TASK}")
    if isinstance(value, str) and has_single_braces(value):
        raise ValueError(f"{where}: {PROBLEM}")
    if not isinstance(value, str) or not is_template_text(value):
        return value
    try:
        template = RowTemplate(environment, without_enum(value), values, where)
    except TemplateError as error:
        raise ValueError(f"{where}: {error}") from None
    if unknown := sorted(template.names.difference((ROW, *TEMPLATE_NAMES), values)):
        raise ValueError(
            f"{where}: a template knows {ROW} (the person's row), {', '.join(TEMPLATE_NAMES)}, and not "
            f"{unknown[0]}. If this is a column, write {ROW}.{unknown[0]}. {_OF_ANOTHER_TASK}"
        )
    if template.uses_row:
        return template
    try:
        return template.render_for_all()
    except Exception:  # the error is reported when the template is filled in for a row
        return template


def has_template(value: Any) -> bool:
    """Return whether a value that `compile_templates` has returned contains a template."""
    return any(True for _ in templates_in(value))


def templates_in(value: Any) -> Iterator[RowTemplate]:
    """Yield the templates of a value that `compile_templates` has returned."""
    if isinstance(value, RowTemplate):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from templates_in(inner)


def fill_in(value: Any, row: Mapping[str, Any]) -> Any:
    """Fill in the templates of a value for one person. Return the new value.

    :param value: a value that `compile_templates` has returned.
    :param row: the person's row in the contact list: column → value.
    :raises InvalidRow: a template cannot be filled in from the row. The error message names the field, such
        as ``call.contact``.
    """
    if isinstance(value, RowTemplate):
        return value.render(row)
    if isinstance(value, dict):
        return {name: fill_in(inner, row) for name, inner in value.items()}
    return value
