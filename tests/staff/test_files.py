"""The day sheet and the export: the right rows, safe to open, and a line about who took them."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from booking import wording
from booking.admin import tables
from booking.models import House
from tests.bookings import booking, done_with_bookings, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
SHEET = f"{LOG}day-sheet/"
QUOTED = re.compile(r'="([^"]*)"')
FORMULA = '=HYPERLINK("http://example.test";"x")'


VALUES = (
    *("007", "3E5", "1/2", "10:30", "0031050", "3105011", "1.8-12-1", "1-2", "-1", "+1", "1,5"),
    *("12%", "5 р.", "1 мар", "мая 5", "12-dec", "10:30 pm", "TRUE", "ложь", "1 1/2", "$5", "٣"),
)


def csv_rows(response: Any) -> list[list[str]]:
    """As a program reads them, without what keeps a spreadsheet from reading a text as a number."""
    return [[QUOTED.sub(r"\1", cell) for cell in row] for row in raw_csv_rows(response)]


def raw_csv_rows(response: Any) -> list[list[str]]:
    text = response.getvalue().decode("utf-8")
    assert text.startswith(tables.BOM)
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))


def xlsx_rows(data: bytes) -> list[list[str]]:
    """The texts and numbers of the first sheet, and no formula among them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.findall(".//s:f", space) == []
    return [
        ["".join(cell.itertext()) for cell in row.findall("s:c", space)]
        for row in sheet.findall(".//s:row", space)
    ]


class TestTheDaySheet:
    def test_is_of_tomorrow_by_house_and_time(self, manager):
        booking(flat="late", starts_at=tomorrow_at(15))
        booking(flat="early", starts_at=tomorrow_at(9))
        booking(flat="elsewhere", house_id="2", house_title="Акация", starts_at=tomorrow_at(12))
        booking(flat="next week", starts_at=tomorrow_at(9) + timedelta(days=7))

        page = text_of(manager.get(SHEET))

        places = [page.index(text) for text in ("Акация", "elsewhere", "early", "late")]
        assert places == sorted(places)
        assert "next week" not in page
        assert "Подпись" in page

    @pytest.mark.parametrize(
        ("values", "is_there"),
        [
            ({}, True),
            ({"outcome": "in_doubt"}, True),
            ({"outcome": "refused"}, False),
            ({"outcome": "not_sent"}, False),
            ({"called_off_at": timezone.now()}, False),
            ({"moved_at": timezone.now()}, False),
        ],
    )
    def test_holds_what_may_take_place(self, operator, values, is_there):
        made = booking(**values)

        page = text_of(operator.get(SHEET))

        assert (made.reference in page) == is_there
        assert ("под вопросом" in page) == (made.outcome == "in_doubt")

    def test_a_day_is_that_of_the_house(self, operator):
        kamchatka = ZoneInfo("Asia/Kamchatka")
        early = datetime(2026, 12, 2, 1, 0, tzinfo=kamchatka)
        made = booking(starts_at=early, time_zone="Asia/Kamchatka")

        assert made.reference in text_of(operator.get(SHEET, {"day": "2026-12-02"}))
        assert made.reference not in text_of(operator.get(SHEET, {"day": "2026-12-01"}))
        assert "01:00" in text_of(operator.get(SHEET, {"day": "2026-12-02"}))

    def test_is_one_for_each_house_whatever_its_bookings_called_it(self, operator):
        now = timezone.now()
        booking(house_id="1", house_title="", flat="1", starts_at=tomorrow_at(9))
        booking(house_id="2", house_title="Акация", flat="2")
        booking(house_id="1", house_title="Вяз", flat="3", created_at=now - timedelta(days=1))
        booking(house_id="1", house_title="Бук", flat="4", created_at=now - timedelta(hours=1))

        page = text_of(operator.get(SHEET))

        headings = re.findall(r'<h2 id="house-\d">(.*?)</h2>', page)
        assert headings == ["Акация", "Бук"]

    def test_names_house_and_day_on_every_printed_page(self, operator):
        booking(flat="1")
        booking(flat="2", house_id="2", house_title="Акация")

        page = text_of(operator.get(SHEET))

        # What stands in the head of a table is printed anew on each page.
        heads = re.findall(r"<thead>(.*?)</thead>", page, re.DOTALL)
        assert len(heads) == 2
        for head, house in zip(heads, ("Акация", "Лесной квартал"), strict=True):
            assert house in head
            assert wording.day_in_words(tomorrow_at(11).date()) in head

    def test_tells_of_open_requests_and_addresses(self, operator):
        House.objects.create(house_id="3105011", address="ул. Лесная, 1")
        booking().change_requests.create(kind="cancel")

        page = text_of(operator.get(SHEET))

        assert "ул. Лесная, 1" in page
        assert "просит: отменить" in page

    def test_shows_whole_phones_by_permission_and_notes_it(self, operator, manager):
        booking()

        assert "123-45-67" not in text_of(operator.get(SHEET))
        assert not done_with_bookings().exists()
        assert "8 (900) 123-45-67" in text_of(manager.get(SHEET))
        assert done_with_bookings().get().kind == "saw_phones"

    @pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "0001-01-01", "9999-12-31"])
    def test_any_day_can_be_asked_for(self, operator, day):
        assert operator.get(SHEET, {"day": day}).status_code == 200

    def test_as_a_file(self, manager):
        booking(flat="12")

        header, row = csv_rows(manager.get(f"{LOG}day-sheet.csv"))
        assert header[0] == "Дом"
        assert row[2:5] == ["11:00", "квартира\N{NO-BREAK SPACE}12", "8 (900) 123-45-67"]
        assert len(xlsx_rows(manager.get(f"{LOG}day-sheet.xlsx").getvalue())) == 2
        assert [each.facts["bookings"] for each in done_with_bookings()] == [1, 1]


class TestTheExport:
    def test_is_what_the_filters_show(self, manager):
        wanted = booking(flat="1", source={"utm_source": "letter"}, crm_seconds=1.25)
        booking(flat="2", outcome="refused")
        query = {"state": "expected", "q": "1", "p": "7"}

        header, row = csv_rows(manager.get(f"{LOG}export.csv", query))

        shown = dict(zip(header, row, strict=True))
        assert shown["номер записи"] == wanted.reference
        assert shown["телефон"] == "8 (900) 123-45-67"
        assert shown["utm_source"] == "letter"
        assert shown["CRM, с"] == "1,25"
        assert shown["визит"] == f"{wanted.starts_at_local:%d.%m.%Y %H:%M}"

    def test_tells_in_one_word_how_each_visit_stands(self, manager):
        now = timezone.now()
        booking(flat="1")
        booking(flat="2", starts_at=now - timedelta(days=1))
        booking(flat="3", moved_at=now)
        booking(flat="4", called_off_at=now)
        booking(flat="5", outcome="in_doubt")
        booking(flat="6", written_by="olga")

        header, *rows = csv_rows(manager.get(f"{LOG}export.csv"))
        spreadsheet = xlsx_rows(manager.get(f"{LOG}export.xlsx").getvalue())

        shown = {row[header.index("квартира")]: row[header.index("состояние")] for row in rows}
        assert shown == {
            "1": "ожидается",
            "2": "прошёл",
            "3": "перенесён",
            "4": "отменён",
            "5": "под вопросом",
            "6": "ожидается",
        }
        by_staff = {row[header.index("записал сотрудник")] for row in rows}
        assert by_staff == {"", "olga"}
        state = spreadsheet[0].index("состояние")
        assert sorted(row[state] for row in spreadsheet[1:]) == sorted(shown.values())

    def test_is_a_spreadsheet_too(self, manager):
        booking(flat=FORMULA)

        _header, row = xlsx_rows(manager.get(f"{LOG}export.xlsx").getvalue())

        assert FORMULA in row

    @pytest.mark.parametrize(
        "text",
        [FORMULA, "+1", "-1", "@x", "\t=1", " =1", "\r=1", "＝1", "|x", "x,=1", "x;  +1", "x\t-1"],
    )
    @pytest.mark.parametrize("delimiter", [";", ",", "\t"])
    def test_never_hands_a_formula_to_a_spreadsheet(self, manager, text, delimiter):
        booking(flat="1", house_title=text, source={"ref": text})

        content = manager.get(f"{LOG}export.csv").getvalue().decode()

        rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
        cells = [QUOTED.sub("", cell.lstrip(" ")) for row in rows for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple(tables.STARTS_A_FORMULA))]

    @pytest.mark.parametrize("text", ["К-7", "ул. Лесная, 1", "a=b; c", "12А", "3 корпус", "x"])
    def test_leaves_other_texts_as_they_are(self, manager, text):
        booking(flat="1", house_title=text)

        assert text in csv_rows(manager.get(f"{LOG}export.csv"))[1]

    @pytest.mark.parametrize("text", VALUES)
    def test_leaves_texts_texts_that_a_spreadsheet_takes_for_something_else(self, manager, text):
        booking(flat=text, house_id=text, house_title=text, source={"ref": text})

        row = raw_csv_rows(manager.get(f"{LOG}export.csv"))[1]

        assert row.count(f'="{text}"') == 4

    def test_leaves_phones_and_numbers_of_bookings_texts(self, manager):
        made = booking(flat="К-7", phone="+998901234567")

        row = raw_csv_rows(manager.get(f"{LOG}export.csv"))[1]

        assert row[0] == made.reference
        assert '="998 90 123 45 67"' in row

    def test_leaves_moments_and_seconds_what_they_are(self, manager):
        made = booking(crm_seconds=1.25)

        row = raw_csv_rows(manager.get(f"{LOG}export.csv"))[1]

        assert {f"{made.starts_at_local:%d.%m.%Y %H:%M}", "1,25"} <= set(row)

    def test_is_written_down(self, manager):
        booking()
        manager.get(f"{LOG}export.csv", {"q": "+7 900 123-45-67"}).getvalue()

        entry = done_with_bookings().get(kind="exported")
        assert entry.by == "mark"
        assert entry.facts["bookings"] == 1
        assert entry.facts["phones"] == "whole"
        assert "900" not in str(entry.facts["filters"])

    def test_is_masked_without_the_permission(self, django_user_model):
        user = django_user_model.objects.create_user("x", is_staff=True)
        names = ["view_booking", "export_booking"]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client = Client()
        client.force_login(user)
        booking()

        text = client.get(f"{LOG}export.csv").getvalue().decode()

        assert "45-67" in text
        assert "123-45-67" not in text
        assert done_with_bookings().get().facts["phones"] == "masked"

    def test_is_not_for_everybody(self, operator):
        for name in ("export.csv", "export.xlsx", "day-sheet.csv"):
            assert operator.get(f"{LOG}{name}").status_code == 403
        assert "export.csv" not in text_of(operator.get(LOG))
        assert not done_with_bookings().exists()

    def test_knows_two_formats(self, manager):
        assert manager.get(f"{LOG}export.pdf").status_code == 404

    def test_too_many_for_a_spreadsheet_are_refused(self, manager, monkeypatch):
        monkeypatch.setattr("booking.admin.export.MOST_IN_A_SPREADSHEET", 1)
        booking(flat="1")
        booking(flat="2")

        assert manager.get(f"{LOG}export.xlsx").status_code == 302
        assert len(csv_rows(manager.get(f"{LOG}export.csv"))) == 3

    def test_filters_that_make_no_sense_lead_back_to_the_list(self, manager):
        assert manager.get(f"{LOG}export.csv", {"created_at__gte": "x"}).status_code == 302


@pytest.mark.parametrize("file_format", tables.FORMATS)
def test_a_longer_file_takes_no_more_memory(file_format):
    def peak(count: int) -> int:
        rows: Iterator[tables.Row] = (
            [f"row {number}", number, tomorrow_at(9)] for number in range(count)
        )
        tracemalloc.start()
        with closing(tables.response(file_format, "x", ["a", "b", "c"], rows)) as response:
            for _part in response:
                pass
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # what is loaded once is not the file's
    assert peak(20_000) < peak(2_000) + 300_000
