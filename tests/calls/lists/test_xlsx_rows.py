"""Workbooks: one sheet with values, whose cells all have values."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

openpyxl = pytest.importorskip("openpyxl", reason="an extra of the package")

from airflow_provider_callapi.calls.lists.xlsx_rows import read_xlsx  # noqa: E402
from airflow_provider_callapi.calls.texts.shown_values import LongNumber  # noqa: E402
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable  # noqa: E402


def workbook(*lines: list[Any], more_sheets: int = 0, merged: Sequence[str] = ()) -> io.BytesIO:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    for cells in merged:
        book.active.merge_cells(cells)
    for _ in range(more_sheets):
        book.create_sheet().merge_cells("A1:B2")
    return saved(book)


def with_hidden(lines: Sequence[int]) -> io.BytesIO:
    """Return a workbook of three people, in which some lines are hidden."""
    book = openpyxl.Workbook()
    for line in PEOPLE:
        book.active.append(line)
    for line in lines:
        book.active.row_dimensions[line].hidden = True
    return saved(book)


def with_sheet(change: Callable[[str], str]) -> io.BytesIO:
    """Return a workbook of three people, in which the XML of the sheet is changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(workbook(*PEOPLE)) as whole, zipfile.ZipFile(changed, "w") as copy:
        for name in whole.namelist():
            text = whole.read(name).decode()
            copy.writestr(name, change(text) if name.endswith("sheet1.xml") else text)
    return changed


def saved(book: Any) -> io.BytesIO:
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def test_cells_keep_their_values_and_blank_lines_are_left_out() -> None:
    file = workbook([], ["phone", "Name", None], [79260000001.0, "Анна"], [], [None, "NaN"], more_sheets=2)

    assert list(read_xlsx(file)) == [{"phone": 79260000001, "Name": "Анна"}]


def test_a_row_has_a_value_for_each_column_also_if_its_last_cells_are_empty() -> None:
    """A workbook does not store such cells. A CSV file has them."""
    file = workbook(["phone", "name", "timezone"], ["79260000001"], ["79260000002", "Борис"])

    assert list(read_xlsx(file)) == [
        {"phone": "79260000001", "name": None, "timezone": None},
        {"phone": "79260000002", "name": "Борис", "timezone": None},
    ]


def test_the_code_of_a_control_character_is_read_as_excel_shows_it() -> None:
    """Programs write a line end of Windows in a cell so."""
    file = workbook(
        ["phone_x000D_\n", "name"],
        ["79260000001_x000D_\n79260000002", "Анна_x000d_\nИванова"],
        ["79260000003_x000D_", "x_000D_ _x0041_"],
    )

    assert list(read_xlsx(file)) == [
        {"phone": "79260000001\r\n79260000002", "name": "Анна\r\nИванова"},
        {"phone": "79260000003\r", "name": "x_000D_ _x0041_"},
    ]


@pytest.mark.parametrize("cell", ['<c r="B2" t="str"><f>A2</f><v></v></c>', '<c r="B2"><f>A2</f></c>'])
def test_the_advice_for_a_formula_helps_also_if_its_result_is_an_empty_text(cell: str) -> None:
    """Excel stores the result of ``=IF(C2="","",C2)`` like a program that calculates nothing."""
    file = workbook(["phone", "timezone"], ["79260000001", "x"])
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(r'<c r="B2".*?</c>', cell, old.read(name).decode()))

    with pytest.raises(ListUnreadable, match=r"no stored result, or an empty one\. .* save it as CSV UTF-8"):
        list(read_xlsx(changed))


def test_a_line_of_failed_formulas_is_a_row_but_not_the_line_of_column_names() -> None:
    file = workbook(["#ССЫЛКА!", "#REF!"], ["phone", "name"], ["#N/A", "#ЗНАЧ!"])

    assert list(read_xlsx(file)) == [{"phone": "#N/A", "name": "#ЗНАЧ!"}]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "the workbook is empty"),
        ([["phone", "phone"], [1, 2]], "line 1: two columns are named 'phone'"),
        ([["phone"], [79260000001, "Анна"]], "line 2: more values than columns"),
        ([["phone", "name"], [79260000001, "=A1"]], "line 2: a formula has no stored result"),
        ([[79260000001, "Анна"]], "line 1: this line must name the columns"),
    ],
)
def test_a_damaged_workbook_is_refused(lines: list[list[Any]], why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        list(read_xlsx(workbook(*lines)))


PEOPLE = [
    ["phone", "name", "timezone"],
    [79260000001, "Анна", "Asia/Vladivostok"],
    [79260000002, "Борис", None],
    [79260000003, "Вера", None],
]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3))
def test_a_workbook_with_merged_cells_is_refused(line: int, column: int, lines: int, columns: int) -> None:
    last = max(columns, 0 if lines else 1)  # one cell alone cannot be merged
    cells = f"{'ABCDEFG'[column - 1]}{line}:{'ABCDEFG'[column - 1 + last]}{line + lines}"
    file = workbook(*PEOPLE, merged=["A9:B9", cells])

    with pytest.raises(ListUnreadable, match=f"^line {line}: merged cells. Unmerge the cells, and write"):
        list(read_xlsx(file))


def test_merged_cells_are_found_in_each_spelling_of_the_xml_and_in_any_part_of_the_workbook() -> None:
    file = renamed(workbook(*PEOPLE, merged=["C2:C4"]), "xl/worksheets/sheet1.xml", "xl/people.xml")

    with pytest.raises(ListUnreadable, match=r"^line 2: merged cells"):
        list(read_xlsx(file))


def renamed(workbook: io.BytesIO, part: str, name: str) -> io.BytesIO:
    """Return a workbook whose sheet has another file name, and a prefix for the names of merged cells."""
    file = io.BytesIO()
    with zipfile.ZipFile(workbook) as before, zipfile.ZipFile(file, "w") as after:
        for entry in before.namelist():
            content = before.read(entry).replace(part.encode(), name.encode())
            space = b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
            content = content.replace(b"<mergeCell ", b"<x:mergeCell " + space + b" ")
            after.writestr(name if entry == part else entry, content)
    return file


def test_merged_cells_of_a_sheet_without_values_do_not_count() -> None:
    assert len(list(read_xlsx(workbook(*PEOPLE, more_sheets=1)))) == 3


def test_words_about_merged_cells_are_no_merged_cells() -> None:
    name = '<mergeCell ref="A1:B2"/>'

    assert list(read_xlsx(workbook(["phone", "name"], [79260000001, name]))) == [
        {"phone": 79260000001, "name": name}
    ]


@given(st.lists(st.integers(1, 4), min_size=1))
def test_a_workbook_with_a_hidden_row_is_refused(lines: list[int]) -> None:
    with pytest.raises(ListUnreadable, match=f"^line {min(lines)}: a hidden row. Show all rows, and delete"):
        list(read_xlsx(with_hidden(lines)))


@pytest.mark.parametrize(("height", "is_hidden"), [("0", True), ("0.0", True), ("20", False), ("0.5", False)])
def test_a_row_without_height_is_a_hidden_row(height: str, is_hidden: bool) -> None:
    file = with_sheet(lambda xml: xml.replace('<row r="2"', f'<row r="2" ht="{height}" customHeight="1"'))

    if is_hidden:
        with pytest.raises(ListUnreadable, match=r"^line 2: a hidden row"):
            list(read_xlsx(file))
    else:
        assert len(list(read_xlsx(file))) == 3


@given(st.integers(1, 4), st.integers(1, 3))
def test_a_struck_through_cell_is_refused_if_it_has_a_value(line: int, column: int) -> None:
    book = openpyxl.Workbook()
    for values in PEOPLE:
        book.active.append(values)
    cell = book.active.cell(line, column)
    cell.font = openpyxl.styles.Font(strike=True)
    if cell.value is None:
        assert len(list(read_xlsx(saved(book)))) == 3
    else:
        with pytest.raises(ListUnreadable, match=f"^line {line}: a struck-through cell. Delete the rows"):
            list(read_xlsx(saved(book)))


def test_a_hidden_row_without_a_value_does_not_count() -> None:
    assert len(list(read_xlsx(with_hidden([9])))) == 3


@pytest.mark.parametrize("content", [b"", b"phone;name", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(ListUnreadable, match="not a readable"):
        list(read_xlsx(io.BytesIO(content)))


def test_a_number_keeps_the_digits_that_only_its_number_format_shows() -> None:
    """In Russia, 9162345678 is another person than +1 916 234-5678."""
    book = openpyxl.Workbook()
    book.active.append(["phone", "timezone", "pin"])
    book.active.append([9162345678, 5, 42])
    for column, number_format in enumerate(['"+1 "(000) 000-0000', '"UTC-"0', "0000"], start=1):
        book.active.cell(2, column).number_format = number_format

    assert list(read_xlsx(saved(book))) == [
        {"phone": "+1 (916) 234-5678", "timezone": "UTC-5", "pin": "0042"}
    ]


def test_a_value_has_the_text_that_its_cell_shows_and_stays_a_value() -> None:
    book = openpyxl.Workbook()
    shown: dict[str, tuple[Any, str, str]] = {
        "discount": (0.15, "0%", "15%"),
        "all": (1, "0%", "100%"),
        "due": (datetime(2026, 12, 1), "DD.MM.YYYY", "01.12.2026"),
        "at": (time(18, 30), "hh:mm", "18:30"),
        "for": (timedelta(hours=30), "[h]:mm", "30:00"),
        "sum": (0.567, "0.00", "0.57"),
        "plain": (1234.5, "#,##0.00", "1234.5"),
        "whole": (1500, '#,##0.00" руб."', "1500"),
        "flag": (True, "General", "True"),
    }
    book.active.append(list(shown))
    book.active.append([value for value, _, _ in shown.values()])
    for column, (_, number_format, _) in enumerate(shown.values(), start=1):
        book.active.cell(2, column).number_format = number_format

    [row] = read_xlsx(saved(book))

    assert {name: str(value) for name, value in row.items()} == {
        name: text for name, (*_, text) in shown.items()
    }
    assert row == {name: value for name, (value, *_) in shown.items()}


@pytest.mark.parametrize("number_format", ["General", "0000-0000-0000-0000", "0%"])
@pytest.mark.parametrize(("value", "is_long"), [(10**15 - 1, False), (10**15, True), (-1.5e19, True)])
def test_a_workbook_does_not_hold_the_last_digits_of_a_long_number(
    value: float, is_long: bool, number_format: str
) -> None:
    book = openpyxl.Workbook()
    for cell in ("order", value):
        book.active.append([cell])
    book.active["A2"].number_format = number_format

    [row] = read_xlsx(saved(book))

    assert isinstance(row["order"], LongNumber) == is_long


@pytest.mark.parametrize(
    ("value", "number_format"), [(9162345678, '[>9999999]"+1 "0;0'), ("9162345678", '"+1 "@')]
)
def test_a_value_whose_format_may_show_other_digits_makes_the_workbook_unreadable(
    value: Any, number_format: str
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["phone"])
    book.active.append([value])
    book.active["A2"].number_format = number_format

    with pytest.raises(ListUnreadable, match="line 2: a number format that may show further digits"):
        list(read_xlsx(saved(book)))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('<row r="2"', '<row r="9"', 3),
        ('<row r="4"', '<row r="3"', 3),
        (r'(<c r="A3".*?</c>)(<c r="B3".*?</c>)', r"\2\1", 3),
        ('<c r="B4"', '<c r="A4"', 4),
    ],
)
def test_a_workbook_whose_lines_or_cells_are_not_in_order_is_refused(old: str, new: str, line: int) -> None:
    """openpyxl leaves them out, and the list would be shorter without a word."""
    with pytest.raises(ListUnreadable, match=f"line {line}: a line or cell is stored in a wrong place"):
        list(read_xlsx(with_sheet(lambda xml: re.sub(old, new, xml))))


@pytest.mark.parametrize("number_format", ["dd.mm.yyyy", "mmm-yy", "h:mm", "[h]:mm"])
@pytest.mark.parametrize("column", [1, 2])
def test_a_number_that_a_date_format_hides_makes_the_workbook_unreadable(
    number_format: str, column: int, recwarn: pytest.WarningsRecorder
) -> None:
    book = openpyxl.Workbook()
    for line in (["phone", "mobile"], [79260000001, 79260000002], [79260000003, 79260000004]):
        book.active.append(line)
    book.active.cell(3, column).number_format = number_format
    with pytest.raises(ListUnreadable, match=r"^line 3: a number has the format of a date"):
        list(read_xlsx(saved(book)))
    assert not recwarn.list


def test_an_error_that_an_author_has_typed_or_a_formula_has_given_stays() -> None:
    book = workbook(["phone", "mobile"], [79260000001, "#VALUE!"])
    assert list(read_xlsx(book)) == [{"phone": 79260000001, "mobile": "#VALUE!"}]


def test_the_error_of_a_strict_open_xml_workbook_names_the_form_to_save() -> None:
    changed = io.BytesIO()
    with zipfile.ZipFile(workbook(*PEOPLE)) as whole, zipfile.ZipFile(changed, "w") as copy:
        for name in whole.namelist():
            text = whole.read(name).decode()
            strict = text.replace("schemas.openxmlformats.org", "purl.oclc.org/ooxml").replace(
                "2006/main", "main"
            )
            copy.writestr(name, strict if name.startswith("xl/work") else text)

    with pytest.raises(ListUnreadable, match="not as a Strict Open XML Spreadsheet"):
        list(read_xlsx(changed))


def test_a_workbook_with_more_than_26_columns_is_in_order() -> None:
    names = ["phone", *(f"c{number}" for number in range(60))]

    [row] = read_xlsx(workbook(names, [79260000001, *range(60)]))

    assert row["c59"] == 59


@pytest.mark.parametrize(
    ("value", "number_format", "is_empty"),
    [
        *((0, form, True) for form in ("dd.mm.yyyy", "mm-dd-yy", "dddd", "dd.mm.yyyy hh:mm")),
        (0.5, "dd.mm.yyyy", True),
        *((0.5, form, False) for form in ("hh:mm", "[h]:mm", "General")),
        (0, "hh:mm", False),
        (46357, "dd.mm.yyyy", False),
    ],
)
def test_a_cell_that_shows_the_date_0_is_empty(value: float, number_format: str, is_empty: bool) -> None:
    """Excel shows `00.01.1900`: the cell has no date."""
    book = openpyxl.Workbook()
    for line in (["phone", "due"], [79260000001, value]):
        book.active.append(line)
    book.active["B2"].number_format = number_format

    [row] = read_xlsx(saved(book))

    assert (row["due"] is None) == is_empty
