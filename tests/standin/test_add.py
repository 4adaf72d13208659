"""add: what is booked, what is refused, and the words of both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import requests

from standin import REFUSED_PHONE
from standin.fixtures import Flat, shareholders
from tests.standin.caller import FLAT, HOUSE, Caller, midnight, next_start, visit


def test_a_booking_is_taken_and_its_slot_goes(caller, crm):
    start = next_start(crm)
    phone = shareholders(HOUSE, Flat("flat", FLAT))[0]

    assert caller.book(start, phone=phone) == {
        "status_code": 200,
        "data": [],
        "message": "Спасибо! Мы записали Вас на указанное время",
    }
    [entry] = crm.ledger
    assert (entry.house_id, entry.number, entry.category) == (HOUSE, FLAT, "flat")
    assert (entry.phone, entry.transfer_date) == (phone, start[:16])
    assert start[11:16] not in caller.free_times(start[:10]).values()


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"phone": REFUSED_PHONE}, 403, "Телефон не найден среди участников сделки"),
        ({"phone": " 79001234567"}, 400, "Неверный формат телефона"),
        ({"phone": ""}, 400, "Не заполнено обязательное поле phone"),
        ({"flat_num": "1.8-99-9"}, 404, "Объект не найден"),
        ({"flat_num": "K-1.4-7-1", "category": "storageroom"}, 404, "Объект не найден"),
        ({"category": "garage"}, 404, "Объект не найден"),
        ({"category": "house"}, 400, "Неизвестная категория"),
        ({"house_id": "9"}, 404, "Объект не найден"),
        ({"flat_num": "1.8-17-1"}, 400, "Объект не готов к передаче"),
        ({"transfer_date": "2026-11-24T25:00:00+05:00"}, 400, "Неверный формат даты"),
        (
            {"transfer_date": "2020-06-11T11:00:00+05:00"},
            400,
            "Запись на выбранную дату недоступна",
        ),
    ],
)
def test_an_add_that_is_refused(caller, crm, params, code, message):
    envelope = caller.book(next_start(crm), **params)

    assert (envelope["status_code"], envelope["message"]) == (code, message)
    assert crm.ledger == []


@pytest.mark.parametrize("start", ["13:00", "09:10", "18:00"])
def test_a_time_that_is_no_slot_is_refused(caller, crm, start):
    envelope = caller.book(f"{next_start(crm)[:10]}T{start}:00+05:00")

    assert envelope["message"] == "В выбранное время записи нет"


@pytest.mark.parametrize(
    ("second_add", "replaces", "first_is_free"),
    [("refused", [None], False), ("moves", [None, 1], True), ("adds", [None, None], False)],
)
def test_a_second_booking_of_a_flat(caller, crm, second_add, replaces, first_is_free):
    crm.switch(second_add=second_add)
    first, second = (start.isoformat() for start in crm.free_starts(HOUSE)[:2])

    caller.book(first)
    envelope = caller.book(second)

    assert (envelope["message"] == "Вы уже записаны") == (second_add == "refused")
    assert [entry.replaces for entry in crm.ledger] == replaces
    assert (first[11:16] in caller.free_times(first[:10]).values()) == first_is_free


def test_the_offset_is_ignored(caller, crm):
    start = next_start(crm)

    caller.book(start.replace("+05:00", "+03:00"))

    assert crm.ledger[0].transfer_date == start[:16]


def test_add_by_get_is_not_allowed(caller, crm):
    reply = caller.get("add", **visit(next_start(crm)))

    assert (reply.status_code, reply.headers["Allow"], reply.content) == (405, "POST", b"")
    assert crm.ledger == []


@pytest.mark.parametrize("hour", ["9:30", "09:30"])
def test_the_requests_of_the_one_public_client_are_served(caller, crm, hour):
    """It sends no category, a number that is a garage's too, and an hour without its zero."""
    day = next_start(crm, "3105027")[:10]
    form = visit(f"{day}T{hour}:00+05:00", house_id="3105027", flat_num="7", category="")

    assert caller.answer("add", **form)["status_code"] == 200
    assert (crm.ledger[0].category, crm.ledger[0].transfer_date) == ("flat", f"{day}T09:30")


def test_a_plus_that_is_not_escaped_is_a_space(caller, crm):
    form = "&".join(f"{n}={v}" for n, v in caller.signed(**visit(midnight("2026-12-01"))).items())
    reply = requests.post(
        f"{crm.url}/estate/transfer/add/",
        data=form.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=5,
    )

    assert reply.json()["message"] == "Неверный формат даты"


@pytest.mark.parametrize("flats", [1, 50])
def test_of_fifty_adds_at_once_one_gets_the_slot(crm, flats):
    start = next_start(crm)
    barrier = Barrier(50)

    def add(number: int) -> int:
        flat = f"1.8-{2 + number // 4}-{1 + number % 4}" if flats > 1 else "1.8-2-1"
        barrier.wait()
        code: int = Caller(crm).book(start, flat_num=flat)["status_code"]
        return code

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(add, range(50)))

    assert codes.count(200) == len(crm.ledger) == 1
    assert codes.count(409 if flats > 1 else 400) == 49


def test_an_unsigned_add_books_nothing(caller, crm):
    envelope = caller.book(next_start(crm), token="0" * 32)

    assert envelope == {"status_code": 401, "data": [], "message": "Неверный токен"}
    assert crm.ledger == []
