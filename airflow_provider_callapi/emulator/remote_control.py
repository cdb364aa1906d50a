"""What another process may say to the exchange: scripts, faults, callers, time. It is read strictly."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.script import Script


def _fault(name: Any) -> Fault:
    for fault in Fault:
        if isinstance(name, str) and fault.label == name.lower():
            return fault
    raise ValueError(f"there is no such fault, but {', '.join(fault.label for fault in Fault)}")


class Said(BaseModel):
    """The body of a request to the remote control.

    :cvar example: one, as JSON; every error ends with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    example: ClassVar[str]

    @classmethod
    def read(cls, text: str | bytes) -> Self:
        """Read JSON.

        :raises ValueError: what is wrong with which field, in one line.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in detail["loc"])
        wrong = detail["msg"].removeprefix("Value error, ")
        if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            wrong = "there is no such field"
        raise ValueError(f"{field or 'the JSON'}: {wrong}. For example: {cls.example}")


class Scripts(Said):
    """What the phones do from now on."""

    example = '{"default": {"rings": 3}, "scripts": {"79260000001": {"answer": "busy"}}}'

    default: Script | None = None
    scripts: dict[str, Script] = {}

    def apply(self, exchange: Exchange) -> None:
        """Give the phones their scripts."""
        if self.default is not None:
            exchange.default_script = self.default
        for phone, script in self.scripts.items():
            exchange.script(phone, script)


class PlannedFault(Said):
    """A fault to come; the fields are those of `Exchange.fault`."""

    example = '{"fault": "drop_after", "method": "start.informer_call", "times": 1}'

    fault: Annotated[Fault, PlainValidator(_fault)]
    method: str | None = None
    times: int = Field(1, ge=1)
    seconds: float = Field(60.0, gt=0)

    def apply(self, exchange: Exchange) -> None:
        """Plan it."""
        exchange.fault(self.fault, method=self.method, times=self.times, seconds=self.seconds)


class Inbound(Said):
    """Somebody who calls; the fields are those of `Exchange.inbound`."""

    example = '{"contact": "79161234567"}'

    contact: str = Field(min_length=1)
    virtual_number: str | None = None
    employee_id: int | None = None

    def apply(self, exchange: Exchange) -> int:
        """Let them call; returns the session id.

        :raises ValueError: the account has no such employee.
        """
        employees = exchange.account.employees
        if self.employee_id is not None and self.employee_id not in employees:
            raise ValueError(f"employee_id: there is no such employee, but {', '.join(map(str, employees))}")
        return exchange.inbound(self.contact, self.virtual_number, employee_id=self.employee_id)


class Advance(Said):
    """Time that passes at once.

    :ivar advance: seconds.
    """

    example = '{"advance": 60}'

    advance: float = Field(ge=0)
