"""Write tables as CSV and XLSX, of any length in little memory, and safe to open.

Cells are texts, numbers, moments (written in their own wall time) or None.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import IO, Any

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

Cell = str | int | float | datetime | None
Row = Sequence[Cell]

BOM = "\N{BYTE ORDER MARK}"  # without it Excel takes UTF-8 for something else
ROWS_AT_ONCE = 500
# Characters that make a spreadsheet take a text for a formula, full-width forms included: at its
# start, and after what another spreadsheet takes for the end of a cell.
STARTS_A_FORMULA = "=+-@\t\r\n|%＝＋－＠"
FORMULA = re.compile(rf"(?:^|(?<=[,;\t\r\n]))(?= *[{re.escape(STARTS_A_FORMULA)}])")
# Words that occur in a number, sum, time or date; months by their first three letters.
VALUE_WORD = re.compile(
    "e|[ap]m?|р|руб|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    "|янв|фев|мар|апр|май|мая|июн|июл|авг|сен|окт|ноя|дек)[a-zа-я]*"
)
WORD = re.compile(r"[^\W\d_]+")
TRUTHS = {"true", "false", "истина", "ложь"}
NO_VALUE = re.compile(r"[=@|\"\x00-\x1f]")
# Excel's limit for a text inside a formula.
LONGEST_QUOTED = 255
MOMENT = "dd.mm.yyyy hh:mm"
FORMATS = ("csv", "xlsx")


def response(file_format: str, name: str, header: Row, rows: Iterable[Row]) -> HttpResponseBase:
    """The table as a download called `name`."""
    make = {"csv": _csv_response, "xlsx": _xlsx_response}[file_format]
    return make(f"{name}.{file_format}", header, rows)


def harmless(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return FORMULA.sub("'", text)


def as_is(text: str) -> str:
    """Quote a text so that a spreadsheet shows it unchanged when the file is double-clicked.

    Otherwise «007» becomes 7, «3E5» 300,000, «1/2» and «10:30» moments; an apostrophe or space in
    front would be shown or ignored. Excel and LibreOffice read ="007" as the text.
    """
    if _looks_like_a_value(text) and not FORMULA.search(text, 1):
        return f'="{text}"'
    return harmless(text)


def csv_parts(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the file in parts, with semicolons, as spreadsheets in Russia expect."""
    yield BOM.encode() + _csv_part([header])
    remaining = iter(rows)
    while part := list(islice(remaining, ROWS_AT_ONCE)):
        yield _csv_part(part)


def xlsx_file(header: Row, rows: Iterable[Row]) -> IO[bytes]:
    """Return an open temporary file. Texts are written as texts."""
    file = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115 - the response closes it
    # Rows are written out as they come.
    workbook = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": MOMENT})
    sheet = workbook.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 18)
    for number, row in enumerate(chain([header], rows)):
        for column, cell in enumerate(row):
            _write(sheet, number, column, cell)
    workbook.close()
    file.seek(0)
    return file


def _csv_response(name: str, header: Row, rows: Iterable[Row]) -> HttpResponseBase:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    parts = csv_parts(header, rows)
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)


def _xlsx_response(name: str, header: Row, rows: Iterable[Row]) -> HttpResponseBase:
    return FileResponse(xlsx_file(header, rows), as_attachment=True, filename=name)


def _csv_part(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([map(_as_text, row) for row in rows])
    return text.getvalue().encode()


def _as_text(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, float):
        return str(cell).replace(".", ",")
    if isinstance(cell, int):
        return str(cell)
    return "" if cell is None else as_is(cell)


def _looks_like_a_value(text: str) -> bool:
    if len(text) > LONGEST_QUOTED or NO_VALUE.search(text):
        return False
    words = WORD.findall(text.casefold())
    if any(c.isdigit() for c in text):
        return all(map(VALUE_WORD.fullmatch, words))
    return text.strip().casefold() in TRUTHS


def _write(sheet: Any, row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell.replace(tzinfo=None))
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell is not None:
        sheet.write_number(row, column, cell)
