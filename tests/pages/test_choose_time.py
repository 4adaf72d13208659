"""Step 2: the day and the time."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.utils import timezone

from tests.journey import (
    FLAT,
    HOUSE,
    answers,
    first_free,
    offered_times,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestChooseTime:
    def url(self, **more):
        query = {"category": "flat", "house": HOUSE, "flat": FLAT, **more}
        return "/time/?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())

    def test_the_nearest_free_day_is_open(self, client, standin, settings):
        settings.BOOKING_MIN_NOTICE_HOURS = 24
        earliest = timezone.now() + timedelta(hours=24)
        # The first day with a free time may be the same for two numbers of days ahead.
        starts = sorted(
            {
                start
                for days in range(1, 4)
                for start in standin.free_starts(HOUSE, days_ahead=days)
                if start >= earliest
            }
        )
        page = client.get(self.url())

        nearest = [start for start in starts if start.date() == starts[0].date()]
        assert [parse_qs(urlsplit(url).query)["start"] for url in offered_times(page)] == [
            [f"{start:%Y-%m-%dT%H:%M}"] for start in nearest
        ]

    def test_times_lead_to_the_last_step(self, client, standin):
        start = first_free(standin)
        page = client.get(self.url(date=f"{start:%Y-%m-%d}", ref="sms"))

        chosen = f"category=flat&house={HOUSE}&flat={FLAT}&ref=sms"
        at = quote(f"{start:%Y-%m-%dT%H:%M}")
        assert f"/confirm/?{chosen}&start={at}" in offered_times(page)

    def test_every_day_of_the_horizon_is_there(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 7
        standin.switch(closed_weekdays=[7])
        page = client.get(self.url())

        assert standin.count("getFreeTimes") == 7
        assert "всё занято" in text_of(page)

    def test_days_are_remembered_for_a_short_time(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 3
        client.get(self.url())
        client.get(self.url())

        assert standin.count("getFreeTimes") == 3

    def test_a_day_that_fails_is_not_shown_as_full(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 2
        standin.fail("getFreeTimes", "status", times=2)
        settings.MACROCRM_CONCURRENCY = 1
        page = client.get(self.url())

        assert "показать" in text_of(page)

    def test_the_zone_is_named(self, client, standin):
        assert "Екатеринбургу" in text_of(client.get(self.url()))

    def test_an_unlisted_flat_goes_back_to_the_first_step(self, client, standin):
        page = client.get(f"/time/?category=flat&house={HOUSE}&flat=nope")

        assert page.url == f"/?category=flat&house={HOUSE}&flat=nope"

    def test_a_time_that_is_gone_is_named_and_others_are_near(self, client, standin):
        lost = standin.free_starts(HOUSE)[3]
        standin.hand_to_a_rival(HOUSE, lost)
        page = client.get(self.url(start=f"{lost:%Y-%m-%dT%H:%M}"))

        html = text_of(page)
        assert f"{lost:%H:%M}" in html
        assert "уже записался кто-то другой" in html
        near = [f"{lost + timedelta(minutes=m):%Y-%m-%dT%H:%M}" for m in (-30, 30)]
        times = offered_times(page)
        assert all(any(url.endswith(quote(start)) for url in times) for start in near)

    @pytest.mark.parametrize("odd", ["2031-13-45T99:99", "завтра", "2031-01-01", "9" * 300])
    def test_an_odd_start_is_explained(self, client, standin, odd):
        page = client.get(self.url(start=odd))

        assert page.status_code == 200
        assert "выберите" in text_of(page).lower()

    def test_a_past_day_is_explained_and_never_asked(self, client, standin):
        page = client.get(self.url(date="2020-01-01"))

        assert "записи нет" in text_of(page)
        asked = {record.params["transfer_date"][:4] for record in standin.requests[1:]}
        assert "2020" not in asked

    def test_a_free_time_on_another_page_of_days_is_not_called_taken(
        self, client, standin, settings
    ):
        settings.BOOKING_HORIZON_DAYS = 40
        far = standin.free_starts(HOUSE, days_ahead=20)[0]

        page = text_of(client.get("/time/", answers(far) | {"date": f"{timezone.now():%Y-%m-%d}"}))

        assert "уже записался кто-то другой" not in page
        assert f"start={far:%Y-%m-%dT%H}" in page

    @pytest.mark.parametrize(
        ("ahead", "said"),
        [(1, "Возможно, оно есть позже"), (20, "Возможно, оно есть раньше")],
    )
    def test_full_days_say_where_else_to_look(self, client, standin, settings, ahead, said):
        settings.BOOKING_HORIZON_DAYS = 28
        today = timezone.localdate()
        standin.switch(closed_days=[f"{today + timedelta(days=ahead)}" for ahead in range(28)])

        page = text_of(client.get(self.url(date=f"{today + timedelta(days=ahead)}")))

        assert said in page
        assert "всё занято" in page

    def test_an_expired_date_of_a_link_leads_to_the_first_free_time(
        self, client, standin, settings
    ):
        settings.BOOKING_HORIZON_DAYS = 60
        today = timezone.localdate()
        standin.switch(closed_days=[f"{today + timedelta(days=ahead)}" for ahead in range(20)])

        page = client.get(f"/time/?category=flat&house={HOUSE}&flat={FLAT}&date=2020-01-01")

        assert "записи нет" in text_of(page)
        assert offered_times(page)
