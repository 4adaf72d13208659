"""More than one thing of a house, and more than one visit of a browser."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote_plus

import pytest
from django.core.signing import get_cookie_signer
from django.utils import timezone

from booking.availability import cache
from booking.models import Booking
from tests.bookings import booking, tomorrow_at
from tests.journey import (
    FLAT,
    HOUSE,
    browser,
    fill_in,
    first_free,
    heading,
    hidden_fields,
    links,
    offered,
    send,
    text_of,
)
from tests.moves import call_off, plain

pytestmark = pytest.mark.django_db

STORAGE = "К-1.4-7-1"


@pytest.fixture
def visit(standin, client) -> Booking:
    form = fill_in(client, first_free(standin))
    # The lists of the other categories are being read meanwhile.
    cache.wait_for_reads()
    send(client, form)
    return Booking.objects.get()


def another(visit, category="storageroom"):
    return f"{visit.get_absolute_url()}another/?category={category}"


class TestBesides:
    def test_the_receipt_offers_what_else_the_house_has(self, client, visit):
        leads = links(text_of(client.get(visit.get_absolute_url())))

        assert [each for each in leads if "another/" in each] == [
            another(visit, category) for category in ("storageroom", "comm")
        ]

    def test_nothing_is_typed_again(self, client, standin, visit):
        numbers = client.get(client.get(another(visit)).url)
        (lead,) = [url for url in offered(numbers) if f"flat={STORAGE}" in plain(unquote_plus(url))]

        page = client.get(lead)

        html = text_of(page)
        assert heading(page) == "Проверьте и подтвердите запись"
        assert 'value="8 (900) 123-45-67"' in html
        assert "при предыдущей записи" in html
        form = hidden_fields(html)
        assert form["consent"] == "on"
        made = client.get(send(client, form | {"phone": "8 900 123-45-67"}).url)
        assert heading(made) == "Вы записаны"
        second = Booking.objects.latest("pk")
        # The next time that is left, of the same day.
        assert second.starts_at == visit.starts_at + timedelta(hours=1)
        assert second.category == "storageroom"
        assert second.consent == visit.consent

    def test_without_a_free_time_left_the_times_are_shown(self, client, standin, visit):
        Booking.objects.update(starts_at=tomorrow_at(23))

        assert "start=" not in client.get(another(visit)).headers["Location"]

    def test_another_browser_is_not_shown_the_phone(self, client, visit):
        stranger = browser()
        numbers = stranger.get(stranger.get(another(visit)).headers["Location"])

        page = stranger.get(next(url for url in offered(numbers) if "К-1" in unquote_plus(url)))

        html = text_of(page)
        assert "123-45-67" not in html
        assert "при предыдущей записи" not in html

    def test_a_consent_is_asked_for_anew_after_half_an_hour(self, client, standin, visit):
        Booking.objects.update(created_at=timezone.now() - timedelta(minutes=31))

        page = client.get(client.get(another(visit)).url)
        page = client.get(next(url for url in offered(page) if "К-1" in unquote_plus(url)))

        assert "Даю согласие" in text_of(page)

    def test_one_category_offers_nothing_more(self, client, settings, visit):
        settings.BOOKING_CATEGORIES = ["flat"]

        assert "another/" not in text_of(client.get(visit.get_absolute_url()))

    def test_a_visit_called_off_offers_nothing(self, client, visit):
        call_off(visit)

        assert "another/" not in text_of(client.get(visit.get_absolute_url()))


class TestALinkToTheSameFlat:
    def test_its_own_browser_is_told_of_the_visit(self, client, visit):
        times = f"/time/?category=flat&house={HOUSE}&flat={FLAT}"

        assert visit.get_absolute_url() in links(text_of(client.get(times)))
        assert visit.get_absolute_url() not in text_of(browser().get(times))

    def test_another_flat_or_a_visit_called_off_tells_nothing(self, client, visit):
        others = f"/time/?category=flat&house={HOUSE}&flat=1.8-12-2"
        assert visit.get_absolute_url() not in text_of(client.get(others))

        call_off(visit)
        times = f"/time/?category=flat&house={HOUSE}&flat={FLAT}"
        assert visit.get_absolute_url() not in text_of(client.get(times))


class TestOtherVisits:
    @pytest.fixture
    def known(self, client, visit):
        """Makes a second booking one of this browser."""

        def keep(**values) -> Booking:
            made = booking(category="storageroom", flat=STORAGE, **values)
            keys = f"{visit.key.hex} {made.key.hex}"
            client.cookies["bookings"] = signed("bookings", keys)
            return made

        return keep

    def test_find_lists_those_of_this_browser(self, client, visit, known):
        other = known()

        html = text_of(client.get("/find/"))

        assert {visit.get_absolute_url(), other.get_absolute_url()} <= set(links(html))
        assert "Записи из этого браузера" in html
        assert "Записи из этого браузера" not in text_of(browser().get("/find/"))

    def test_a_receipt_lists_the_others_to_its_own_browser(self, client, visit, known):
        other = known()
        page = visit.get_absolute_url()

        assert other.get_absolute_url() in links(text_of(client.get(page)))
        assert other.get_absolute_url() not in links(text_of(browser().get(page)))

    @pytest.mark.parametrize(
        ("house_id", "minutes", "clashes"),
        [
            (HOUSE, 0, True),
            (HOUSE, 30, True),
            (HOUSE, 60, False),
            ("3105012", 60, True),
            ("3105012", 90, False),
            ("3105012", -89, True),
            ("3105012", -90, False),
        ],
    )
    def test_visits_at_one_time_are_told(self, client, visit, known, house_id, minutes, clashes):
        start = visit.starts_at + timedelta(minutes=minutes)
        known(house_id=house_id, starts_at=start)

        html = text_of(client.get(visit.get_absolute_url()))

        assert ("слишком близко к нему" in html) is clashes


def signed(name: str, value: str) -> str:
    return get_cookie_signer(salt=name).sign(value)
