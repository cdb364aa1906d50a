"""The definition of the ``airflow callapi`` commands.

Airflow imports this module at the start of every ``airflow`` command, so the module imports nothing heavy.
"""

from __future__ import annotations

import argparse

from airflow.cli.cli_config import (
    ARG_OUTPUT,
    ARG_VERBOSE,
    ARG_YES,
    ActionCommand,
    Arg,
    CLICommand,
    GroupCommand,
    lazy_load_command,
)

_PACKAGE = "airflow_provider_callapi.cli"


class _PassThroughArg(Arg):
    """A command-line argument that takes all remaining arguments, even those that begin with ``--``."""

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.prefix_chars = ""  # without prefix characters, this parser has no options, not even --help
        super().add_to_parser(parser)


_CONN_ID = Arg(
    ("--conn-id",), default="callapi_default", help="The connection to use (default: callapi_default)"
)
_TEXT_OUTPUT = Arg(
    ("-o", "--output"),
    choices=("text", "json", "yaml"),
    default="text",
    metavar="(text, json, yaml)",
    help="A line of text, or data for a program (default: text)",
)
_SHOW_PHONE_NUMBERS = Arg(("--show-phone-numbers",), action="store_true", help="Do not shorten phone numbers")


def _session_id(text: str) -> int:
    from airflow_provider_callapi.api.values.object_ids import ID_RANGE, read_object_id  # noqa: PLC0415 - see above

    try:
        return read_object_id(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a session id is {ID_RANGE}") from None


_SESSION_ID = Arg(
    ("call_session_id",),
    type=_session_id,
    metavar="SESSION_ID",
    help="The session id that `airflow callapi calls` shows",
)
_CAMPAIGN_ARGS = (
    Arg(
        ("action",),
        nargs="?",
        choices=("pause", "resume", "stop"),
        help="What to ask of the campaign; without it, the command lists the campaigns",
    ),
    Arg(("name",), nargs="?", metavar="NAME", help="The campaign's name"),
    Arg(
        ("--ledger-conn-id",),
        action="append",
        metavar="CONN_ID",
        help="A connection to a SQL ledger; can be repeated",
    ),
)
_EXTERNAL_ID = Arg(
    ("external_id",),
    metavar="EXTERNAL_ID",
    help="The external_id of the call, for example from the error CallUnresolved",
)
_NAMED_OBJECTS = tuple(
    Arg((flag,), action="append", type=kind, metavar=metavar, help=f"Check that the account has this {what}")
    for flag, kind, metavar, what in (
        ("--virtual-number", str, "NUMBER", "virtual number"),
        ("--scenario", int, "ID", "scenario"),
        ("--employee", int, "ID", "employee, with a telephone"),
        ("--media-file", int, "ID", "media file"),
        ("--tag", int, "ID", "tag"),
        ("--sip-line", str, "NUMBER", "SIP line"),
    )
)
_VERIFY_OPTIONS = (
    Arg(("--contact",), metavar="NUMBER", help="Your own phone: the only number that is called as a contact"),
    Arg(("--virtual-number",), metavar="NUMBER", help="The account's number that your phone shows"),
    Arg(("--second-number",), metavar="NUMBER", help="A second phone of yours, for calls between two people"),
    Arg(("--dead-operator",), metavar="NUMBER", help="A phone or SIP number that is switched off"),
    Arg(
        ("--region",),
        default="RU",
        metavar="CODE",
        help="ISO 3166 code of the country of numbers without a country code (default: %(default)s)",
    ),
    Arg(
        ("--only",),
        nargs="+",
        metavar="PROBE",
        help="Run only these probes: errors, login, points, reports, heard, hung_up, released, not_answered, "
        "dead_operator, talk, second_number, dates, limit_exceeded",
    ),
    Arg(("--no-calls",), action="store_true", help="Run only the probes that place no call"),
    Arg(
        ("--resume-file",),
        default="callapi-verify.state.json",
        metavar="FILE",
        help="What is known so far; an interrupted command continues from here (default: %(default)s)",
    ),
)
_VERIFY_DESCRIPTION = (
    "Measure how the service behaves, with calls to your own phone. A complete run places 8 calls, uses "
    "about 190 points and takes about ten minutes. All runs with the same resume file place at most 12 "
    "calls. The command shows its plan and asks before it begins."
)
# The emulator parses its options itself, so that Airflow need not import it to parse a command line.
_EMULATOR_OPTIONS = _PassThroughArg(  # type: ignore[no-untyped-call]
    ("options",), nargs=argparse.REMAINDER, help="Options of the emulator; --help lists them"
)


def get_callapi_cli_commands() -> list[CLICommand]:
    """Return the command group ``callapi`` for Airflow's command line, as a list with one entry.

    Airflow 3.2 and newer call this function. Airflow finds the name of the function in the module
    ``provider_info``.
    """
    commands = f"{_PACKAGE}.commands"
    return [
        GroupCommand(
            name="callapi",
            help="List and end telephone calls of a CoMagic / UIS account",
            subcommands=(
                ActionCommand(
                    name="calls",
                    help="List the active calls (times in UTC)",
                    func=lazy_load_command(f"{commands}.calls"),
                    args=(_CONN_ID, ARG_OUTPUT, _SHOW_PHONE_NUMBERS, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="find",
                    help="Find the calls with an external_id (times in UTC)",
                    func=lazy_load_command(f"{_PACKAGE}.find_call.find"),
                    args=(_EXTERNAL_ID, _CONN_ID, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="campaigns",
                    help="List campaigns (times in UTC); pause, resume or stop one",
                    func=lazy_load_command(f"{_PACKAGE}.campaigns.campaigns"),
                    args=(*_CAMPAIGN_ARGS, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="limits",
                    help="Show the points (rate-limit units) that are left",
                    func=lazy_load_command(f"{commands}.limits"),
                    args=(_CONN_ID, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="talk-options",
                    help="List the effects of phone buttons during a talk",
                    func=lazy_load_command(f"{commands}.talk_options"),
                    args=(_CONN_ID, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="release",
                    help="End an active call",
                    func=lazy_load_command(f"{commands}.release"),
                    args=(_SESSION_ID, _CONN_ID, _TEXT_OUTPUT, ARG_YES, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="emulator",
                    help="Run a telephone exchange for demos and tests",
                    func=lazy_load_command(f"{commands}.emulator"),
                    args=(_EMULATOR_OPTIONS,),
                ),
                ActionCommand(
                    name="check",
                    help="Test the connection",
                    func=lazy_load_command(f"{commands}.check"),
                    args=(_CONN_ID, _TEXT_OUTPUT, *_NAMED_OBJECTS, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="verify",
                    help="Measure how the service behaves, with calls to your own phone",
                    description=_VERIFY_DESCRIPTION,
                    func=lazy_load_command(f"{_PACKAGE}.verify_account.verify"),
                    args=(_CONN_ID, *_VERIFY_OPTIONS, _TEXT_OUTPUT, ARG_YES, ARG_VERBOSE),
                ),
                *(
                    ActionCommand(
                        name=name,
                        help=f"List the account's {what}",
                        func=lazy_load_command(f"{_PACKAGE}.account_lists.{name}"),
                        args=(_CONN_ID, ARG_OUTPUT, *more, ARG_VERBOSE),
                    )
                    for name, what, more in (
                        ("numbers", "virtual numbers", ()),
                        ("employees", "employees", (_SHOW_PHONE_NUMBERS,)),
                        ("scenarios", "scenarios", ()),
                        ("media", "sound files", ()),
                        ("tags", "tags", ()),
                    )
                ),
            ),
        )
    ]
