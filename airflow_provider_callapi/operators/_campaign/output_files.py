"""What a campaign leaves behind in files: a row per person, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_callapi.calls.campaign.people import Skipped
from airflow_provider_callapi.calls.campaign.report import render_report
from airflow_provider_callapi.calls.campaign.results import write_results
from airflow_provider_callapi.calls.campaign.summary import Ending, Summary
from airflow_provider_callapi.operators._campaign.contact_list import csv_form, prepare_output_path

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

    from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator


class CampaignFiles:
    """The operator's ``results`` and ``report``: looked at before anybody is dialled, written in the end.

    :raises CallApiFailure: nothing can be written there; names the field.
    """

    def __init__(self, task: CallApiCampaignOperator) -> None:
        self._task = task
        self._csv_form = csv_form(task.contacts) if task.results else (",", False)
        self._places = {
            field: prepare_output_path(where, field)
            for field in ("results", "report")
            if (where := getattr(task, field))
        }

    def write(
        self,
        summary: Summary,
        endings: Sequence[Ending],
        invalid: Sequence[Skipped],
        *,
        calls_per_minute: float | None,
        unfinished: str | None,
    ) -> list[str]:
        """Write what is asked for; returns what could not be written, and why.

        :param calls_per_minute: what the points pay for.
        :param unfinished: why the campaign was stopped, if it was.
        """
        unwritten = []
        for field, path in self._places.items():
            try:
                if field == "results":
                    self._write_results(path, endings, invalid)
                else:
                    page = render_report(
                        summary,
                        endings,
                        invalid,
                        calls_per_minute=calls_per_minute,
                        timezone=self._task.timezone,
                        unfinished=unfinished,
                    )
                    with path.open("w", encoding="utf-8") as file:
                        file.write(page)
                self._task.log.info("Written: the %s, %s", field, path)
            except Exception as error:  # whatever a storage's provider raises
                unwritten.append(f"{field}: {path} could not be written: {type(error).__name__}: {error}")
        return unwritten

    def _write_results(
        self, path: ObjectStoragePath, endings: Sequence[Ending], invalid: Sequence[Skipped]
    ) -> None:
        is_csv = path.suffix.lower() == ".csv"
        separator, bom = self._csv_form
        with path.open("w", encoding="utf-8", newline="") as file:
            write_results(
                file,
                endings,
                invalid,
                file_format="csv" if is_csv else "jsonl",
                separator=separator,
                bom=bom,
            )
