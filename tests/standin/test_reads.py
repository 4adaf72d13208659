"""getReadyFlats and getFreeTimes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from standin import REFUSED_PHONE
from standin.fixtures import CATEGORIES, sample, shareholders
from tests.standin.caller import FLAT, HOUSE, midnight, next_start


def test_ready_flats_are_listed_by_house(caller):
    reply = caller.post("getReadyFlats", category="flat")

    envelope = reply.json()
    assert (envelope["status_code"], envelope["message"]) == (200, "Выполнено")
    house = envelope["data"]["houses"][0]
    assert (house["id"], house["title"]) == (HOUSE, "ЖК «Лесной квартал», дом 1 (ул. Таёжная, 14)")
    assert FLAT in house["flats"]
    assert "1.8-17-1" not in house["flats"]  # it is not ready
    assert "Выполнено".encode() in reply.content  # Cyrillic is not escaped
    assert caller.get("getReadyFlats", category="flat").content == reply.content


def test_a_house_without_such_objects_is_left_out(caller):
    houses = caller.answer("getReadyFlats", category="garage")["data"]["houses"]

    assert [house["id"] for house in houses] == ["3105027", "3105040"]


def test_without_a_category_every_category_is_listed(caller, crm):
    houses = caller.answer("getReadyFlats")["data"]["houses"]
    assert {FLAT, "К-1.4-7-1", "Н-1"} <= set(houses[0]["flats"])

    crm.build([])
    assert caller.answer("getReadyFlats")["data"] == {"houses": []}


def test_a_booked_flat_stays_listed_unless_told_otherwise(caller, crm):
    caller.book(next_start(crm))

    def is_listed() -> bool:
        return FLAT in caller.answer("getReadyFlats", category="flat")["data"]["houses"][0]["flats"]

    assert is_listed()
    crm.switch(booked_flats="disappear")
    assert not is_listed()


def test_the_sample_has_everything_that_makes_numbers_hard():
    houses = {house.id: house for house in sample()}
    numbers = {flat.number for house in houses.values() for flat in house.flats}
    phones = {
        phone
        for house in houses.values()
        for flat in house.flats
        for phone in shareholders(house.id, flat)
    }

    assert {flat.category for h in houses.values() for flat in h.flats} == set(CATEGORIES)
    assert {"1.8-12-1", "К-1.4-7-1", "М-3/2", "К-7", "K-7"} <= numbers
    assert max(len(house.flats) for house in houses.values()) == 600
    assert houses["3105027"].find("7", "flat") != houses["3105027"].find("7", "garage")
    assert REFUSED_PHONE not in phones


def test_a_free_day_has_a_gap_at_lunch_so_it_is_an_object(caller, crm):
    times = caller.free_times(next_start(crm)[:10])

    assert list(times)[:2] == ["0", "1"]
    assert list(times.values())[:2] == ["09:00", "09:30"]
    assert "13:00" not in times.values()
    assert (times["10"], times["17"]) == ("14:00", "17:30")


def test_a_day_whose_first_slots_are_free_is_a_list(caller, crm):
    starts = crm.free_starts(HOUSE)
    for start in starts[2:]:
        crm.hand_to_a_rival(HOUSE, start)

    assert caller.free_times(starts[0].date().isoformat()) == ["09:00", "09:30"]


def test_a_house_has_its_own_hours(caller, crm):
    times = list(caller.free_times(next_start(crm)[:10], "3105034").values())

    assert (times[:2], times[-1]) == (["10:00", "10:30"], "15:30")


def test_the_slots_that_are_taken_from_the_start_are_the_same_on_every_run(caller, crm):
    crm.switch(busy=0.3)

    times = list(caller.free_times("2025-11-25").values())  # past ones are listed still
    assert (len(times), times[4:6]) == (13, ["11:00", "12:00"])
    assert caller.free_times("2025-11-26") == []


def test_a_day_beyond_the_horizon_is_refused(caller, crm):
    far = (crm.now.date() + timedelta(3)).isoformat()
    crm.switch(horizon_days=3)
    assert caller.free_times(far)

    crm.switch(horizon_days=2)
    envelope = caller.answer("getFreeTimes", house_id=HOUSE, transfer_date=midnight(far))

    assert (envelope["status_code"], envelope["data"]) == (400, None)
    assert envelope["message"] == "Запись на выбранную дату недоступна"


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("getReadyFlats", {"category": "house"}, 400, "Неизвестная категория"),
        (
            "getFreeTimes",
            {"house_id": "9", "transfer_date": "2025-11-24T00:00:00+05:00"},
            404,
            "Дом не найден",
        ),
        ("getFreeTimes", {"house_id": HOUSE}, 400, "Неверный формат даты"),
    ],
)
def test_a_read_that_is_refused(caller, method, params, code, message):
    envelope = caller.answer(method, **params)

    assert (envelope["status_code"], envelope["message"]) == (code, message)


def test_a_get_is_served_by_its_query_only(caller, crm):
    params = {"house_id": HOUSE, "transfer_date": midnight("2025-11-24")}
    url = f"{crm.url}/estate/transfer/getFreeTimes/"

    by_query = caller.get("getFreeTimes", **params)
    by_body = requests.get(url, data=caller.signed(**params), timeout=5)

    assert by_query.json()["data"]["0"] == "09:00"
    assert by_body.json()["message"] == "Ошибка обработки запроса"
