"""Keep rendered texts as texts, even if the DAG has ``render_template_as_native_obj=True``.

With this setting, Airflow itself reads every rendered text as a Python literal. For example, the tones
``1234#`` become the number 1234, because Python reads ``#`` as a comment. The text ``1.20`` becomes the
number 1.2.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class TextStaysText:
    """Mixin for operators and other classes with template fields: a rendered text stays a text (str).

    In a DAG with ``render_template_as_native_obj=True``, Airflow itself would convert the rendered text
    ``1234#`` to a number. With the mixin, a template gives these values:

    - If the template is one expression, such as ``{{ params.call }}``: the expression's value, unchanged.
    - If the template is anything else: a text.

    :cvar object_fields: the names of the template fields that may be a list or a dict. If such a field is
        given as one text, Airflow's own conversion applies: the text of ``{{ params.rows | tojson }}``
        becomes a list.
    """

    object_fields: ClassVar[frozenset[str]] = frozenset()
    _keeps_text: bool = False

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        names = list(template_fields)
        as_the_dag_says = {
            name
            for name in names
            if parent is self and name in self.object_fields and isinstance(getattr(parent, name), str)
        }
        render: Any = super()._do_render_template_fields  # type: ignore[misc]
        render(parent, [name for name in names if name in as_the_dag_says], context, *args, **kwargs)
        self._keeps_text = True
        try:
            render(parent, [name for name in names if name not in as_the_dag_says], context, *args, **kwargs)
        finally:
            self._keeps_text = False

    def _render(self, template: Any, context: Any, dag: Any = None) -> Any:
        from jinja2.nativetypes import NativeEnvironment  # noqa: PLC0415 - parse time

        if self._keeps_text and isinstance(template.environment, NativeEnvironment):
            return _render_text(template, context)
        return super()._render(template, context, dag)  # type: ignore[misc]


def _render_text(template: Any, context: Mapping[str, Any]) -> Any:
    """Render a Jinja template to a text.

    A template that is one expression, such as ``{{ params.call }}``, gives its value.
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
    return parts[0] if len(parts) == 1 else "".join(str(part) for part in parts)
