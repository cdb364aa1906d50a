"""The resume file of ``airflow callapi verify``, from which an interrupted run continues.

A run writes the file after each step, so that a later run does not place the same calls again. The file
contains the findings, the names of the finished probes (experiments), and the call that the run must still
end. The file contains no phone number and no secret.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from airflow_provider_callapi.verify.findings import Findings

_ACCOUNT_DIGITS = 4


class ActiveCall(BaseModel):
    """A call that a run of ``airflow callapi verify`` has placed, or is about to place.

    If the run is killed, the next run reads this record in the resume file, and ends the call.

    :ivar external_id: the ``external_id`` in the start request.
    :ivar session_id: the session id of the call. None: neither a reply nor a search has shown it yet.
    :ivar started_at: when the reply to the start request came, or else when the request was sent. Epoch
        seconds.
    :ivar others: the session ids of the calls that were active before the start request. A search for this
        call ignores them.
    """

    external_id: str
    session_id: int | None = None
    started_at: float = 0.0
    others: list[int] = Field(default_factory=list)


class State(BaseModel):
    """Everything that the resume file of ``airflow callapi verify`` contains.

    :ivar version: the version of the file format.
    :ivar conn_id: the id of the Airflow connection.
    :ivar account: the first digits of a hash of the account's address and credentials. They are too few to
        guess a password from. Empty: an older version has written the file.
    :ivar finished: the names of the finished probes. A later run leaves them out.
    :ivar calls_placed: how many start requests all runs with this file have sent, including failed ones.
    :ivar active: the call that the command must release (end); None: no call is active.
    :ivar findings: what the probes have found out so far.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    version: Literal[1] = 1
    conn_id: str
    account: str = ""
    finished: list[str] = Field(default_factory=list)
    calls_placed: int = 0
    active: ActiveCall | None = None
    findings: Findings = Field(default_factory=Findings)


class ResumeFileInvalid(ValueError):
    """Raised if the resume file cannot be used, e.g. because another run uses it.

    The error message gives the reason, and states what the user must do.
    """


@contextmanager
def only_user(path: Path) -> Iterator[None]:
    """Context manager: let no other run use a resume file during the ``with`` block.

    A second run would end the active call of the first, and overwrite its findings. The block locks another
    file, ``<path>.lock``, because each write replaces the resume file. The operating system unlocks the file
    even if the process is killed. The empty file remains.

    :param path: the path of the resume file, which need not exist.
    :raises ResumeFileInvalid: another run uses the resume file, or the lock file cannot be created or locked.
    """
    lock = path.with_name(path.name + ".lock")
    with ExitStack() as stack:
        try:
            fcntl.flock(stack.enter_context(lock.open("a")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResumeFileInvalid(
                f"{path}: another airflow callapi verify uses this file; wait for its end, or name another "
                "file with --resume-file"
            ) from None
        except OSError as error:
            raise ResumeFileInvalid(
                f"{lock}: cannot be locked ({type(error).__name__}); name another file with --resume-file"
            ) from None
        yield


class ResumeFile:
    """The resume file of a run: the findings and the active call, in memory and in a file.

    :param path: the path of the file.
    :ivar state: the contents in memory. After a change, invoke `save`, which writes the contents to the file.
    """

    def __init__(self, path: Path, state: State) -> None:
        self.state = state
        self._path = path

    @classmethod
    def open(cls, path: Path, conn_id: str, account_digest: str) -> ResumeFile:
        """Read the resume file. If the file does not exist, begin with empty contents.

        :param path: the path of the file.
        :param conn_id: the id of the Airflow connection that the run uses.
        :param account_digest: a hash of the account's address and credentials.
        :return: the contents as a `ResumeFile`.
        :raises ResumeFileInvalid: the file cannot be read, is not a resume file, or belongs to another
            Airflow connection than ``conn_id`` or to another account.
        """
        account = account_digest[:_ACCOUNT_DIGITS]
        try:
            state = State.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls(path, State(conn_id=conn_id, account=account))
        except (OSError, ValidationError) as error:
            raise ResumeFileInvalid(
                f"{path}: not a readable resume file ({type(error).__name__}); "
                "name another file with --resume-file"
            ) from None
        if state.conn_id != conn_id:
            raise ResumeFileInvalid(
                f"{path}: the file belongs to the connection {state.conn_id}; "
                "name another file with --resume-file"
            )
        if state.account not in ("", account):
            left = " A call of that run may be active: hang up your phone." if state.active else ""
            raise ResumeFileInvalid(
                f"{path}: the connection {conn_id} had another account or other credentials when the file "
                f"was written; name another file with --resume-file.{left}"
            )
        state.account = account
        return cls(path, state)

    def save(self) -> None:
        """Write `state` to the file. If the process is killed during the write, the old file remains.

        :raises ResumeFileInvalid: the file cannot be written.
        """
        new = self._path.with_name(self._path.name + ".new")
        try:
            new.write_text(self.state.model_dump_json(indent=2) + "\n", encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            raise ResumeFileInvalid(
                f"{self._path}: cannot be written ({type(error).__name__}); "
                "name another file with --resume-file"
            ) from None
