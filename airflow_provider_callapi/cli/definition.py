"""What ``airflow callapi`` can do. Airflow reads it whenever any of its commands starts: no heavy imports."""

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


class _HandedOn(Arg):
    """Everything that follows, options too, for a parser that is imported when it is needed."""

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.prefix_chars = ""  # nothing is an option of this parser, --help neither
        super().add_to_parser(parser)


_CONN_ID = Arg(
    ("--conn-id",), default="callapi_default", help="The connection to use (default: callapi_default)"
)
_ANSWER = Arg(
    ("-o", "--output"),
    choices=("text", "json", "yaml"),
    default="text",
    metavar="(text, json, yaml)",
    help="A line, or facts for a program (default: text)",
)
_PHONES = Arg(("--show-phone-numbers",), action="store_true", help="Do not shorten phone numbers")
_SESSION_ID = Arg(("call_session_id",), type=int, metavar="SESSION_ID", help="As `callapi calls` shows it")
_EMULATOR = _HandedOn(  # type: ignore[no-untyped-call]
    ("options",), nargs=argparse.REMAINDER, help="Options of the emulator; --help shows them"
)


def get_callapi_cli_commands() -> list[CLICommand]:
    """The group ``callapi``; the provider's info names this function under ``cli`` (Airflow 3.2+)."""
    commands = "airflow_provider_callapi.cli.commands"
    return [
        GroupCommand(
            name="callapi",
            help="Look at, and end, telephone calls of a CoMagic / UIS account",
            subcommands=(
                ActionCommand(
                    name="calls",
                    help="List the active calls; costs no points",
                    func=lazy_load_command(f"{commands}.calls"),
                    args=(_CONN_ID, ARG_OUTPUT, _PHONES, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="limits",
                    help="Show the points left; costs none",
                    func=lazy_load_command(f"{commands}.limits"),
                    args=(_CONN_ID, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="talk-options",
                    help="Show what a phone's buttons do during a talk",
                    func=lazy_load_command(f"{commands}.talk_options"),
                    args=(_CONN_ID, ARG_OUTPUT, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="release",
                    help="End an active call",
                    func=lazy_load_command(f"{commands}.release"),
                    args=(_SESSION_ID, _CONN_ID, _ANSWER, ARG_YES, ARG_VERBOSE),
                ),
                ActionCommand(
                    name="emulator",
                    help="Run a telephone exchange for demos and tests",
                    func=lazy_load_command(f"{commands}.emulator"),
                    args=(_EMULATOR,),
                ),
                ActionCommand(
                    name="check",
                    help="Try the connection; costs no points",
                    func=lazy_load_command(f"{commands}.check"),
                    args=(_CONN_ID, _ANSWER, ARG_VERBOSE),
                ),
            ),
        )
    ]
