"""Step 1: the house and the flat."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from standin.fixtures import Flat as BuiltFlat
from tests.journey import (
    FLAT,
    HOUSE,
    heading,
    hidden_fields,
    offered,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestChooseFlat:
    def test_houses_come_first(self, client, standin):
        page = client.get("/")

        assert heading(page) == "Какую квартиру вы получаете?"
        assert "Лесной квартал" in text_of(page)
        assert f"/?category=flat&house={HOUSE}" in offered(page)
        assert FLAT not in text_of(page)

    def test_then_the_flats_of_one_house(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}")

        assert f"/time/?category=flat&house={HOUSE}&flat={FLAT}" in offered(page)
        assert "нет в списке" not in text_of(page)

    @pytest.mark.parametrize(
        ("category", "asked"),
        [("flat", "Не нашли свою квартиру?"), ("storageroom", "Не нашли свою кладовую?")],
    )
    def test_what_is_not_listed_has_its_name(self, client, standin, category, asked):
        houses = text_of(client.get(f"/?category={category}"))
        assert "Не нашли свой дом?" in houses
        assert asked not in houses
        assert asked in text_of(client.get(f"/?category={category}&house={HOUSE}"))

    def test_the_way_back_leads_to_the_houses(self, client, standin):
        page = text_of(client.get(f"/?category=flat&house={HOUSE}"))

        assert '<a class="back" href="/?category=flat">Назад</a>' in page
        assert 'class="back"' not in text_of(client.get("/"))

    def test_search_engines_list_the_bare_page(self, client, standin):
        for query in ("", "?utm_source=letter", f"?category=flat&house={HOUSE}"):
            html = text_of(client.get(f"/{query}"))

            assert '<link rel="canonical" href="http://testserver/">' in html
            assert "noindex" not in html

    def test_a_deep_link_continues_at_the_next_step(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat={FLAT}&utm_source=sms&other=1")

        assert page.status_code == 302
        assert page.url == f"/time/?category=flat&house={HOUSE}&flat={FLAT}&utm_source=sms"

    def test_a_deep_link_may_leave_out_what_follows_from_the_rest(self, client, standin):
        page = client.get(f"/?flat={FLAT}")

        assert page.url == f"/time/?category=flat&house={HOUSE}&flat={FLAT}"

    def test_a_deep_link_keeps_its_date(self, client, standin):
        page = client.get(f"/?house={HOUSE}&flat={FLAT}&date=2031-12-02")

        assert page.url.endswith("&date=2031-12-02")

    def test_an_unknown_flat_keeps_the_house(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat=9.9-9-9")

        assert page.status_code == 200
        assert "9.9-9-9" in text_of(page)
        assert "нет среди готовых" in text_of(page)
        assert hidden_fields(text_of(page))["house"] == HOUSE

    def test_an_unknown_house_keeps_the_flat(self, client, standin):
        page = client.get(f"/?category=flat&house=1&flat={FLAT}")

        assert "Дома из этой ссылки сейчас нет в списке" in text_of(page)
        assert f"/?category=flat&flat={FLAT}&house={HOUSE}" in offered(page)

    def test_an_unknown_category_is_explained(self, client, standin):
        page = client.get("/?category=yacht")

        assert "записаться нельзя" in text_of(page)

    def test_a_category_that_is_not_offered_opens_nothing_else(self, client, standin, settings):
        settings.BOOKING_CATEGORIES = ["flat"]

        page = client.get(f"/?category=garage&house={HOUSE}&flat={FLAT}")

        assert page.status_code == 200
        assert "записаться нельзя" in text_of(page)
        assert hidden_fields(text_of(page))["house"] == HOUSE

    def test_a_number_is_found_however_it_is_typed(self, client, standin):
        page = client.get("/", {"category": "storageroom", "house": HOUSE, "flat": "кв. k-1.4–3-1"})

        assert page.url.endswith(f"flat={quote('К-1.4-3-1')}")

    def test_dashes_may_be_left_out(self, client, standin):
        page = client.get("/?category=storageroom&house=3105011&flat=к 14 3 1")

        assert "Или это один из этих номеров?" in text_of(page)
        assert any(url.endswith(f"flat={quote('К-1.4-3-1')}") for url in offered(page))

    @pytest.mark.parametrize(
        ("typed", "listed", "is_offered"),
        [("1-12", "11-2", False), ("1 12", "112", True), ("112", "1-12", True)],
    )
    def test_another_flat_is_never_taken_for_one_that_is_not_listed(
        self, client, standin, typed, listed, is_offered
    ):
        house = replace(standin.houses[HOUSE], flats=(BuiltFlat("flat", listed),))
        standin.build([house])

        page = client.get("/", {"category": "flat", "house": HOUSE, "flat": typed})

        assert page.status_code == 200
        assert "нет среди готовых" in text_of(page)
        assert ("Или это один из этих номеров?" in text_of(page)) is is_offered

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("", "Введите номер"),
            ("  ", "Введите номер"),
            ("9" * 65, "Этот номер не удалось прочитать"),
            ("1\0", "Этот номер не удалось прочитать"),
        ],
    )
    def test_a_number_that_is_none_is_answered_in_words(self, client, standin, typed, said):
        page = client.get("/", {"category": "flat", "house": HOUSE, "flat": typed})

        html = text_of(page)
        assert said in html
        assert "Ошибка:" in html
        assert f"/time/?category=flat&house={HOUSE}&flat={FLAT}" in offered(page)
        assert not {"\ufffd", "\0"} & set(html)
        main = html.partition("<main")[2].partition("</main")[0]
        assert "%EF%BF%BD" not in main

    @pytest.mark.parametrize("flat", ["9" * 65, "  "])
    def test_a_number_that_is_none_does_not_go_on_in_links(self, client, standin, flat):
        page = client.get("/", {"category": "flat", "flat": flat, "date": "9" * 65})

        assert f"/?category=flat&house={HOUSE}" in offered(page)
        assert "\ufffd" not in text_of(page)

    def test_look_alikes_are_a_choice(self, client, standin):
        page = client.get("/?category=flat&house=3105034&flat=к-7")

        assert f"/time/?category=flat&house=3105034&flat={quote('К-7')}" in offered(page)
        assert "/time/?category=flat&house=3105034&flat=K-7" in offered(page)

    def test_of_look_alikes_in_the_list_each_names_its_letters(self, client, standin):
        html = text_of(client.get("/?category=flat&house=3105034"))

        notes = dict(re.findall(r'<button class="chip"[^>]*>([^< ]+) <span[^>]*>([^<]+)<', html))
        assert notes == {"K-7": "латинскими буквами", "К-7": "русскими буквами"}

    def test_one_category_is_no_question(self, client, standin, settings):
        settings.BOOKING_CATEGORIES = ["storageroom"]

        page = client.get("/")

        assert heading(page) == "Какую кладовую вы получаете?"
        assert "category=flat" not in text_of(page)

    def test_markup_in_an_answer_is_text(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat=<script>alert(1)</script>")

        assert "<script>alert" not in text_of(page)

    def test_nothing_ready_says_so(self, client, standin):
        standin.fail("getReadyFlats", "status", status=200, body=EMPTY)

        assert "квартир сейчас нет" in text_of(client.get("/"))


EMPTY = '{"status_code":200,"data":[],"message":"Выполнено"}'
