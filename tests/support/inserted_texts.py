"""Templates that turn the value ``params.x`` into text, for the tests of operators and of campaigns."""

from __future__ import annotations

EXPRESSIONS = [
    "{{ 'Hello ' ~ params.x }}",
    "{{ 'Hello ' ~ params.x ~ '!' }} Bye",
    "{{ 'Hello %s' % params.x }}",
    "{{ 'Hello %s, %s' % (params.x, 1) }}",
    "{{ 'Hello %(name)s' % {'name': params.x} }}",
    "{{ 'Hello %s' | format(params.x) }}",
    "{{ 'Hello {}'.format(params.x) }}",
    "{{ 'Hello {name}'.format(name=params.x) }}",
    *(f"Hello {{{{ params.x | {name} }}}}" for name in ("upper", "lower", "title", "capitalize", "trim")),
    "Hello {{ params.x | string }}",
    "{{ params.x | replace('a', 'b') }}",
    "{{ ['Hello', params.x] | join(' ') }}",
    "{{ [{'name': 'Hello'}, {'name': params.x}] | map(attribute='name') | join(' ') }}",
    "{{ [{'name': 'Hello'}, {'name': params.x}] | join(' ', attribute='name') }}",
    "{{ [{'name': 'Hello'}, {'name': params.x}] | join(' ', 'name') }}",
    "{{ ['Hello', params.x] | map('string') | join(' ') }}",
    "{{ ['Hello', params.x] | map('trim') | list | join(' ') }}",
    "{{ ' '.join(['Hello', params.x] | map('string')) }}",
    "{{ {'a': 'Hello', 'b': params.x}.values() | join(' ') }}",
    "{{ 'Hello %s' | format(*[params.x]) }}",
    "{{ 'Hello {}'.format(*[params.x]) }}",
    "{{ 'Hello {x}'.format(**{'x': params.x}) }}",
    "{{ 'Hello {x}'.format_map({'x': params.x}) }}",
    *(f"Hello {{{{ params.x | {name} }}}}" for name in ("striptags", "center(9)", "forceescape")),
    *(f"Hello {{{{ params.x | {name} }}}}" for name in ("safe", "urlencode", "tojson", "wordcount")),
    "{{ 'Hello NAME' | replace('NAME', params.x) }}",
    "{% filter replace('NAME', params.x) %}Hello NAME{% endfilter %}",
    "{{ ['Hello', 'Anna'] | join(params.x) }}",
    "{{ ['Hello NAME'] | map('replace', 'NAME', params.x) | join }}",
    "{{ ['Hello NAME'] | map('replace', old='NAME', new=params.x) | join }}",
    "{{ ['Hello %s'] | map('format', params.x) | join }}",
    "{% set greeting = 'Hello %s' %}{{ greeting % params.x }}",
    "{% set greeting = 'Hello %s, %s' %}{{ greeting % (params.x, 1) }}",
    "{% set text = 'Hello ' ~ params.x %}{{ text }}",
    "{% for greeting in ['Hello '] %}{{ greeting ~ params.x }}{% endfor %}",
    "{% if params.x is none or params.x %}{{ 'Hello ' ~ params.x }}{% endif %}",
    "{{ ('Hello ' ~ params.x) if params.x is none or params.x else 'Bye' }}",
    "{{ (params.x | upper) ~ '!' }}",
]
"""Templates that insert the value, all but in `EXPRESSIONS_WITH_FILES`."""

EXPRESSIONS_WITH_FILES = [
    "{% include 'hello.txt' %}",
    "{% import 'greetings.txt' as greetings %}{{ greetings.hello(params.x) }}",
    "{% from 'greetings.txt' import hello %}{{ hello(params.x) }}",
    "{% extends 'letter.txt' %}{% block name %}{{ 'dear ' ~ params.x }}{% endblock %}",
]
"""The same with other template files."""

SPOKEN_NUMBERS = [
    ("{{ params.x }}", "1234"),
    ("You owe {{ params.x }} rubles", "You owe 1234 rubles"),
    ("You owe {{ '%.2f' | format(params.x) }} rubles", "You owe 1234.00 rubles"),
    ("You owe {{ '{:.2f}'.format(params.x) }} rubles", "You owe 1234.00 rubles"),
    ("You owe {{ '%d' % params.x }} rubles", "You owe 1234 rubles"),
    ("You owe {{ params.x / 8 }} rubles", "You owe 154.25 rubles"),
    ("{{ params.x ~ ' rubles' }}", "1234 rubles"),
    ("{{ '%s rubles' | format(params.x) }}", "1234 rubles"),
    ("{{ '%s rubles' % params.x }}", "1234 rubles"),
    ("{{ '%(sum)s rubles' % {'sum': params.x} }}", "1234 rubles"),
    ("{{ '{} rubles'.format(params.x) }}", "1234 rubles"),
    ("{{ params.x | string }}!", "1234!"),
    ("{{ 'at %s%% cost' % params.x }}", "at 1234% cost"),
    ("{{ {'sum': 2} | urlencode }}", "sum=2"),
    ("<i{{ {'sum': 2} | xmlattr }}>", '<i sum="2">'),
    ("{{ [params.x, 2.50] | join(' and ') }}", "1234 and 2.5"),
    ("{{ [params.x] | map('string') | join }}", "1234"),
    ("{{ '%s and %.1f' % (params.x, params.x) }}", "1234 and 1234.0"),
    ("{{ '%(sum).2f' % {'sum': params.x} }}", "1234.00"),
    ("{{ '{} {:07.0f}'.format(params.x, params.x) }}", "1234 0001234"),
    ("{{ [[params.x], ['a', 'b']] | map('join', ' ') | join('; ') }}", "1234; a b"),
]
"""(template, text): what a person hears if the value is the number 1234.0."""
