"""The resume file: a run writes its state to this file, so that a later run continues without calling again.

The file contains the findings, and the call that is active now. The file contains no phone number and no
secret.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from airflow_provider_callapi.verify.findings import Findings


class ActiveCall(BaseModel):
    """A call that the run has started, or is about to start.

    :ivar session_id: the session id of the call; None: the start request has got no answer yet.
    """

    external_id: str
    session_id: int | None = None


class State(BaseModel):
    """Everything that the resume file contains.

    :ivar conn_id: id of the Airflow connection.
    :ivar finished: the names of the probes (measurements) that need not run again.
    :ivar calls_placed: the number of start requests so far.
    :ivar active: the call that must be released; None: no call is active.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    version: Literal[1] = 1
    conn_id: str
    finished: list[str] = Field(default_factory=list)
    calls_placed: int = 0
    active: ActiveCall | None = None
    findings: Findings = Field(default_factory=Findings)


class ResumeFileInvalid(ValueError):
    """The resume file is not usable. The error text gives the reason and states what to do."""


class ResumeFile:
    """A resume file on the disk, and the state of the run that the file contains.

    :ivar state: the state of the run. `save` writes all changes of the state to the disk.
    """

    def __init__(self, path: Path, state: State) -> None:
        self.state = state
        self._path = path

    @classmethod
    def open(cls, path: Path, conn_id: str) -> ResumeFile:
        """Read the resume file. If the file does not exist, begin with an empty state.

        :raises ResumeFileInvalid: the file is no resume file, or belongs to another connection.
        """
        try:
            state = State.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls(path, State(conn_id=conn_id))
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
        return cls(path, state)

    def save(self) -> None:
        """Write the state to the resume file.

        If the process is killed during the write, the old file remains.
        """
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(self.state.model_dump_json(indent=2) + "\n", encoding="utf-8")
        new.replace(self._path)
