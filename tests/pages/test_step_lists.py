"""The steps render once what all buyers see, and share nothing of one buyer."""

import gc
import time
from dataclasses import replace
from urllib.parse import quote_plus
from uuid import UUID

import pytest

from booking import models
from booking.availability import ReadyHouses, cache
from standin.fixtures import Flat
from tests.journey import FLAT, HOUSE, first_free, hidden_fields, offered, text_of

pytestmark = pytest.mark.django_db

LISTS = {"_house_list", "_flat_list", "_day_list", "_fields"}


@pytest.fixture
def steps(standin):
    """The addresses of all three steps for a flat and a campaign."""
    start = f"{first_free(standin):%Y-%m-%dT%H:%M}"

    def of(flat, source):
        place = f"category=flat&house={HOUSE}"
        rest = f"utm_source={quote_plus(source)}"
        return [
            f"/?category=flat&{rest}",
            f"/?{place}&{rest}",
            f"/time/?{place}&flat={flat}&{rest}",
            f"/confirm/?{place}&flat={flat}&start={start}&{rest}",
        ]

    return of


def lists_rendered_for(page):
    names = {each.name.removeprefix("booking/").removesuffix(".html") for each in page.templates}
    return LISTS & names


def test_a_list_is_rendered_once_for_all_buyers(client, steps):
    for address in steps(FLAT, "first"):
        client.get(address)

    for address in steps(FLAT, "second"):
        assert lists_rendered_for(client.get(address)) == set()


def test_each_buyer_sees_only_what_is_their_own(client, steps):
    for address in steps(FLAT, "first"):
        client.get(address)

    for address in steps(FLAT, 'second" onclick="x'):
        page = text_of(client.get(address))

        assert "first" not in page
        assert 'class="brand" href="/?utm_source=second%22+onclick%3D%22x"' in page
        assert hidden_fields(page)["utm_source"] == 'second" onclick="x'
        assert 'onclick="' not in page


def test_each_buyer_s_choice_leads_on_with_their_own_answers(client, steps):
    for source in ("first", "second"):
        for address in steps(FLAT, source)[:3]:
            leads = offered(client.get(address))

            assert leads
            assert all(f"utm_source={source}&" in lead for lead in leads)


def test_the_key_and_the_token_of_the_form_are_new_each_time(client, steps, monkeypatch):
    confirm = steps(FLAT, "x")[-1]
    now = time.time()

    forms = []
    for moment in (now, now + 1):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        forms.append(hidden_fields(text_of(client.get(confirm))))

    first, second = forms
    assert UUID(first["key"]) != UUID(second["key"])
    assert first["form_token"] != second["form_token"]


def test_each_language_is_rendered_for_itself(client, steps):
    for address in steps(FLAT, "x"):
        russian = text_of(client.get(f"{address}&lang=ru"))
        english = text_of(client.get(f"{address}&lang=en"))

        assert "Шаг" in russian
        assert "Step" in english
        assert not [word for word in ("готов", "понедельник", "Телефон") if word in english]


def test_what_staff_say_of_a_house_shows_at_once(client, steps):
    houses, flats, times, _confirm = steps(FLAT, "x")
    for address in (houses, flats, times):
        client.get(address)

    models.House.objects.create(house_id=HOUSE, address="Лесная, 8")

    for address in (houses, flats, times):
        assert "Лесная, 8" in text_of(client.get(address))


def test_the_day_that_is_opened_is_its_own(client, standin, steps):
    times = steps(FLAT, "x")[2]
    first, second = (standin.free_starts(HOUSE, days_ahead=ahead)[0] for ahead in (3, 4))

    for start in (first, second, first):
        page = client.get(f"{times}&date={start:%Y-%m-%d}")

        opened = {lead.rpartition("=")[2][:10] for lead in offered(page) if "/confirm/" in lead}
        assert opened == {f"{start:%Y-%m-%d}"}


def test_lists_that_are_no_longer_offered_are_let_go(client, standin):
    """Each flat that is booked makes another list, and a list may be large."""
    for turn in range(40):
        house = replace(standin.houses[HOUSE], flats=(Flat("flat", f"{turn}"),))
        standin.build([house])
        cache.invalidate(cache.key_of("houses", "flat"))
        assert client.get("/?category=flat").status_code == 200
        (lead,) = offered(client.get(f"/?category=flat&house={HOUSE}"))
        assert lead.endswith(f"&flat={turn}")

    gc.collect()

    assert sum(isinstance(each, ReadyHouses) for each in gc.get_objects()) < 30
