"""The functions that text_from_function.yml names: each returns the text of a call."""


def report(params):
    """Return what the night's load has read. Airflow passes the values of the run as ``params``."""
    rows = params["rows"]
    return (
        f"Ночная загрузка завершена, строк: {rows}." if rows else "Ночная загрузка не нашла ни одной строки."
    )
