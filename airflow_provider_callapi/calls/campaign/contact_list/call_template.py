"""Makes the start request of each person from the call that the author has written for the whole campaign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import METHODS, StartCall
from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS
from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    ROW,
    InvalidRow,
    compile_templates,
    fill_in,
    has_template,
    templates_in,
)
from airflow_provider_callapi.calls.lists.column_names import fold_name
from airflow_provider_callapi.calls.lists.rounded_numbers import parts_of_cell, refuse_single_precision
from airflow_provider_callapi.calls.phone_numbers.comparison import SHOWN_NUMBER
from airflow_provider_callapi.calls.phone_numbers.request_numbers import (
    number_values,
    read_numbers,
    shows_number,
)
from airflow_provider_callapi.calls.texts.number_texts import LOST_DIGITS
from airflow_provider_callapi.calls.texts.shown_values import LongNumber, ShownValue, stored_text

_ID = "external_id"
PERSONS_NUMBER = "{{ contact.phone }}"
"""The default of the parameter ``contact``: the number in the person's row."""
_LONGEST_ID = 240
"""How many characters an author's ``external_id`` may have.

A ledger stores up to 255 characters, and later attempts add their number to the id.
"""


def _columns_of(fields: Any) -> frozenset[str]:
    """Return the names of the columns that templates can use, as `fold_name` returns them."""
    return frozenset().union(*(template.columns for template in templates_in(fields)))


class CallTemplate:
    """Makes the start request of each person of a campaign from the person's row in the contact list.

    :param call: a start method and its parameters: ``{"method": "start.informer_call", …}``. Each string is a
        Jinja template, in which ``contact`` is the person's row. The number to call is the parameter
        ``contact``, default ``{{ contact.phone }}``.
    :param values: further names for the templates: name → value.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :raises ValueError: the method, a parameter or a template is wrong.
    """

    def __init__(
        self, call: Mapping[str, Any], values: Mapping[str, Any] | None = None, *, region: str
    ) -> None:
        fields = {ROW: PERSONS_NUMBER, **call}
        method = fields.pop("method", None)
        request_type = METHODS.get(str(method))
        if request_type is None or not issubclass(request_type, StartCall):
            known = ", ".join(sorted(name for name, kind in METHODS.items() if issubclass(kind, StartCall)))
            raise ValueError(f"call.method: {method!r} is not one of {known}")
        unknown = [name for name in fields if name not in request_type.model_fields]
        if unknown:
            raise ValueError(f"call.{unknown[0]}: {method} has no such parameter")
        self.request_type: type[StartCall] = request_type
        self.region = region
        self._fields: dict[str, Any] = compile_templates(fields, values or {}, "call")
        if not has_template(self._fields[ROW]):
            raise ValueError(
                "call.contact: a template such as {{ contact.phone }} is needed. A constant is the same "
                "number for every person"
            )
        self.reads_phone = "phone" in str(fields[ROW])
        """Whether the number to call is in the column ``phone``."""
        self.number_column: str | None = next(
            (each.only_column for each in templates_in(self._fields[ROW])), None
        )
        """The column with the number to call. None: the author's template makes the number."""
        self.columns = _columns_of(self._fields)
        """The names of the columns that the templates can use, as `fold_name` returns them."""
        self._number_columns = _columns_of(self._fields[ROW])
        self._columns_of_other_numbers = _columns_of(
            {
                name: value
                for name, value in number_values(self._fields).items()
                # The service refuses a call from a number that is not the account's.
                if name not in (ROW, "virtual_phone_number")
            }
        )
        self.personal = frozenset(name for name, value in self._fields.items() if has_template(value))
        """Names of the parameters whose values differ between people.

        If the service refuses the value of another parameter, it would refuse the call of every person.
        """
        self._own_fields = [name for name in self._fields if name in self.personal - {ROW, _ID}]

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The call's parameters that are equal for all people: name → value.

        :raises InvalidParameters: a phone number in a value cannot be read.
        """
        values = {name: value for name, value in self._fields.items() if name not in self.personal}
        return read_numbers(values, self.region, method=self.request_type.method)

    def written_number(self, row: Mapping[str, Any]) -> str:
        """Return the number to call, as the author's template gives it for a person's row.

        The number is neither checked nor converted.

        :param row: the person's row in the contact list: column → value.
        :raises InvalidRow: the author's template for the number cannot be filled in from this row. Or it
            inserts a date or a long number of a workbook. The error message names the field ``call.contact``.
        :raises ListUnreadable: the number comes from a column of 32-bit floats.
        """
        for name, cell in row.items():
            if type(cell) is not str and fold_name(name) in self._number_columns:  # most cells are texts
                refuse_single_precision(name, cell)
        written = str(self._render_field(ROW, row))
        if any(isinstance(cell, ShownValue) and str(cell) == written.strip() for cell in row.values()):
            raise InvalidRow(f"call.{ROW}: a date or another value of a workbook that is no phone number")
        return written

    def listed_number(self, row: Mapping[str, Any], written: str) -> str:
        """Return the number to call, as the cell of a person's row contains it.

        The author's template may have left out the ``.0`` of a float, or added a ``+``.

        :param row: the person's row in the contact list: column → value.
        :param written: the number, as `written_number` returns it. It is the result if no cell contains it.
        """
        for name, cell in row.items():
            if type(cell) is str and cell == written:
                break
            if fold_name(name) in self._number_columns:
                for part in parts_of_cell(cell):
                    text = stored_text(part).strip()
                    if len(text) >= FEWEST_DIGITS and text.removesuffix(".0") in written:
                        return text
        return written

    def other_listed_numbers(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield column and cell of each further phone number of a person's row, such as the operator's.

        :param row: the person's row in the contact list: column → value.
        :raises ListUnreadable: a number comes from a column of 32-bit floats.
        """
        if self._columns_of_other_numbers:
            for name, cell in row.items():
                if fold_name(name) in self._columns_of_other_numbers:
                    refuse_single_precision(name, cell)
                    yield from ((name, stored_text(part)) for part in parts_of_cell(cell))

    def own_external_id(self, person: Person) -> str | None:
        """Return the ``external_id`` that the author's template gives the first call to a person.

        :return: the id. None: the author gives no ``external_id``, or the id for this person is empty.
        :raises InvalidRow: the template cannot be filled in from the person's row.
        :raises InvalidRow: the id is longer than 240 characters.
        """
        own = self._render_field(_ID, person.row) if _ID in self._fields else None
        if isinstance(own, str) and len(own) > _LONGEST_ID:
            raise InvalidRow(f"call.{_ID}: longer than {_LONGEST_ID} characters")
        return own if str(own or "").strip() else None

    def request(self, person: Person, external_id: str) -> StartCall:
        """Return the start request that calls one person.

        :param external_id: the ``external_id`` of the attempt, from the function
            `attempt_ids.external_id`.
        :raises InvalidRow: no valid request can be made from the person's row, for example because a field
            contains a number of which a workbook has lost digits, or because the ``external_id`` contains a
            phone number. The error message names the field, such as ``call.contact``.
        """
        known = {ROW: person.contact, _ID: external_id}
        # The number to call is read already. Without its +, it could be read as another number.
        own = {name: self._render_field(name, person.row) for name in self._own_fields}
        try:
            own = read_numbers(own, self.region, method=self.request_type.method)
            request = self.request_type.from_values({**self._constants, **own, **known})
        except InvalidParameters as error:
            raise InvalidRow(str(error)) from None
        if _ID in self._fields and shows_number(request):
            raise InvalidRow(f"call.{_ID}: {SHOWN_NUMBER}")
        return request

    def _render_field(self, name: str, row: Mapping[str, Any]) -> Any:
        value = fill_in(self._fields[name], row)
        if any(isinstance(cell, LongNumber) and str(cell) in str(value) for cell in row.values()):
            raise InvalidRow(f"call.{name}: {LOST_DIGITS}")
        return value
