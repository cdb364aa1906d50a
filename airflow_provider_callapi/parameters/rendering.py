"""Keep rendered texts as texts, even if the DAG has ``render_template_as_native_obj=True``.

With this setting, Airflow itself reads every rendered text as a Python literal. For example, the tones
``1234#`` become the number 1234, because Python reads ``#`` as a comment. The text ``1.20`` becomes the
number 1.2.

If a template would insert an unsuitable value into a text, such as ``None`` or a list, a `TextWithGap`
replaces the text. Every check of a text refuses a `TextWithGap`. Otherwise, a person would hear "Your order
None is ready".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.api.values.value_kinds import TextWithGap, without_enum
from airflow_provider_callapi.calls.texts.inserted_values import (
    DEFAULT,
    UnsuitableValue,
    check_inserted,
    spoken_value,
    written_value,
)
from airflow_provider_callapi.calls.texts.number_texts import may_be_rounded, whole_number_text
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.parameters.own_classes import fields_of_package

_NUMBER_FIELDS = frozenset({"contact", "virtual_phone_number", "operator", "employee", "to", "phone_number"})
"""The template fields with phone numbers, or with an object that contains one."""
_OF_LOGICAL_DATE = frozenset(
    {"ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "logical_date"}
    | {"data_interval_start", "data_interval_end"}
)
"""The names that Airflow defines only in a DAG run with a logical date."""
_NO_LOGICAL_DATE = "this DAG run has no logical date; use e.g. {{ dag_run.run_after.strftime('%d.%m.%Y') }}"


@dataclass(frozen=True)
class _TextRules:
    """How the templates of one field are rendered."""

    keeps_text: bool = False  # a rendered text stays a text
    refuses_gaps: bool = False  # a text into which a template would insert None becomes a `TextWithGap`
    is_spoken: bool = False  # a template inserts a number as people write it
    is_number: bool = False  # a phone number: a template inserts a whole number without its fraction
    checks_conditions: bool = False  # a condition or comparison that a text makes wrong is an error
    is_flag: bool = False  # the field is a boolean


class TextStaysText:
    """Mixin for operators and other classes with template fields: a rendered text stays a text (str).

    In a DAG with ``render_template_as_native_obj=True``, Airflow itself would convert the rendered text
    ``1234#`` to a number. With the mixin, a template gives these values:

    - If the template is one expression, such as ``{{ params.call }}``: the expression's value, unchanged.
    - If the template is anything else: a text. Exception: if a part of the text would be an empty
      value, a list, a dict or a function, the value is a `TextWithGap`. The check of the parameter later
      refuses each `TextWithGap`.

    :cvar spoken_fields: the names of the template fields whose texts a person hears. A template inserts a
        number into them as people write it: ``1234`` for 1234.0.
    :cvar object_fields: the names of the template fields that may be a list or a dict. If such a field is
        given as one text, Airflow's own conversion applies: the text of ``{{ params.rows | tojson }}``
        becomes a list.
    :cvar flag_fields: the names of the template fields that are booleans. In ``a or b``, too, ``a`` is a
        condition.
    :cvar fields_with_gaps: the names of the template fields to which the exception does not apply. A template
        may insert ``None`` or ``[1, 2]`` into their texts, and take any value for a condition. Template
        fields that an author's subclass adds count as such fields: no check would refuse a `TextWithGap` in
        them.
    """

    spoken_fields: ClassVar[frozenset[str]] = frozenset()
    object_fields: ClassVar[frozenset[str]] = frozenset()
    flag_fields: ClassVar[frozenset[str]] = frozenset()
    fields_with_gaps: ClassVar[frozenset[str]] = frozenset()
    _text_rules: _TextRules = _TextRules()

    def _render_value(
        self,
        name: str,
        value: Any,
        context: Any,
        jinja_env: Any,
        seen_oids: set[int] | None = None,
        *,
        as_the_dag_says: bool = False,
    ) -> Any:
        """Render a value by the rules of a template field. Return the rendered value.

        If the value is a function, the method calls it, as Airflow does for its own template fields.

        :param name: the name of the template field. The value may be a part of the value of this field.
        :param seen_oids: the ids of the objects that Airflow has already rendered.
        :param as_the_dag_says: True: a rendered text stays a text only if the DAG says so.
        """
        before = self._text_rules  # the value may be a part of a field of this object
        is_of_author = name in self.fields_with_gaps or name in self._fields_of_author
        self._text_rules = _TextRules(
            keeps_text=not as_the_dag_says,
            refuses_gaps=not (as_the_dag_says or is_of_author),
            is_spoken=name in self.spoken_fields,
            is_number=name in _NUMBER_FIELDS,
            checks_conditions=not is_of_author,
            is_flag=name in self.flag_fields,
        )
        try:
            if callable(value):
                return value(context=context, jinja_env=jinja_env)
            return self.render_template(value, context, jinja_env, seen_oids)
        finally:
            self._text_rules = before

    @property
    def _fields_of_author(self) -> set[str]:
        """The template fields that a subclass outside this package adds."""
        fields: Iterable[str] = self.template_fields  # type: ignore[attr-defined]
        return set(fields).difference(fields_of_package(type(self)))

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        for name in template_fields:
            self._render_field(parent, name, context, *args, **kwargs)

    def _render_field(
        self, parent: Any, name: str, context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        # If a template fails, Airflow's own code logs the whole value of the field, e.g. a list of people.
        value = getattr(parent, name)
        if value is None or (isinstance(value, str) and not value):
            return
        as_the_dag_says = parent is self and name in self.object_fields and isinstance(value, str)
        try:
            rendered = self._render_value(
                name, value, context, jinja_env, seen_oids, as_the_dag_says=as_the_dag_says
            )
        except Exception as error:
            log: Any = self.log  # type: ignore[attr-defined]
            parameter = getattr(self, "parameter_of_field", {}).get(name, name)
            log.error(
                "%s: a template cannot be rendered. Phone numbers may be in it, so it is hidden", parameter
            )
            text = mask_phones(str(error))
            if isinstance(error, AirflowException) or text == str(error):
                raise
            # Airflow logs the error, e.g. 'dict object' has no attribute '79260000001'.
            raise CallApiTrouble(f"{name}: {type(error).__name__}: {text}") from None
        setattr(parent, name, rendered)

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Render the templates in a value. Return the rendered value.

        If a template would insert an unsuitable value into a text, such as ``None``, a `TextWithGap` replaces
        the text.
        """
        render: Any = super().render_template  # type: ignore[misc]
        content = _as_airflow_renders(content)
        rules = self._text_rules
        if not (rules.checks_conditions or rules.is_number) or not isinstance(content, str):
            return render(content, context, jinja_env, *args, **kwargs)
        environment = jinja_env or self.get_template_env()  # type: ignore[attr-defined]
        is_file = content.endswith(tuple(self.template_ext))  # type: ignore[attr-defined]
        if not is_file and not _may_be_template(content, environment):
            return render(content, context, environment, *args, **kwargs)
        is_as_written = environment.finalize is not None or is_file  # a finalize of the DAG decides
        # Compiled templates with checks must not be shared with other operators of the DAG.
        environment = environment.overlay(bytecode_cache=None)
        if not is_as_written:
            _check_parts(environment, rules)
        if rules.checks_conditions:
            from airflow_provider_callapi.calls.texts.text_conditions import (  # noqa: PLC0415 - parse time
                add_condition_checks,
            )

            add_condition_checks(environment, is_flag=rules.is_flag)
        if is_as_written or not rules.refuses_gaps:
            return render(content, context, environment, *args, **kwargs)
        try:
            return self._render(environment.from_string(content), context)
        except UnsuitableValue as gap:
            return TextWithGap(str(gap))

    def _render(self, template: Any, context: Any, dag: Any = None) -> Any:
        from jinja2.nativetypes import NativeEnvironment  # noqa: PLC0415 - parse time

        if self._text_rules.keeps_text and isinstance(template.environment, NativeEnvironment):
            return _render_text(template, context)
        return super()._render(template, context, dag)  # type: ignore[misc]


def _check_parts(environment: Any, rules: _TextRules) -> None:
    """Change an environment: its templates check or convert what they insert, by the rules of a field."""
    if not rules.refuses_gaps:
        environment.finalize = _without_fraction if rules.is_number else None
        return
    from airflow_provider_callapi.calls.texts.text_parts import add_checks  # noqa: PLC0415 - parse time

    judge = spoken_value if rules.is_spoken else written_value if rules.is_number else check_inserted
    insert = partial(_inserted, judge)
    environment.finalize = partial(_mark_gap, insert)
    add_checks(environment, insert, is_spoken=rules.is_spoken)


def _without_fraction(value: Any) -> Any:
    """Return a value as it stands in a phone number that may have gaps, e.g. that of an alert."""
    text = whole_number_text(value)
    return value if text is None or may_be_rounded(text) else text


def _may_be_template(text: str, environment: Any) -> bool:
    """Return whether a text contains the begin of a template, as the DAG's environment writes templates."""
    signs = (
        environment.variable_start_string,
        environment.block_start_string,
        environment.line_statement_prefix,
    )
    return any(sign and sign in text for sign in signs)


def _as_airflow_renders(content: Any) -> Any:
    """Return a value in a form in which Airflow finds its templates: as a str, a dict or a set."""
    if isinstance(content, str):
        return without_enum(content)
    if isinstance(content, Mapping) and not isinstance(content, dict):  # e.g. a MappingProxyType
        return dict(content)
    return set(content) if isinstance(content, frozenset) else content


def _render_text(template: Any, context: Mapping[str, Any]) -> Any:
    """Render a Jinja template, and return the text.

    If the template is one expression, such as ``{{ params.call }}``, return its value.
    """
    environment = template.environment
    # A dict of all values would read each of them, which may send a request to Airflow's API server.
    names: Any = copy.copy(context)
    names.update((name, value) for name, value in template.globals.items() if name not in names)
    try:
        parts = list(
            template.root_render_func(
                environment.context_class(environment, names, template.name, template.blocks)
            )
        )
    except Exception:
        environment.handle_exception()  # raises the error with a traceback that points to the template
    if len(parts) == 1:
        return parts[0].single() if isinstance(parts[0], _Gap) else parts[0]
    return "".join(str(part) for part in parts)


class _Gap:
    """Wraps a value that does not fit into a text, such as a list or None.

    ``{{ x }}`` returns the value. ``Hello {{ x }}`` raises `UnsuitableValue`.
    """

    def __init__(self, value: Any, problem: UnsuitableValue) -> None:
        self.value = value
        self._problem = problem

    def single(self) -> Any:
        """Return the value of a template that is one expression. A missing value has none."""
        from jinja2 import Undefined  # noqa: PLC0415 - parse time

        return str(self) if isinstance(self.value, Undefined) else self.value

    def __str__(self) -> str:
        raise self._problem


def _mark_gap(insert: Callable[[Any], Any], value: Any) -> Any:
    """Return what a template inserts into a text for a value, or else the value in a `_Gap`."""
    try:
        return insert(value)
    except UnsuitableValue as problem:
        return _Gap(without_enum(value), problem)


def _inserted(judge: Callable[[Any], Any], value: Any) -> Any:
    """Return what a template inserts into a text for a value.

    :param judge: a function that returns the same for a plain value, such as `spoken_value`.
    :param value: a value of a template. It can also be a member of an Enum, or a missing value of Jinja.
    :raises UnsuitableValue: a template must not insert the value.
    """
    from jinja2 import Undefined  # noqa: PLC0415 - parse time

    if isinstance(value, Undefined):
        remedy = _NO_LOGICAL_DATE if value._undefined_name in _OF_LOGICAL_DATE else DEFAULT
        raise UnsuitableValue(f"no value: {mask_phones(value._undefined_message)}; {remedy}")
    return judge(without_enum(value))
