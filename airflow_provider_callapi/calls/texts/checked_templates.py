"""Change templates while Jinja parses them, also the templates that another one includes."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment, nodes


def change_templates(environment: Environment, change: Callable[[nodes.Template], nodes.Template]) -> None:
    """Let an environment change each template after parsing. A second change gets the result of the first.

    :param environment: a copy of the DAG's environment.
    """
    parse = environment._parse

    def parse_and_change(source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = change(parse(source, name, filename))
        tree.set_environment(environment)
        return tree

    # Jinja parses each template with this method, also an included one.
    environment._parse = parse_and_change  # type: ignore[method-assign]


def checked(value: nodes.Expr, check: str, *arguments: nodes.Expr) -> nodes.Expr:
    """Return an expression that passes a value through a filter of the environment.

    :param check: the name of the filter.
    """
    return nodes.Filter(value, check, [*arguments], [], None, None, lineno=value.lineno)
