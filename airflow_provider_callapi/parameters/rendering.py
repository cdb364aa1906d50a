"""Keep the type str for rendered texts, even if the DAG has ``render_template_as_native_obj=True``.

With this setting, Airflow's own rendering reads every rendered text as a Python value. For example, the tones
``1234#`` become the number 1234, and the text ``1.20`` becomes 1.2.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class TextStaysText:
    """Mixin for classes with template fields: a rendered text never becomes a value of another type.

    A template that consists of one expression still gives the value of the expression: ``{{ params.call }}``
    may be a dict or None.

    :cvar object_fields: the template fields that take an object. If the value of such a field is a text, the
        DAG's setting applies, so ``{{ ti.xcom_pull('rows') | tojson }}`` may become a list. Rendered texts
        inside an object keep the type str.
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
    """Render a native template. Return a text, or the value of an expression that is the whole template.

    Like Airflow's own function, this function does not read all values of the context, because a value may
    need a request to Airflow's API server.
    """
    environment = template.environment
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
