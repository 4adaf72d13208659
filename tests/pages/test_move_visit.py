"""Moving a visit from its page: choose a time, check, press; or ask for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from booking import services, wording
from booking.models import Booking, ChangeRequest
from tests.journey import (
    HOUSE,
    browser,
    choices,
    fill_in,
    first_free,
    heading,
    hidden_fields,
    links,
    send,
    text_of,
)
from tests.moves import call_off, main_of, plain, spaced

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(standin, client) -> Booking:
    standin.switch(second_add="moves")
    send(client, fill_in(client, first_free(standin)))
    return Booking.objects.get()


@pytest.fixture
def later(standin, visit):
    return standin.free_starts(HOUSE)[6]


@pytest.fixture
def by_the_crm(settings):
    settings.MACROCRM_ADD_MOVES = True


def move_page(visit, start=None):
    page = f"{visit.get_absolute_url()}move/"
    return f"{page}?start={start:%Y-%m-%dT%H:%M}" if start else page


def press(client, visit, start):
    page = text_of(client.get(move_page(visit, start)))
    return client.post(move_page(visit), hidden_fields(page))


class TestTheWay:
    def test_the_receipt_leads_to_the_times_and_a_time_to_the_question(self, client, visit, later):
        assert move_page(visit) in links(text_of(client.get(visit.get_absolute_url())))

        times = client.get(move_page(visit))

        now = plain(wording.day_and_time(visit.starts_at_local))
        assert f"Сейчас: {now}" in spaced(times)
        leads = [url for url in choices(text_of(times), move_page(visit)) if "start=" in url]
        assert f"{later:%Y-%m-%dT%H:%M}" in " ".join(leads).replace("%3A", ":")
        question = client.get(move_page(visit, later))
        assert heading(question) == "Перенести визит?"
        assert now in spaced(question)
        assert f"{later:%H:%M}" in spaced(question)

    def test_the_time_it_has_already_is_not_asked_for(self, client, visit):
        page = client.get(move_page(visit, visit.starts_at_local))

        assert heading(page) == "На какое время перенести визит?"
        assert 'role="alert"' not in text_of(page)

    def test_a_taken_time_is_told_with_the_nearest(self, client, standin, visit, later):
        standin.hand_to_a_rival(HOUSE, later)

        page = client.get(move_page(visit, later))

        assert "уже записался кто-то другой" in text_of(page)
        assert f'<form action="{move_page(visit)}">' in text_of(page)

    def test_what_is_not_ahead_can_not_be_moved(self, client, visit, later):
        call_off(visit)

        assert client.get(move_page(visit)).url == visit.get_absolute_url()
        assert client.post(move_page(visit), {"start": "x"}).url == visit.get_absolute_url()

    def test_a_form_of_another_site_moves_nothing(self, client, standin, visit, later, by_the_crm):
        form = hidden_fields(text_of(client.get(move_page(visit, later))))

        page = browser().post(move_page(visit), form, headers={"Sec-Fetch-Site": "cross-site"})

        assert page.status_code == 403
        assert "Визит не перенесён." in text_of(page)
        assert standin.count("add") == 1


class TestByTheCrm:
    pytestmark = pytest.mark.usefixtures("by_the_crm")

    def test_confirmed_the_old_page_leads_to_the_new_one(self, client, visit, later):
        new = press(client, visit, later).url

        assert heading(client.get(new)) == "Вы записаны"
        assert "Перенесён с" in spaced(client.get(new))
        old = client.get(visit.get_absolute_url())
        assert "Визит перенесён на" in plain(heading(old))
        assert new in links(text_of(old))

    @pytest.mark.parametrize("end", ["refused", "not sent"])
    def test_refused_or_not_sent_the_visit_stands(self, client, standin, visit, later, end):
        page = text_of(client.get(move_page(visit, later)))
        if end == "refused":
            standin.switch(second_add="refused")
        else:
            standin.stop()

        tried = client.get(client.post(move_page(visit), hidden_fields(page)).url)

        assert heading(tried) == "Визит не перенесён"
        assert "Визит остался прежним: ждём вас" in spaced(tried)
        assert visit.get_absolute_url() in links(text_of(tried))
        assert heading(client.get(visit.get_absolute_url())) == "Вы записаны"

    def test_in_doubt_both_pages_say_so(self, client, standin, visit, later):
        standin.fail("add", "drop_after_write")
        tried = client.get(press(client, visit, later).url)
        old = client.get(visit.get_absolute_url())

        for page in (tried, old):
            html = main_of(page)
            assert heading(page) == "Проверяем, перенесён ли визит"
            assert f"{visit.starts_at_local:%H:%M}" in html
            assert f"{later:%H:%M}" in html
            assert "не записывайтесь повторно" in html
            assert "Ждём вас" not in html
            assert "ожидается" not in html
            assert not re.search(r"\bсо? со? ", html)
            assert 'data-state="in_doubt"' in html
        assert client.get(move_page(visit)).url == visit.get_absolute_url()

    @pytest.mark.parametrize("was_booked", [True, False])
    def test_found_out_one_page_expects_the_buyer(self, client, standin, visit, later, was_booked):
        standin.fail("add", "drop_after_write")
        tried = press(client, visit, later).url
        services.settling.resolve(
            Booking.objects.latest("pk"), was_booked=was_booked, by="olga", note="-"
        )

        expecting = [
            url
            for url in (tried, visit.get_absolute_url())
            if heading(client.get(url)) == "Вы записаны"
        ]
        assert expecting == [tried if was_booked else visit.get_absolute_url()]

    @pytest.mark.parametrize("second_add", ["refused", "moves", "adds"])
    def test_whatever_the_crm_does_one_page_expects_the_buyer(
        self, client, standin, visit, later, second_add
    ):
        standin.switch(second_add=second_add)
        press(client, visit, later)

        pages = [client.get(each.get_absolute_url()) for each in Booking.objects.all()]
        assert [heading(page) for page in pages].count("Вы записаны") == 1


class TestByAsking:
    def test_the_wanted_time_is_asked_for_without_a_call(self, client, standin, visit, later):
        question = client.get(move_page(visit, later))
        assert "Попросить перенести на " in text_of(question)

        told = press(client, visit, later)

        (asked,) = ChangeRequest.objects.all()
        assert (asked.kind, asked.wanted_at) == ("move", later)
        assert told.url == f"{visit.get_absolute_url()}#change"
        assert "вы попросили перенести визит на" in spaced(client.get(visit.get_absolute_url()))
        assert standin.count("add") == 1
        # Until it is answered, there is no second one.
        assert client.get(move_page(visit)).url == visit.get_absolute_url()

    def test_a_time_that_can_not_be_booked_is_not_asked_for(self, client, visit, later):
        past = visit.starts_at_local - timedelta(days=30)

        page = client.post(move_page(visit), {"start": f"{past:%Y-%m-%dT%H:%M}"})

        assert page.status_code == 200
        assert heading(page) == "На какое время перенести визит?"
        assert not ChangeRequest.objects.exists()
