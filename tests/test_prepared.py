"""Pages that are drawn once for all buyers show each buyer's own, and nobody else's."""

import gc
import time
from dataclasses import replace
from urllib.parse import quote_plus
from uuid import UUID

import pytest

from booking import models
from booking.availability import Houses, asking, memory
from booking.prepared import day_and_time, frame, house_and_flat, last_step
from standin.fixtures import Flat
from tests.journey import FLAT, HOUSE, first_free, hidden_fields, text_of

pytestmark = pytest.mark.django_db

DRAWN = (
    frame._frame,
    house_and_flat._houses,
    house_and_flat._flats,
    house_and_flat._untouched_search,
    day_and_time._times,
    last_step._check_answers,
    last_step._untouched_fields,
)


@pytest.fixture
def steps(standin):
    """The addresses of all three steps for somebody's flat and campaign."""
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


def drawn_so_far() -> int:
    return sum(drawn.cache_info().misses for drawn in DRAWN)


def test_the_second_buyer_s_pages_are_not_drawn_again(client, steps):
    # The first visit is the one that asks the CRM.
    for address in steps(FLAT, "first") * 2:
        assert client.get(address).status_code == 200
    before = drawn_so_far()

    for address in steps(FLAT, "second"):
        assert client.get(address).status_code == 200

    assert drawn_so_far() == before


def test_each_buyer_sees_only_what_is_their_own(client, steps):
    for address in steps(FLAT, "first"):
        client.get(address)

    for address in steps(FLAT, 'second" onclick="x'):
        page = text_of(client.get(address))

        assert "first" not in page
        assert 'class="brand" href="/?utm_source=second%22+onclick%3D%22x"' in page
        assert "utm_source=second%22+onclick%3D%22x" in page
        assert 'onclick="' not in page


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


def test_no_mark_is_left_on_a_page(client, steps):
    for address in steps(FLAT, "x"):
        page = text_of(client.get(address))

        assert not {"\ue000", "\ue001", "\ue002"} & set(page)


def test_each_language_is_drawn_for_itself(client, steps):
    for address in steps(FLAT, "x"):
        russian = text_of(client.get(address, headers={"accept-language": "ru"}))
        english = text_of(client.get(address, headers={"accept-language": "en"}))

        assert "Шаг" in russian
        assert "Step" in english


def test_what_staff_say_of_a_house_shows_at_once(client, steps):
    _houses, _flats, times, confirm = steps(FLAT, "x")
    client.get(times)
    client.get(confirm)

    models.House.objects.create(house_id=HOUSE, address="Лесная, 8")

    assert "Лесная, 8" in text_of(client.get(times))
    assert "Лесная, 8" in text_of(client.get(confirm))


def test_lists_that_are_no_longer_offered_are_let_go(client, standin):
    """Each flat that is booked makes another list, and a list may be large."""
    for turn in range(40):
        house = replace(standin.houses[HOUSE], flats=(Flat("flat", f"{turn}"),))
        standin.build([house])
        asking.forget(memory.key_of("houses", "flat"))
        assert client.get("/?category=flat").status_code == 200
        assert f"flat={turn}" in text_of(client.get(f"/?category=flat&house={HOUSE}"))

    gc.collect()

    assert sum(isinstance(each, Houses) for each in gc.get_objects()) < 30
