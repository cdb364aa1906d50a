"""The bodies of the HTTP requests with which another process controls the emulated telephone exchange.

The requests set scripts of phones, plan faults, place inbound calls and move the clock. If a body contains an
unknown field or a wrong value, the error message names the field.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from airflow_provider_callapi.emulator.calls.script import Script
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.phones import Phone
from airflow_provider_callapi.emulator.strict_json import parse_json


def _fault(label: Any) -> Fault:
    for fault in Fault:
        if isinstance(label, str) and fault.label == label.lower():
            return fault
    raise ValueError(f"no such fault; use one of {', '.join(fault.label for fault in Fault)}")


class RemoteRequest(BaseModel):
    """Base class of the JSON bodies with which another process controls the emulated telephone exchange.

    The other process sends the bodies in HTTP requests: the remote control.

    :cvar example: an example of the body as JSON. Each error message of `parse` ends with the example.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    example: ClassVar[str]

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Parse the JSON body of an HTTP request, and return the request as an object of this class.

        :raises ValueError: the text is not JSON, or a field is unknown or wrong. The error message names the
            field and the problem in one line, and ends with an example of the body.
        """
        try:
            return parse_json(cls, text)
        except ValueError as error:
            raise ValueError(f"{error}. For example: {cls.example}") from None


class ScriptsRequest(RemoteRequest):
    """A request of the emulator's remote control that sets the scripts of phones.

    :ivar default: the new `Exchange.default_script`; None: `Exchange.default_script` stays unchanged.
    :ivar scripts: phone number → the new script of the phone. The scripts of other phones stay unchanged.
    """

    example = '{"default": {"rings": 3}, "scripts": {"79260000001": {"answer": "busy"}}}'

    default: Script | None = None
    scripts: dict[Phone, Script] = {}

    def apply(self, exchange: Exchange) -> None:
        """Set the scripts of this request at a telephone exchange.

        A script states what the person at a phone does when the phone rings.
        """
        if self.default is not None:
            exchange.default_script = self.default
        for phone, script in self.scripts.items():
            exchange.script(phone, script)


class FaultRequest(RemoteRequest):
    """A request of the emulator's remote control that plans a fault, such as a broken connection.

    The fields are the parameters of `Exchange.fault`. In the JSON, the field ``fault`` contains a
    `Fault.label`, e.g. ``drop_after``.
    """

    example = '{"fault": "drop_after", "method": "start.informer_call", "times": 1}'

    fault: Annotated[Fault, PlainValidator(_fault)]
    method: str | None = None
    times: int = Field(1, ge=1)
    seconds: float = Field(60.0, gt=0)

    def apply(self, exchange: Exchange) -> None:
        """Plan the fault that this request asks for, e.g. a broken connection. See `Exchange.fault`."""
        exchange.fault(self.fault, method=self.method, times=self.times, seconds=self.seconds)


class InboundRequest(RemoteRequest):
    """A request of the emulator's remote control that places an inbound call.

    The fields are the parameters of `Exchange.inbound` without ``account``, because the call goes to the
    first account of the exchange.
    """

    example = '{"contact": "79161234567"}'

    contact: Phone
    virtual_number: str | None = None
    employee_id: int | None = None

    def apply(self, exchange: Exchange) -> int:
        """Place the inbound call of this request at a telephone exchange, and return the call's session id.

        :raises ValueError: the first account of the exchange has no employee with the id ``employee_id``.
        """
        employees = exchange.account.employees
        if self.employee_id is not None and self.employee_id not in employees:
            raise ValueError(f"employee_id: no such employee; use one of {', '.join(map(str, employees))}")
        return exchange.inbound(self.contact, self.virtual_number, employee_id=self.employee_id)


class AdvanceRequest(RemoteRequest):
    """A request of the emulator's remote control that moves the emulator's clock forward.

    The emulator must have been created with a `ManualClock`.

    :ivar advance: how many seconds the clock moves forward; zero or more.
    """

    example = '{"advance": 60}'

    advance: float = Field(ge=0)
