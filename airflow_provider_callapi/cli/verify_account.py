"""The command ``airflow callapi verify``: measure how the service behaves for the user's account."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.methods import StartSimpleCall
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination
from airflow_provider_callapi.cli.command_hook import open_hook
from airflow_provider_callapi.cli.interruption import signals_interrupt
from airflow_provider_callapi.cli.output import confirm, fail, print_data, say, write
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.verify.bench import Options
from airflow_provider_callapi.verify.gateway import Gateway, Service
from airflow_provider_callapi.verify.judgements.assumptions import table
from airflow_provider_callapi.verify.judgements.judgement import Context
from airflow_provider_callapi.verify.probes import Probe, select
from airflow_provider_callapi.verify.profile import to_profile
from airflow_provider_callapi.verify.rendering import can_run, plan_text, table_text
from airflow_provider_callapi.verify.resume_file import ResumeFile, ResumeFileInvalid, only_user
from airflow_provider_callapi.verify.run import CallLeft, Run

_LEAST_WIDTH = 110


@suppress_logs_and_warning
def verify(args: Namespace) -> None:
    """Run experiments with the service, and print which of the package's assumptions are true.

    - With ``--output text``: the table of assumptions goes to stdout.
    - With ``--output json`` or ``yaml``: the table goes to stderr. A profile, with which the emulator can
      imitate the service, goes to stdout.

    The command first prints its plan to stderr. It then asks for a confirmation, except with ``--yes``.
    """
    try:
        path = Path(args.resume_file)
        with open_hook(args) as hook, signals_interrupt(), only_user(path):
            settings = hook.settings
            options = _options(args, settings)
            probes = _probes(args, options)
            file = ResumeFile.open(path, settings.conn_id, settings.account_digest)
            _agree(args, plan_text(probes, options, conn_id=settings.conn_id, finished=file.state.finished))
            possible = [probe for probe in probes if can_run(probe, options)]
            findings = Run(_gateway(settings), options, file).execute(possible)
            _print_findings(Context(findings, options.timezone, hook.has_data_api, system_clock.now()), args)
    except (CallLeft, ResumeFileInvalid) as error:
        fail(str(error))


def _options(args: Namespace, settings: ConnectionSettings) -> Options:
    """Return the user's options, with the phone numbers in the form that the service needs.

    :raises InvalidParameters: a phone number is not valid.
    """
    numbers = {
        "contact": args.contact,
        "virtual_number": args.virtual_number,
        "dead_operator": args.dead_operator,
        "second_number": args.second_number,
    }
    for option, number in numbers.items():
        if number is not None:
            numbers[option] = _phone_number(option, number, args.region)
    given = [number for number in numbers.values() if number is not None]
    if len(set(given)) < len(given):
        fail("the numbers of --contact, --virtual-number, --dead-operator and --second-number must differ")
    return Options(**numbers, timezone=settings.timezone)


def _phone_number(option: str, number: str, region: str) -> str:
    """Return an option's phone number in the form that the service needs.

    :raises InvalidParameters: the number is not valid. The error omits it.
    """
    try:
        number = read_destination(number, region)
    except ValueError as error:  # NotANumber, or the region is unknown
        fail(f"--{option.replace('_', '-')}: {error}")
    # A virtual number must be a phone number. The other options also take a SIP number.
    field = "virtual_phone_number" if option == "virtual_number" else "contact"
    values = {"virtual_phone_number": "70000000000", "contact": "70000000001", "operator": "70000000002"}
    request = StartSimpleCall.from_values({**values, "first_call": "contact", field: number})
    return str(getattr(request, field))


def _probes(args: Namespace, options: Options) -> list[Probe]:
    try:
        probes = select(args.only or (), with_calls=not args.no_calls)
    except ValueError as error:
        fail(f"--only: {error}")
    if any(probe.calls for probe in probes) and not (options.contact and options.virtual_number):
        fail("give --contact (your own phone) and --virtual-number, or --no-calls")
    return probes


def _agree(args: Namespace, plan: str) -> None:
    """Print the plan. Ask the user whether to begin, except with ``--yes``. On refusal, exit with ``1``."""
    say(plan)
    if args.yes:
        return
    if not sys.stdin.isatty():
        fail("no terminal to confirm the plan; use --yes")
    if not confirm("Begin? (y/n) "):
        fail("nothing was done")


def _gateway(settings: ConnectionSettings) -> Gateway:
    def service(url: str) -> Service:
        rpc = JsonRpc(url, timeout=settings.timeout, verify=settings.verify)
        return Service(
            rpc, login=settings.login, secret=settings.password.get_secret_value(), sleep=system_clock.sleep
        )

    data_api = settings.data_api_url
    return Gateway(
        call_api=service(settings.url),
        data_api=None if data_api is None else service(data_api),
        clock=system_clock.now,
        sleep=system_clock.sleep,
        say=say,
    )


def _print_findings(context: Context, args: Namespace) -> None:
    text = table_text(table(context), max(_LEAST_WIDTH, shutil.get_terminal_size().columns))
    if args.output == "text":
        write(text, sys.stdout)
        say("For the profile of the emulator, repeat the command with --output json. No call is repeated.")
        return
    with suppress(OSError, ValueError):  # as `say`, but without line breaks in the table
        sys.stderr.write(f"{text}\n")
    print_data(to_profile(context.findings, connection_zone=context.timezone, now=context.now), args)
