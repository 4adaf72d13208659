"""How step 2 shows days and times: parts of the day, pages of a long horizon."""

import html
import re
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from booking import availability
from tests.journey import offered

pytestmark = pytest.mark.django_db
URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE_ID = "3105011"
FLAT = "1.8-12-1"


def step_2(client, **more: str) -> str:
    query = {"category": "flat", "house": HOUSE_ID, "flat": FLAT, **more}
    response = client.get(f"/time/?{urlencode(query)}")
    assert response.status_code == 200
    page: str = html.unescape(response.content.decode())
    return page


def a_whole_day(standin) -> str:
    """Not today, of which only the rest is left."""
    return str(standin.free_starts(HOUSE_ID, days_ahead=1)[0].date())


def test_many_times_are_shown_by_the_part_of_the_day(client, standin):
    page = step_2(client, date=a_whole_day(standin))

    parts = re.split(r"(Утро|День|Вечер)</h4>", page)
    shown = {
        label: re.findall(r">(\d\d:\d\d)<", part)
        for label, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    assert list(shown) == ["Утро", "День", "Вечер"]
    assert all(clock < "12:00" for clock in shown["Утро"])
    assert all("12:00" <= clock < "17:00" for clock in shown["День"])
    assert all(clock >= "17:00" for clock in shown["Вечер"])


def test_few_times_are_plain(client, standin):
    standin.switch(grid_minutes=120)

    page = step_2(client, date=a_whole_day(standin))

    assert "11:00" in page
    assert "</h4>" not in page


def test_a_short_horizon_has_no_other_pages(client, standin):
    assert "ранние дни" not in (page := step_2(client))
    assert "поздние дни" not in page


def test_a_long_horizon_has_pages_to_and_fro(client, standin, settings):
    settings.BOOKING_HORIZON_DAYS = 30
    today, *_between, second = availability.horizon(URAL)[:15]

    first_page = step_2(client)
    link = re.search(r'<a [^>]*href="([^"]+)">Более поздние дни', first_page)
    assert link
    assert f"date={second}" in link[1]
    assert "ранние дни" not in first_page

    second_page = step_2(client, date=second.isoformat())
    assert re.search(rf'<a [^>]*href="[^"]+date={today}[^"]*">Более ранние дни', second_page)
    assert re.search(r'<a [^>]*href="[^"]+">Более поздние дни', second_page)


def test_months_without_a_free_time_are_not_a_dead_end(client, standin, settings):
    settings.BOOKING_HORIZON_DAYS = 60
    days = availability.horizon(URAL)
    standin.switch(closed_days=[day.isoformat() for day in days[:50]])

    page = step_2(client)
    link = re.search(r'<a [^>]*href="([^"]+)">Более поздние дни', page)
    assert link
    later = offered(client.get(html.unescape(link[1])))

    assert 'name="start"' not in page
    assert days[42].isoformat() in link[1]
    assert any(url.endswith((f"date={days[50]}", f"date={days[51]}")) for url in later)


def test_nothing_free_at_all_says_so(client, standin, settings):
    standin.switch(closed_weekdays=[1, 2, 3, 4, 5, 6, 7])

    assert "свободного времени нет" in step_2(client).lower()
