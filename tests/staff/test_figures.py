"""Figures count what the journal holds, and say in a table what the picture shows."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone

from booking.admin import bars, figures
from booking.admin.bars import Bar
from tests.bookings import booking, staff, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/booking/booking/figures/"


@pytest.fixture(autouse=True)
def _no_houses_remembered() -> None:
    cache.clear()


def table(figure: figures.Figure) -> dict[str, list[int]]:
    return {label: counts for label, counts in figure.table if sum(counts)}


def test_days_are_counted_by_state():
    booking(flat="1")
    booking(flat="2", outcome="refused")
    booking(flat="3", created_at=timezone.now() - timedelta(days=1))
    booking(flat="4", created_at=timezone.now() - timedelta(days=40))

    figure = figures.by_day(figures.made_within(30), 30)

    assert len(figure.table) == 30
    assert list(table(figure).values()) == [[1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0]]


def test_houses_are_named_and_the_busiest_comes_first():
    booking(house_id="1", house_title="Тихий")
    booking(house_id="2", house_title="Шумный", flat="1")
    booking(house_id="2", house_title="Шумный", flat="2")

    assert list(table(figures.by_house(figures.made_within(7)))) == ["Шумный", "Тихий"]


def test_hours_are_those_of_the_house():
    booking(starts_at=tomorrow_at(11), flat="1")
    kamchatka = ZoneInfo("Asia/Kamchatka")
    there = tomorrow_at(11).replace(tzinfo=kamchatka)
    booking(starts_at=there, time_zone="Asia/Kamchatka", flat="2")
    booking(starts_at=tomorrow_at(13), flat="3")
    booking(starts_at=tomorrow_at(13), flat="4", outcome="refused")

    figure = figures.by_hour(figures.made_within(7))

    assert figure.table == [("11:00", [2]), ("12:00", [0]), ("13:00", [1])]


@pytest.mark.parametrize(
    ("lead", "row"),
    [
        (timedelta(hours=23), 0),
        (timedelta(hours=25), 1),
        (timedelta(days=2, hours=1), 2),
        (timedelta(days=4), 3),
        (timedelta(days=7), 4),
        (timedelta(days=14), 5),
        (timedelta(days=15), 6),
    ],
)
def test_the_time_from_booking_to_visit(lead, row):
    now = timezone.now()
    booking(created_at=now, starts_at=now + lead)

    counts = [counts for _label, counts in figures.by_lead(figures.made_within(7)).table]

    assert counts == [[1] if number == row else [0] for number in range(7)]


def test_each_source_shows_how_far_its_bookings_got():
    letter = {"utm_source": "letter"}
    booking(flat="1", source=letter)
    booking(flat="2", source=letter, called_off_at=timezone.now())
    booking(flat="6", source=letter, moved_at=timezone.now())
    booking(flat="7", source=letter, starts_at=timezone.now() - timedelta(days=1))
    booking(flat="3", source=letter, outcome="refused")
    booking(flat="4", source=letter | {"ref": "x"}, outcome="not_sent")
    booking(flat="5", outcome="in_doubt")

    found = table(figures.by_source(figures.made_within(7)))

    assert found == {
        "letter": [2, 1, 1, 0],
        "letter / x": [0, 0, 0, 1],
        "без метки": [0, 0, 1, 0],
    }


def test_a_visit_that_was_moved_counts_once_and_one_that_is_off_is_no_visit():
    now = timezone.now()
    booking(starts_at=tomorrow_at(11), moved_at=now)
    booking(starts_at=tomorrow_at(15), written_by="olga")
    booking(starts_at=tomorrow_at(9), flat="2", called_off_at=now)
    made = figures.made_within(7)

    assert figures.by_hour(made).table == [("15:00", [1])]
    assert sum(counts[0] for _label, counts in figures.by_lead(made).table) == 1
    assert list(table(figures.by_house(made)).values()) == [[2]]
    assert list(table(figures.by_day(made, 7)).values()) == [[1, 0, 1, 0, 0, 0, 0]]
    assert table(figures.by_source(made)) == {"без метки": [1, 1, 0, 0]}


@pytest.mark.parametrize("text", ["42", "true", "null", "[1]", '"x"', "1e400"])
def test_a_mark_is_a_text_whatever_it_says(text):
    booking(source={"ref": text})

    assert list(table(figures.by_source(figures.made_within(7)))) == [text]


def test_of_many_sources_the_busiest_are_drawn(monkeypatch):
    monkeypatch.setattr(figures, "MOST_BARS", 2)
    for number, name in enumerate("addeea"):
        booking(flat=str(number), source={"utm_source": name}, outcome="refused")

    assert list(table(figures.by_source(figures.made_within(7)))) == ["a", "d"]


def test_the_page_is_pictures_and_tables_without_styles_or_scripts_inside():
    booking()
    operator = staff("olga", "operators")

    page = text_of(operator.get(PAGE, {"days": "7"}))
    content = page[page.index('<div id="content"') : page.index('<footer id="footer"')]

    assert content.count('aria-hidden="true" focusable="false"') == 5
    assert content.count("<table>") == 5
    assert "style=" not in content
    assert "<script" not in content


@pytest.mark.parametrize("days", ["", "0", "-1", "1000000", "x", "365"])
def test_any_period_can_be_asked_for(admin_client, days):
    assert admin_client.get(PAGE, {"days": days}).status_code == 200


def test_it_is_not_for_staff_without_a_role(django_user_model, client):
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))

    assert client.get(PAGE).status_code == 403


class TestBars:
    def test_parts_stand_on_one_another_and_fill_the_height(self):
        drawing = bars.columns([Bar("a", [("x", 1), ("y", 3)]), Bar("b", [("x", 2), ("y", 0)])])

        x, y, other = drawing.rects
        assert (x.height, y.height, other.height) == (50, 150, 100)
        assert x.y == y.y + y.height
        assert x.y + x.height == other.y + other.height

    def test_rows_share_one_scale(self):
        drawing = bars.rows([Bar("a", [("x", 10)]), Bar("b", [("x", 5)])])

        assert drawing.rects[0].width == 2 * drawing.rects[1].width
        assert drawing.rects[0].x + drawing.rects[0].width < bars.WIDTH

    @pytest.mark.parametrize("draw", [bars.rows, bars.columns])
    def test_nothing_and_zeros_can_be_drawn(self, draw):
        assert draw([]).rects == []
        assert draw([Bar("a", [("x", 0)])]).rects == []
