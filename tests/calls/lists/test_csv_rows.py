"""CSV: what a program wrote is read back, and a mark out of place never swallows a row."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.columns import find_columns
from airflow_provider_callapi.calls.lists.csv_rows import find_separator, read_csv
from airflow_provider_callapi.calls.texts.empty_values import is_empty_text
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

CELLS = st.text(st.sampled_from('абв ";,\t|\n12'), min_size=1, max_size=6).filter(
    lambda text: (
        not is_empty_text(text)
        and not re.search(r"\n\s*[12]{3}", text)  # may be the row of a SIP number
        and not ('"' in text and len(re.findall("[12]", text)) == 5)  # a lone mark beside a number is refused
    )
)
TABLES = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4)
PHONES = [f"7926000000{number}" for number in range(4)]


def read(text: str) -> list[dict[str, Any]]:
    return list(read_csv(iter(io.StringIO(text, newline=""))))


def written(table: list[tuple[str, str]], separator: str) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator)
    writer.writerow(["phone", "name", "note"])
    writer.writerows([phone, *cells] for phone, cells in zip(PHONES, table, strict=False))
    return file.getvalue()


@settings(max_examples=200)
@given(TABLES, st.sampled_from(";,\t|"))
def test_a_file_that_a_program_wrote_is_read_unchanged(table: list[tuple[str, str]], separator: str) -> None:
    expected = [
        {"phone": phone, "name": name, "note": note}
        for phone, (name, note) in zip(PHONES, table, strict=False)
    ]
    assert read(written(table, separator)) == expected


@settings(max_examples=400)
@given(TABLES, st.data())
def test_an_added_or_removed_quotation_mark_never_hides_a_phone_number(
    table: list[tuple[str, str]], data: st.DataObject
) -> None:
    text = written(table, ";")
    at = data.draw(st.integers(0, len(text)))
    marks = [position for position, character in enumerate(text) if character == '"']
    if marks and data.draw(st.booleans()):
        mark = data.draw(st.sampled_from(marks))
        damaged = text[:mark] + text[mark + 1 :]
    else:
        damaged = text[:at] + '"' + text[at:]
    try:
        rows = read(damaged)
        for row in rows:
            find_columns(tuple(row))
    except ListUnreadable:
        return
    cells = [str(row.get("phone")) for row in rows]
    for phone in PHONES[: len(table)]:
        assert phone not in damaged or any(phone in cell for cell in cells)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('phone;name\n1;"Анна\n2;Борис\n', "line 2: .*never closed"),
        ("phone;name\n1;" + "x" * 200_000 + "\n", "line 2: a value has more than 131,072 characters"),
        ('phone;name\n1;Анна\n2;"Борис" и сын\n', "line 3: .*out of place"),
        ('sep=;\nphone;name\n1;"Анна\n79260000002;"\n', "line 3: .*another row"),
        ("phone;name\n1;Анна;x\n", "line 2: more values than columns"),
        ('phone;name;timezone\n1;"Анна;Asia/Omsk"\n', "line 2: fewer values than columns"),
        ('phone;date\n"79260000001"; +79260000002";\n', "line 2: .*beside a number"),
        ("phone;name;timezone\n1;Анна;UTC\n2;Борис\n", "line 3: fewer values than columns"),
        ("phone;name;timezone\n1;Анна;UTC\n2", "line 3: fewer values than columns"),
        ("phone;;name\n1;x;Анна\n", "line 2: more values than columns"),
        ("phone;name;phone\n", "line 1: two columns are named 'phone'"),
        ("79260000001;Анна\n", "line 1: this line must name the columns"),
        ("\nphone;name\n", "line 1: .*it is empty"),
        ("phone;name,debt\n", "line 1: what separates"),
    ],
)
def test_the_error_about_damage_names_the_line(text: str, why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        read(text)


@pytest.mark.parametrize("name", ['ООО "Ромашка"', 'экран 5"', 'кв. "12345"'])
def test_quotation_marks_inside_a_text_are_no_damage(name: str) -> None:
    assert read(f"phone;name\n1;{name}\n") == [{"phone": "1", "name": name}]


def test_a_list_of_one_column_has_no_separators() -> None:
    assert read("phone\n1, 2; 3\n") == [{"phone": "1, 2; 3"}]
    assert find_separator(iter(["phone\n"])) == ","


def test_blank_lines_and_empty_cells_have_no_values() -> None:
    assert read("phone;name;;\n1;nan;;\n;\n\n \n2;\n") == [
        {"phone": "1", "name": None},
        {"phone": None, "name": None},
        {},
        {"phone": None},
        {"phone": "2", "name": None},
    ]


LINES = st.lists(st.sampled_from(["79260000001", "Anna", "", "UTC"]), min_size=1, max_size=4).map(tuple)


@given(st.lists(LINES, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n", ""]))
def test_a_row_has_a_value_for_each_column_or_is_refused_with_its_line(
    rows: list[tuple[str, ...]], end: str
) -> None:
    """A file that is cut off would lose the time zone of its last person."""
    text = "phone;name;timezone\n" + "\n".join(map(";".join, rows)) + end
    short = [line for line, row in enumerate(rows, start=2) if len(row) < 3 and any(row)]
    surplus = [line for line, row in enumerate(rows, start=2) if len(row) == 4 and row[3]]
    if not short and not surplus:
        assert all(len(row) == 3 or not any(row.values()) for row in read(text))
        return
    line = min(short + surplus)
    why = "fewer" if line in short else "more"
    with pytest.raises(ListUnreadable, match=f"line {line}: {why} values than columns"):
        read(text)


@pytest.mark.parametrize("first", ["+7 926 000-00-01", "sip25@example.com", "Anna;<sip:sip25@example.com>"])
def test_a_first_line_with_an_entry_is_no_heading_also_without_further_lines(first: str) -> None:
    with pytest.raises(ListUnreadable, match="line 1: this line must name the columns"):
        read(f"{first}\n")


@pytest.mark.parametrize(
    "name",
    [
        "Долг на 01.12.2026",
        "due 2026-12-01",
        "Платежи 2025-2026",
        "план 1.12.26 / факт 1.11.26",
        "Q4 2025 vs 2026",
        "Q1 2025/Q2 2026",
        "Долг 31.12.2026г.",
    ],
)
def test_a_name_of_a_column_may_contain_dates(name: str) -> None:
    assert read(f"phone;{name}\n{PHONES[0]};500\n") == [{"phone": PHONES[0], name: "500"}]


@pytest.mark.parametrize(
    "entry", ["8 926 2026 00 01 Анна", "8(2026)2025-26-01", "01.12.2026", "sip2026@example.com"]
)
def test_digits_like_those_of_a_date_make_no_name_of_an_entry(entry: str) -> None:
    with pytest.raises(ListUnreadable, match="but the name of column 2 contains a number or an address"):
        read(f"phone;{entry}\n")


@pytest.mark.parametrize("sip", ["sip26", "sip26@example.com", "100"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_quotation_mark_never_hides_the_row_of_a_sip_number(sip: str, separator: str) -> None:
    text = f'phone;name\nsip25;"Anna\n{sip};Boris"\nsip27;Vera\n'.replace(";", separator)
    with pytest.raises(ListUnreadable, match="line 2: a quotation mark opens here"):
        read(text)


@pytest.mark.parametrize("swallowed", ["79260000001", "+7 926 000-00-01", "sip25", "sip25@example.com"])
@pytest.mark.parametrize("heading", ["name;phone", "id;name;phone", "name;zone;phone"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quotation_mark_never_hides_a_row_whose_phone_number_stands_behind_the_name(
    swallowed: str, heading: str, separator: str, end: str
) -> None:
    """The quoted value begins in the middle of a row, and its first line holds the number of that row."""
    before = "17;" if heading.startswith("id") else ""
    zone = "UTC;" if "zone" in heading else ""
    rows = [
        heading,
        f"{before}Vera;{zone}79260000003",
        f'{before}"Anna;{zone}{swallowed}',
        f'{before}Boris";{zone}79260000002',
    ]
    text = end.join([*rows, ""]).replace(";", separator)
    with pytest.raises(ListUnreadable, match="line 3: a quotation mark opens here"):
        read(text)


def test_a_quoted_address_of_several_lines_is_no_swallowed_row() -> None:
    rows = read('phone;address\n79260000001;"Lenina 12\nhouse 3, flat 45"\n')
    assert rows == [{"phone": "79260000001", "address": "Lenina 12\nhouse 3, flat 45"}]


@pytest.mark.parametrize("line", ["sep=;", "SEP = ;", " sep=;", '"sep=;"', "sep=;;;;"])
def test_a_first_line_names_the_separator_however_it_is_written(line: str) -> None:
    assert read(f"{line}\nphone;name\n79260000001;Anna\n") == [{"phone": "79260000001", "name": "Anna"}]


@pytest.mark.parametrize("line", ["sep=\t", r"sep=\t"])
def test_a_first_line_names_a_tab_as_the_sign_or_by_its_escape_sequence(line: str) -> None:
    assert read(f"{line}\nphone\tname\n79260000001\tAnna\n") == [{"phone": "79260000001", "name": "Anna"}]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("heading", ['"phone\n(mobile)";name', 'name;"phone\n(mobile)"', '"a\nb\nc";"d\ne"'])
def test_a_name_of_a_column_may_have_several_lines(heading: str, separator: str) -> None:
    """Excel writes them so, if the author presses Alt+Enter in a heading."""
    text = f"{heading}\n1;2\n".replace(";", separator)
    [row] = read_csv(io.StringIO(text, newline=""))
    assert list(row.values()) == ["1", "2"]
    assert any("\n" in name for name in row)


def test_a_quotation_mark_that_the_first_line_never_closes_is_named() -> None:
    with pytest.raises(ListUnreadable, match=r"^line 1: .*quotation mark"):
        list(read_csv(io.StringIO('"phone;name\n' + "1;2\n" * 50, newline="")))
