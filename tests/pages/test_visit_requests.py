"""Where booking is a dead end a buyer leaves a request, with a page that keeps its answer."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from booking import services
from booking.models import StaffEvent, VisitRequest
from standin.fixtures import REFUSED_PHONE
from tests.bookings import staff
from tests.journey import (
    FLAT,
    HOUSE,
    browser,
    fill_in,
    first_free,
    heading,
    hidden_fields,
    links,
    send,
    text_of,
)
from tests.moves import main_of, spaced

pytestmark = pytest.mark.django_db

FORM = "/requests/"
TYPED = {
    "house_title": "Лесной квартал, дом 1",
    "flat": FLAT,
    "phone": "8 900 123-45-67",
    "wish": "Лучше в субботу",
    "consent": "on",
}


def filled(client, url=FORM, **typed):
    return hidden_fields(text_of(client.get(url))) | TYPED | typed


def ask(client, **typed) -> VisitRequest:
    reply = client.post(FORM, filled(client, **typed))
    assert reply.status_code == 302, main_of(reply)
    return VisitRequest.objects.latest("pk")


def form_link(page) -> str:
    (link,) = {each for each in links(text_of(page)) if each.startswith(FORM)}
    return link.replace("&amp;", "&")


class TestDeadEnds:
    def test_a_full_calendar(self, client, standin):
        standin.switch(busy=1.0)
        page = client.get("/time/", {"category": "flat", "house": HOUSE, "flat": FLAT})

        asked = client.post(FORM, filled(client, form_link(page)))

        assert "Сообщите мне, когда освободится время" in text_of(page)
        made = VisitRequest.objects.get()
        assert (made.cause, made.waits) == ("full", True)
        assert (made.house_id, made.flat) == (HOUSE, FLAT)
        assert asked.url == made.get_absolute_url()

    def test_a_flat_that_is_not_listed(self, client, standin):
        page = client.get("/", {"category": "flat", "house": HOUSE, "flat": "9-9-9"})

        form = text_of(client.get(form_link(page)))

        assert hidden_fields(form)["cause"] == "not_listed"
        assert 'value="9-9-9"' in form
        assert "Лесной квартал" in form

    def test_a_crm_that_is_away(self, client, standin):
        standin.stop()
        page = client.get("/", {"category": "flat", "house": HOUSE})

        form = hidden_fields(text_of(client.get(form_link(page))))

        assert page.status_code == 503
        assert (form["cause"], form["house"]) == ("crm_away", HOUSE)

    def test_a_refusal(self, client, standin):
        form = fill_in(client, first_free(standin), phone=REFUSED_PHONE)
        page = client.get(send(client, form).url)

        assert hidden_fields(text_of(client.get(form_link(page))))["cause"] == "refused"


class TestTheForm:
    @pytest.mark.parametrize("name", ["house_title", "flat", "phone", "consent"])
    def test_what_is_missing_is_told_and_the_rest_is_kept(self, client, standin, name):
        page = client.post(FORM, filled(client, **{name: ""}))

        html = text_of(page)
        assert page.status_code == 200
        assert "Проверьте, пожалуйста" in html
        for kept in TYPED.keys() - {name, "consent", "phone"}:
            assert TYPED[kept] in html
        assert not VisitRequest.objects.exists()

    @pytest.mark.parametrize("name", ["house_title", "flat", "wish", "house"])
    def test_what_is_too_long_is_told(self, client, standin, name):
        page = client.post(FORM, filled(client, **{name: "я" * 5000}))

        assert page.status_code == 200
        assert not VisitRequest.objects.exists()

    def test_a_form_of_another_site_asks_for_nothing(self, client, standin):
        form = filled(client)

        page = browser().post(FORM, form, headers={"Sec-Fetch-Site": "cross-site"})

        assert page.status_code == 403
        assert TYPED["wish"] in text_of(page)
        assert not VisitRequest.objects.exists()

    def test_too_many_are_refused_with_what_was_typed(self, client, standin, settings):
        settings.LIMIT_REQUESTS_OF_CLIENT = 1
        ask(client)

        page = client.post(FORM, filled(client))

        assert page.status_code == 429
        assert TYPED["wish"] in text_of(page)
        assert "Вы уже отправили несколько заявок" in text_of(page)
        assert int(page.headers["Retry-After"]) > 3000


class TestThePage:
    def test_it_tells_when_and_what_but_no_whole_phone(self, client, standin):
        asked = ask(client)

        page = browser().get(asked.get_absolute_url())

        html = spaced(page)
        assert re.search(r"Заявка принята \d+ \w+ в \d\d:\d\d", heading(page).replace("\xa0", " "))
        assert asked.number in html
        assert "Заявка — ещё не запись" in html
        assert "Лучше в субботу" in html
        assert "123-45-67" not in html

    def test_the_answer_stands_on_it(self, client, standin):
        asked = ask(client)
        operator = staff("olga", "operators")
        queue = reverse("admin:booking_needs_a_look")
        answer = reverse("admin:booking_visitrequest_answer", args=[asked.pk])
        assert answer in links(text_of(operator.get(queue)))
        assert "Лесной квартал, дом 1: 1" in text_of(operator.get(queue))
        assert "900" not in main_facts(operator.get(answer))

        operator.post(answer, {"answer": "Приезжайте в субботу в 12"})

        html = text_of(client.get(asked.get_absolute_url()))
        assert "Приезжайте в субботу в 12" in html
        assert answer not in links(text_of(operator.get(queue)))

    def test_a_manager_sees_the_phone_and_that_is_written_down(self, client, standin):
        asked = ask(client)
        manager = staff("ivan", "managers")

        page = manager.get(reverse("admin:booking_visitrequest_answer", args=[asked.pk]))

        assert "+7 900 123-45-67" in text_of(page)
        assert StaffEvent.objects.filter(kind="saw_phones", by="ivan").exists()

    def test_a_time_that_became_free_leads_to_its_day(self, client, standin):
        standin.switch(busy=1.0)
        url = f"{FORM}?cause=full&category=flat&house={HOUSE}&flat={FLAT}"
        client.post(FORM, filled(client, url))
        standin.switch(busy=0.0)
        services.visit_requests.tell_of_free_times()

        page = client.get(VisitRequest.objects.get().get_absolute_url())

        start = VisitRequest.objects.get().in_house_time("free_start")
        assert "Освободилось время:" in text_of(page)
        (times,) = [each for each in links(text_of(page)) if each.startswith("/time/")]
        assert f"date={start:%Y-%m-%d}" in times
        assert client.get(times.replace("&amp;", "&")).status_code == 200

    def test_an_anonymised_one_is_gone(self, client, standin):
        asked = ask(client)
        VisitRequest.objects.update(anonymised_at=timezone.now() - timedelta(days=1))

        assert client.get(asked.get_absolute_url()).status_code == 404


def main_facts(page) -> str:
    return text_of(page).partition("staff-facts")[2].partition("</dl>")[0]
