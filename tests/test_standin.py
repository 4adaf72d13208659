"""The stand-in as it is by default: the three methods, the signature, the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from standin import ACCEPTED_PHONE, REFUSED_PHONE, NotLoopback, StandIn, SwitchError
from standin.fixtures import CATEGORIES, Estate, Flat, House, of_size, sample, shareholders
from tests.standin_caller import FLAT, HOUSE, Caller, midnight, next_start, sign, wish

UNICODE = "вашсайт.рф"
PAST = "2020-06-11T11:00:00+05:00"
PUNYCODE = "xn--80aae4a1bi2b.xn--p1ai"


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn() as crm:
        yield crm


@pytest.fixture
def caller(crm) -> Caller:
    return Caller(crm)


# getReadyFlats


def test_ready_flats_are_listed_by_house(caller):
    envelope = caller.answer("getReadyFlats", category="flat")

    assert envelope["status_code"] == 200
    assert envelope["message"] == "Выполнено"
    house = envelope["data"]["houses"][0]
    assert (house["id"], house["title"]) == (HOUSE, "ЖК «Лесной квартал», дом 1 (ул. Таёжная, 14)")
    assert FLAT in house["flats"]


def test_a_flat_that_is_not_ready_is_not_listed(caller):
    houses = caller.answer("getReadyFlats", category="flat")["data"]["houses"]

    assert "1.8-17-1" not in houses[0]["flats"]


def test_without_a_category_every_category_is_listed(caller):
    houses = caller.answer("getReadyFlats")["data"]["houses"]

    assert {FLAT, "К-1.4-7-1", "Н-1"} <= set(houses[0]["flats"])


def test_a_house_without_such_objects_is_left_out(caller):
    houses = caller.answer("getReadyFlats", category="garage")["data"]["houses"]

    assert [house["id"] for house in houses] == ["3105027", "3105040"]


def test_an_unknown_category_is_refused(caller):
    envelope = caller.answer("getReadyFlats", category="house")

    assert (envelope["status_code"], envelope["message"]) == (400, "Неизвестная категория")


def test_ready_flats_answer_a_get_with_a_query(caller):
    by_get, by_post = caller.get("getReadyFlats"), caller.post("getReadyFlats")

    assert by_get.content == by_post.content


def test_ready_flats_answer_a_json_body(caller, crm):
    body = caller.signed(category="comm")
    reply = requests.post(
        f"{crm.url}/estate/transfer/getReadyFlats/",
        json=body | {"time": int(body["time"])},
        timeout=5,
    )

    assert reply.json()["data"]["houses"][0]["flats"] == ["Н-1", "Н-2"]


def test_cyrillic_is_not_escaped(caller):
    assert "Выполнено".encode() in caller.post("getReadyFlats").content


# The estate


def test_the_sample_has_everything_that_makes_numbers_hard():
    estate = sample()
    numbers = {house.id: {flat.number for flat in house.flats} for house in estate.houses.values()}
    all_numbers = set().union(*numbers.values())

    assert len(estate.houses) >= 5
    assert {flat.category for h in estate.houses.values() for flat in h.flats} == set(CATEGORIES)
    assert {"1.8-12-1", "К-1.4-7-1", "М-3/2", "К-7", "K-7"} <= all_numbers
    assert max(len(house.flats) for house in estate.houses.values()) == 600
    assert estate.find("3105027", "7", "flat") != estate.find("3105027", "7", "garage")


def test_a_number_without_a_category_is_the_flat():
    assert sample().find("3105027", "7", None) == Flat("flat", "7")


def test_the_refused_phone_belongs_to_nobody():
    estate = sample()
    holders = {
        phone
        for house in estate.houses.values()
        for flat in house.flats
        for phone in shareholders(house.id, flat)
    }

    assert REFUSED_PHONE not in holders
    assert len(holders) > 100


def test_an_estate_for_measuring_has_the_size_asked_for():
    estate = of_size(houses=3, flats=250)

    assert len(estate.houses) == 3
    assert len(estate.flats("4000003", "storageroom")) == 250


# getFreeTimes


def test_a_free_day_has_a_gap_at_lunch_so_it_is_an_object(caller, crm):
    day = crm.free_starts(HOUSE)[0].date().isoformat()
    times = caller.free_times(day)

    assert list(times)[:2] == ["0", "1"]
    assert list(times.values())[:2] == ["09:00", "09:30"]
    assert "13:00" not in times.values()
    assert times["10"] == "14:00"
    assert times["17"] == "17:30"


def test_a_day_whose_first_slots_are_free_is_a_list(caller, crm):
    starts = crm.free_starts(HOUSE)
    for start in starts[2:]:
        crm.hand_to_a_rival(HOUSE, start)

    assert caller.free_times(starts[0].date().isoformat()) == ["09:00", "09:30"]


def test_a_house_has_its_own_hours(caller, crm):
    day = crm.free_starts("3105034")[0].date().isoformat()
    times = list(caller.free_times(day, "3105034").values())

    assert (times[0], times[-1]) == ("10:00", "15:30")


def test_the_closed_weekdays_have_no_times(caller, crm):
    day = crm.free_starts(HOUSE)[0].date()
    crm.switch(closed_weekdays=[7])
    sunday = day + timedelta(days=7 - day.isoweekday())

    assert caller.free_times(sunday.isoformat()) == []


def test_some_slots_are_taken_from_the_beginning_and_on_every_run_the_same():
    now = "2026-11-24T10:00:00+05:00"
    with StandIn(now=now, busy=0.3) as one, StandIn(now=now, busy=0.3) as other:
        times = Caller(one).free_times("2026-11-25")

        assert times["1"] == "09:30"
        assert len(times) == 8
        assert times == Caller(other).free_times("2026-11-25")


def test_past_times_of_today_are_listed_still(caller, crm):
    crm.switch(now="2026-11-24T17:45:00+05:00")

    assert "09:00" in caller.free_times("2026-11-24").values()


def test_a_day_too_far_ahead_is_refused(caller, crm):
    crm.switch(now="2026-11-24T10:00:00+05:00")

    envelope = caller.answer("getFreeTimes", house_id=HOUSE, transfer_date=midnight("2027-01-24"))

    assert (envelope["status_code"], envelope["data"]) == (400, None)
    assert envelope["message"] == "Запись на выбранную дату недоступна"
    assert caller.free_times("2027-01-23")


def test_an_unknown_house_is_refused(caller):
    envelope = caller.answer("getFreeTimes", house_id="9", transfer_date=midnight("2026-11-24"))

    assert (envelope["status_code"], envelope["message"]) == (404, "Дом не найден")


def test_free_times_answer_a_get_with_a_query(caller, crm):
    day = crm.free_starts(HOUSE)[0].date().isoformat()

    reply = caller.get("getFreeTimes", house_id=HOUSE, transfer_date=midnight(day))

    assert reply.json()["data"]["0"] == "09:00"


def test_a_body_with_a_get_is_not_read(caller, crm):
    reply = requests.get(
        f"{crm.url}/estate/transfer/getFreeTimes/",
        data=caller.signed(house_id=HOUSE, transfer_date=midnight("2026-11-24")),
        timeout=5,
    )

    assert reply.json() == {"status_code": 400, "data": [], "message": "Ошибка обработки запроса"}


def test_a_plus_that_is_not_escaped_is_a_space(caller, crm):
    form = "&".join(f"{name}={value}" for name, value in caller.signed().items())
    reply = requests.post(
        f"{crm.url}/estate/transfer/getFreeTimes/",
        data=f"{form}&house_id={HOUSE}&transfer_date=2026-11-24T00:00:00+05:00",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=5,
    )

    assert reply.json()["message"] == "Неверный формат даты"


# add


def test_a_booking_is_taken_and_its_slot_goes(caller, crm):
    start = next_start(crm)

    envelope = caller.book(start)

    assert envelope == {
        "status_code": 200,
        "data": [],
        "message": "Спасибо! Мы записали Вас на указанное время",
    }
    [entry] = crm.ledger
    assert (entry.house_id, entry.number, entry.category) == (HOUSE, FLAT, "flat")
    assert (entry.sequence, entry.phone) == (1, ACCEPTED_PHONE)
    assert entry.transfer_date == start[:16]
    assert start[11:16] not in caller.free_times(start[:10]).values()
    assert FLAT in caller.answer("getReadyFlats")["data"]["houses"][0]["flats"]


def test_any_shareholder_may_book(caller, crm):
    phone = shareholders(HOUSE, Flat("flat", FLAT))[0]

    assert caller.book(next_start(crm), phone=phone)["status_code"] == 200


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"phone": REFUSED_PHONE}, 403, "Телефон не найден среди участников сделки"),
        ({"phone": " 79001234567"}, 400, "Неверный формат телефона"),
        ({"flat_num": "1.8-99-9"}, 404, "Объект не найден"),
        ({"flat_num": "K-1.4-7-1", "category": "storageroom"}, 404, "Объект не найден"),
        ({"category": "garage"}, 404, "Объект не найден"),
        ({"category": "house"}, 400, "Неизвестная категория"),
        ({"house_id": "9"}, 404, "Объект не найден"),
        ({"flat_num": "1.8-17-1"}, 400, "Объект не готов к передаче"),
        ({"transfer_date": "2026-11-24T25:00:00+05:00"}, 400, "Неверный формат даты"),
        (
            {"transfer_date": PAST},
            400,
            "Запись на выбранную дату недоступна",
        ),
        ({"phone": ""}, 400, "Не заполнено обязательное поле phone"),
    ],
)
def test_an_add_that_is_refused(caller, crm, params, code, message):
    envelope = caller.book(next_start(crm), **params)

    assert (envelope["status_code"], envelope["message"]) == (code, message)
    assert crm.ledger == []


@pytest.mark.parametrize("start", ["13:00", "09:10", "18:00"])
def test_a_time_that_is_no_slot_is_refused(caller, crm, start):
    day = next_start(crm)[:10]

    envelope = caller.book(f"{day}T{start}:00+05:00")

    assert envelope["message"] == "В выбранное время записи нет"


def test_a_taken_slot_is_refused(caller, crm):
    start = next_start(crm)
    caller.book(start)

    envelope = caller.book(start, flat_num="1.8-12-2")

    assert (envelope["status_code"], envelope["message"]) == (409, "Выбранное время уже занято")


def test_a_second_booking_of_a_flat_is_refused(caller, crm):
    first, second = (start.isoformat() for start in crm.free_starts(HOUSE)[:2])
    caller.book(first)

    assert caller.book(second)["message"] == "Вы уже записаны"
    assert len(crm.ledger) == 1


def test_without_a_category_the_first_object_found_is_booked(caller, crm):
    caller.book(next_start(crm, "3105027"), house_id="3105027", flat_num="7", category="")

    assert crm.ledger[0].category == "flat"


def test_the_offset_is_ignored(caller, crm):
    start = next_start(crm)

    caller.book(start.replace("+05:00", "+03:00"))

    assert crm.ledger[0].transfer_date == start[:16]


def test_add_by_get_is_not_allowed(caller, crm):
    reply = caller.get("add", **wish(next_start(crm)))

    assert (reply.status_code, reply.headers["Allow"], reply.content) == (405, "POST", b"")
    assert crm.ledger == []


# The signature


@pytest.mark.parametrize(
    ("domain", "moment", "token"),
    [
        (UNICODE, "1700000000", "d485634cadc8b2e3f7c43959f78075ec"),
        (PUNYCODE, "1700000000", "380b47b4d8814130e7f2b91a7b77fd37"),
    ],
)
def test_the_known_vectors_are_accepted(domain, moment, token):
    with StandIn(domain=domain, clock_tolerance=None) as crm:
        envelope = Caller(crm).answer("getReadyFlats", domain=domain, time=moment, token=token)

    assert envelope["status_code"] == 200


@pytest.mark.parametrize(
    ("domain", "moment", "token"),
    [
        (PUNYCODE, "1700000000", "380b47b4d8814130e7f2b91a7b77fd37"),
        ("вашсайт.рф", "1700000000", "c9bc66e327e8bb241d7ead1b611caf29"),
        ("ВашСайт.рф", "1700000000", "261ecbc7b9fa8c6257e62c8abcf0c1d2"),
        (f"{UNICODE}/", "1700000000", "30ae6f26785b023aeb751fd5d64d39dd"),
        (f"www.{UNICODE}", "1700000000", "1d8ae075092c8f74fa75013135879f00"),
        (UNICODE, "1700000000", "D485634CADC8B2E3F7C43959F78075EC"),
        (UNICODE, "1700000001", "d485634cadc8b2e3f7c43959f78075ec"),
        (UNICODE, "1700000000.0", sign(UNICODE, "1700000000.0", "example-secret")),
        (UNICODE, "1700000000", "ключ"),
    ],
)
def test_any_other_spelling_is_refused(domain, moment, token):
    with StandIn(domain=UNICODE, clock_tolerance=None) as crm:
        envelope = Caller(crm).answer("getReadyFlats", domain=domain, time=moment, token=token)

    assert (envelope["status_code"], envelope["message"]) == (401, "Неверный токен")


@pytest.mark.parametrize("missing", ["time", "domain", "token"])
def test_an_unsigned_request_is_refused(caller, missing):
    envelope = caller.answer("getReadyFlats", **{missing: ""})

    assert envelope["status_code"] == 400


@pytest.mark.parametrize(("ahead", "code"), [(-3600, 200), (3600, 200), (-9e4, 401), (9e4, 401)])
def test_a_clock_may_be_a_day_off(caller, crm, ahead, code):
    crm.switch(clock_skew=ahead)

    assert caller.answer("getReadyFlats")["status_code"] == code


def test_milliseconds_are_refused(caller):
    assert caller.answer("getReadyFlats", time="1700000000000")["status_code"] == 401


def test_an_unsigned_add_books_nothing(caller, crm):
    assert caller.book(next_start(crm), token="0" * 32)["status_code"] == 401
    assert crm.ledger == []


# Paths, headers, the log


def test_a_path_without_its_slash_is_redirected(crm):
    reply = requests.post(
        f"{crm.url}/estate/transfer/add?a=1", data={}, timeout=5, allow_redirects=False
    )

    assert (reply.status_code, reply.headers["Location"]) == (301, "/estate/transfer/add/?a=1")


@pytest.mark.parametrize(
    "path",
    ["/", "/estate/transfer/cancel/", "/_stand-in/no", "/estate/transfer/getReadyFlats/"],
)
@pytest.mark.parametrize("verb", ["GET", "POST", "HEAD", "DELETE"])
def test_every_reply_says_that_it_is_a_stand_in(crm, verb, path):
    reply = requests.request(verb, crm.url + path, timeout=5)

    assert reply.headers["X-Stand-In"] == "macrocrm"


def test_an_unknown_method_is_not_found(crm):
    reply = requests.post(f"{crm.url}/estate/transfer/cancel/", timeout=5)

    assert (reply.status_code, reply.json()["status"]) == (404, 404)


def test_a_huge_body_is_not_read(crm):
    reply = requests.post(
        f"{crm.url}/estate/transfer/add/", headers={"Content-Length": "2000000"}, timeout=5
    )

    assert reply.status_code == 413


def test_connections_are_kept_alive(caller):
    assert caller.post("getReadyFlats").headers["Connection"] == "keep-alive"


def test_the_log_has_each_request_redacted(caller, crm):
    caller.book(next_start(crm), ref=f"x{crm.secret}y")

    [record] = crm.requests
    assert (record.method, record.verb) == ("add", "POST")
    assert record.params["token"] == "[redacted]"
    assert record.params["phone"] == "…67"
    assert record.params["ref"] == "x[redacted]y"
    assert record.params["flat_num"] == FLAT
    assert record.content_type == "application/x-www-form-urlencoded"
    assert crm.secret not in repr(crm.requests)


def test_requests_are_counted_by_method(caller, crm):
    caller.post("getReadyFlats")
    caller.get("getReadyFlats")
    caller.get("add")

    assert [crm.count(m) for m in ("getReadyFlats", "getFreeTimes", "add")] == [2, 0, 1]


def test_waiting_for_a_request_that_does_not_come_ends(crm):
    with pytest.raises(TimeoutError):
        crm.wait_for("add", timeout=0.01)


# The server


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.test"])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(NotLoopback):
        StandIn(host=host)


def test_it_listens_elsewhere_when_told_to():
    with StandIn(host="0.0.0.0", allow_remote=True) as crm:
        assert crm.url.startswith("http://0.0.0.0:")


def test_it_listens_on_the_other_loopback_address():
    with StandIn(host="::1") as crm:
        assert Caller(crm).answer("getReadyFlats")["status_code"] == 200


def test_after_a_stop_it_starts_on_the_same_port_with_the_same_bookings(caller, crm):
    caller.book(next_start(crm))
    url = crm.url

    crm.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    crm.start()

    assert crm.url == url
    assert len(crm.ledger) == 1
    assert Caller(crm).answer("getReadyFlats")["status_code"] == 200


# The control path


def test_switches_can_be_read_and_changed_over_http(crm):
    url = f"{crm.url}/_stand-in/switches"

    changed = requests.post(url, json={"busy": 0.5, "closed_weekdays": [6, 7]}, timeout=5)

    assert changed.status_code == 200
    assert requests.get(url, timeout=5).json()["busy"] == 0.5
    assert crm.free_starts(HOUSE)[0].isoweekday() < 6


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"lunch": 1}),
        ("switches", {"ids": "floats"}),
        ("switches", [1]),
        ("faults", {"method": "add", "kind": "flood"}),
        ("faults", {"method": "cancel", "kind": "hang"}),
        ("faults", {"kind": "hang"}),
    ],
)
def test_a_wrong_control_request_is_explained(crm, path, body):
    reply = requests.post(f"{crm.url}/_stand-in/{path}", json=body, timeout=5)

    assert reply.status_code == 400
    assert reply.json()["error"]


def test_a_page_in_a_browser_cannot_change_switches(crm):
    reply = requests.post(
        f"{crm.url}/_stand-in/reset",
        data=json.dumps({}),
        headers={"Content-Type": "text/plain"},
        timeout=5,
    )

    assert reply.status_code == 400


def test_faults_can_be_planned_and_lifted_over_http(caller, crm):
    url = f"{crm.url}/_stand-in/faults"

    planned = requests.post(url, json={"method": "add", "kind": "status", "status": 502}, timeout=5)
    assert planned.json()[0]["kind"] == "status"
    assert caller.post("add").status_code == 502

    assert requests.delete(url, timeout=5).json() == []
    assert caller.post("add").status_code == 200


def test_the_log_and_the_ledger_can_be_read_over_http(caller, crm):
    caller.book(next_start(crm))

    log = requests.get(f"{crm.url}/_stand-in/requests", timeout=5).json()
    ledger = requests.get(f"{crm.url}/_stand-in/ledger", timeout=5).json()

    assert log["counts"] == {"getReadyFlats": 0, "getFreeTimes": 0, "add": 1}
    assert log["requests"][0]["params"]["phone"] == "…67"
    assert ledger[0]["phone"] == ACCEPTED_PHONE


def test_a_reset_leaves_nothing_behind(caller, crm):
    caller.book(next_start(crm))
    crm.switch(busy=1)
    crm.fail("add", "hang")

    requests.post(f"{crm.url}/_stand-in/reset", json={}, timeout=5)

    assert (crm.ledger, crm.requests, crm.count("add")) == ([], [], 0)
    assert caller.book(next_start(crm))["status_code"] == 200


def test_a_wrong_switch_names_those_there_are(crm):
    with pytest.raises(SwitchError, match="no switch is called lunch; there are query_reads"):
        crm.switch(lunch=True)


def test_a_house_without_free_slots_says_so():
    estate = Estate([House("1", "Дом", (), opens=9, closes=9)])
    with StandIn(estate=estate) as crm, pytest.raises(LookupError):
        crm.free_starts("1")
