"""Write the two files of a finished campaign: a table with the result of each person, and an HTML report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.campaign.contact_list.people import Plan, Skipped
from airflow_provider_callapi.calls.campaign.contact_list.shard import Shard, read_shard
from airflow_provider_callapi.calls.campaign.results.campaign_report import render_report
from airflow_provider_callapi.calls.campaign.results.result_file import write_results
from airflow_provider_callapi.calls.campaign.results.summary import Ending, Summary
from airflow_provider_callapi.operators._campaign.contact_list import csv_form
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._storage import prepare_output_path

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def shard_path(path: str, shard: Shard) -> str:
    """Add the shard's number to a file's path: ``results.csv`` becomes ``results-2-of-4.csv``.

    A shard is the part of a contact list that one task calls.
    """
    # With the number, the tasks of a campaign do not overwrite each other's files.
    own = f"{shard.number}-of-{shard.count}"
    folder, slash, name = path.rpartition("/")
    if shard.count == 1 or re.search(rf"(?<!\d){own}(?!\d)", name):  # not 1-of-12 in x-11-of-12.csv
        return path
    stem, dot, suffix = name.rpartition(".")
    return f"{folder}{slash}{stem}-{own}{dot}{suffix}" if dot else f"{path}-{own}"


class OutputFiles:
    """Writes the results file and the campaign report, if the author has named paths for them.

    The constructor checks the paths before the campaign dials.
    """

    def __init__(self, options: CampaignOptions, log: Any) -> None:
        self._log = log
        self._timezone = options.timezone
        results = options.results if isinstance(options.results, str) else None
        self._csv_form = csv_form(options.contacts) if results else (",", False)
        wanted = {"results": results, "report": options.report}
        shard = read_shard(options.shard)
        paths = {name: shard_path(path, shard) for name, path in wanted.items() if path}
        if "results" in paths:  # with the number of its shard, it may be the contact list
            options.check_results_path(paths["results"])
        self._paths = {name: prepare_output_path(path, name) for name, path in paths.items()}

    @property
    def paths(self) -> list[str]:
        """The paths of the files that `write` writes, as text.

        The paths of a shard contain the shard's number, e.g. ``results-2-of-4.csv``.
        """
        return [str(path) for path in self._paths.values()]

    def write(
        self,
        summary: Summary,
        endings: Sequence[Ending],
        plan: Plan,
        *,
        calls_per_minute: float | None,
        unfinished: str | None,
    ) -> list[str]:
        """Write the results file and the campaign report.

        :param summary: the counts of people and calls.
        :param endings: the result and the attempts of each person.
        :param plan: the people, the invalid rows and the duplicates of the contact list.
        :param calls_per_minute: how many calls the points of one minute pay for; None: unknown.
        :param unfinished: why the campaign stopped dialling, as text; None: it did not stop.
        :return: an error text for each file that could not be written.
        """
        problems = []
        for name, path in self._paths.items():
            try:
                if name == "results":
                    self._write_results(path, endings, plan.skipped)
                else:
                    page = render_report(
                        summary,
                        endings,
                        plan.invalid,
                        calls_per_minute=calls_per_minute,
                        timezone=self._timezone,
                        unfinished=unfinished,
                    )
                    with path.open("w", encoding="utf-8", errors="replace") as file:
                        file.write(page)
                self._log.info("Written: the %s, %s", name, path)
            except Exception as error:  # each storage provider raises its own exception classes
                problems.append(f"{name}: {path} could not be written: {type(error).__name__}: {error}")
        return problems

    def _write_results(
        self, path: ObjectStoragePath, endings: Sequence[Ending], skipped: Sequence[Skipped]
    ) -> None:
        is_csv = path.suffix.lower() == ".csv"
        separator, bom = self._csv_form
        # UTF-8 cannot encode a lone surrogate, which a row may contain: it becomes `?`, as in a table.
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            write_results(
                file,
                endings,
                skipped,
                file_format="csv" if is_csv else "jsonl",
                separator=separator,
                bom=bom,
            )
