"""Each switch of the stand-in: what its other values change."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from standin import REFUSED_PHONE, StandIn, SwitchError, Switches
from tests.standin_caller import FLAT, HOUSE, Caller, midnight, next_start, sign, wish


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn() as crm:
        yield crm


@pytest.fixture
def caller(crm) -> Caller:
    return Caller(crm)


def today(crm: StandIn) -> str:
    return crm.free_starts(HOUSE)[0].date().isoformat()


# Which requests are served


def test_reads_by_query_can_be_ignored(caller, crm):
    crm.switch(query_reads=False)

    assert caller.get("getReadyFlats").json()["message"] == "Ошибка обработки запроса"


def test_free_times_by_get_can_be_refused(caller, crm):
    crm.switch(free_times_get="refused")

    reply = caller.get("getFreeTimes", house_id=HOUSE, transfer_date=midnight("2026-11-24"))

    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST")
    assert caller.get("getReadyFlats").status_code == 200


def test_free_times_by_post_can_be_405(caller, crm):
    crm.switch(free_times_post="405")

    reply = caller.post("getFreeTimes", house_id=HOUSE, transfer_date=midnight("2026-11-24"))

    assert (reply.status_code, reply.headers["Allow"], reply.content) == (405, "GET", b"")


def test_json_bodies_can_be_ignored(caller, crm):
    crm.switch(json_bodies="ignored")
    url = f"{crm.url}/estate/transfer/getReadyFlats/"

    assert requests.post(url, json=caller.signed(), timeout=5).json()["status_code"] == 400


def test_a_path_without_its_slash_can_be_served(caller, crm):
    crm.switch(slashless="served")
    url = f"{crm.url}/estate/transfer/getReadyFlats"

    assert requests.post(url, data=caller.signed(), timeout=5).json()["status_code"] == 200


# The signature


@pytest.mark.parametrize(
    ("sent", "code"), [("вашсайт.рф", 401), ("xn--80aae4a1bi2b.xn--p1ai", 200)]
)
def test_the_domain_can_be_registered_in_punycode(sent, code):
    with StandIn(domain="вашсайт.рф", registered_domain="punycode") as crm:
        assert Caller(crm).answer("getReadyFlats", domain=sent)["status_code"] == code


def test_the_case_of_the_domain_can_be_ignored(caller, crm):
    crm.switch(domain_case="ignored")

    assert caller.answer("getReadyFlats", domain="Example.Test")["status_code"] == 200


@pytest.mark.parametrize(("tolerance", "code"), [(300, 401), (None, 200)])
def test_the_clock_can_be_checked_closely_or_not_at_all(caller, crm, tolerance, code):
    crm.switch(clock_tolerance=tolerance)

    envelope = caller.answer("getReadyFlats", time=str(int(time.time()) - 400))

    assert envelope["status_code"] == code


def test_milliseconds_can_be_accepted(caller, crm):
    crm.switch(milliseconds="accepted")

    assert caller.answer("getReadyFlats", time=str(int(time.time() * 1000)))["status_code"] == 200


def test_the_date_header_shows_a_clock_that_is_wrong(caller, crm):
    crm.switch(clock_skew=-1_000_000_000)

    told = parsedate_to_datetime(caller.post("getReadyFlats").headers["Date"]).timestamp()
    assert told == pytest.approx(time.time() - 1_000_000_000, abs=60)


# The envelope and its bytes


def test_refusals_can_be_mirrored_into_http(caller, crm):
    crm.switch(refusals="mirrored")

    reply = caller.post("add", **wish(next_start(crm), phone=REFUSED_PHONE))

    assert (reply.status_code, reply.json()["status_code"]) == (403, 403)


def test_refusals_can_look_like_yii(caller, crm):
    crm.switch(refusals="yii")

    reply = caller.post("getFreeTimes", house_id="9", transfer_date=midnight("2026-11-24"))

    assert reply.status_code == 404
    assert reply.json() == {
        "name": "Not Found",
        "message": "Дом не найден",
        "code": 0,
        "status": 404,
    }


def test_refusals_can_be_an_error_flag(caller, crm):
    crm.switch(refusals="error flag")

    unsigned = caller.post("add", **wish(next_start(crm), token="0" * 32))
    stranger = caller.answer("add", **wish(next_start(crm), phone=REFUSED_PHONE))

    assert unsigned.status_code == 200
    assert unsigned.json() == {"error": True, "message": "Request not authenticated"}
    assert stranger == {"error": True, "message": "Телефон не найден среди участников сделки"}


@pytest.mark.parametrize(
    ("encoding", "beginning"),
    [
        ("escaped", rb'{"status_code":200,"data":{"houses":[{"id":"3105011","title":"\u0416'),
        ("bom", b'\xef\xbb\xbf{"status_code":200'),
        ("notice", b"<br />\n<b>Notice</b>:  Undefined index: category in <b>/srv/x.php</b>"),
        ("windows-1251", b'{"status_code":200,"data":{"houses":[{"id":"3105011","title":"\xc6'),
    ],
)
def test_encodings(caller, crm, encoding, beginning):
    crm.switch(encoding=encoding)

    assert caller.post("getReadyFlats", category="flat").content.startswith(beginning)


def test_escaped_slashes(caller, crm):
    crm.switch(encoding="escaped")

    assert rb"\u041c-3\/2" in caller.post("getReadyFlats", category="garage").content


def test_windows_1251_names_its_charset(caller, crm):
    crm.switch(encoding="windows-1251")
    reply = caller.post("getReadyFlats", category="flat")

    assert reply.headers["Content-Type"] == "text/html; charset=windows-1251"
    assert "«Лесной квартал»" in reply.text


# getReadyFlats


@pytest.mark.parametrize(
    ("shape", "data"), [("houses", {"houses": []}), ("list", []), ("null", None)]
)
def test_nothing_ready(caller, crm, shape, data):
    crm.estate.houses.clear()
    crm.switch(no_houses=shape)

    assert caller.answer("getReadyFlats")["data"] == data


def test_ids_can_be_numbers(caller, crm):
    crm.switch(ids="ints")

    assert caller.answer("getReadyFlats")["data"]["houses"][0]["id"] == 3105011


def test_a_booked_flat_can_disappear(caller, crm):
    crm.switch(booked_flats="disappear")
    caller.book(next_start(crm))

    assert FLAT not in caller.answer("getReadyFlats", category="flat")["data"]["houses"][0]["flats"]


# getFreeTimes


def test_times_can_always_be_a_list(caller, crm):
    crm.switch(times_shape="list")

    assert caller.free_times(today(crm))[:2] == ["09:00", "09:30"]


def test_times_can_be_the_literal_of_the_page(caller, crm):
    starts = crm.free_starts(HOUSE)
    for start in starts[2:-1]:
        crm.hand_to_a_rival(HOUSE, start)
    crm.switch(times_shape="literal")

    reply = caller.post("getFreeTimes", house_id=HOUSE, transfer_date=midnight(today(crm)))

    assert reply.text == (
        '{"status_code":200,"data":{"09:00","09:30","17":"17:30",},"message":"Выполнено"}'
    )


@pytest.mark.parametrize(("shape", "data"), [("list", []), ("object", {}), ("null", None)])
def test_no_times(caller, crm, shape, data):
    crm.switch(no_times=shape, busy=1)

    assert caller.free_times("2026-11-24") == data


def test_no_times_in_the_literal(caller, crm):
    crm.switch(times_shape="literal", busy=1)

    assert caller.free_times("2026-11-24") == {}


def test_the_house_can_be_required(caller, crm):
    crm.switch(house_id="required")

    envelope = caller.answer("getFreeTimes", transfer_date=midnight("2026-11-24"))

    assert (envelope["status_code"], envelope["message"]) == (400, "Не указан house_id")


def test_without_a_house_the_day_of_the_company_is_given(caller, crm):
    envelope = caller.answer("getFreeTimes", transfer_date=midnight(today(crm)))

    assert envelope["data"]["0"] == "09:00"


def test_the_day_is_required(caller):
    assert caller.answer("getFreeTimes", house_id=HOUSE)["status_code"] == 400


def test_the_grid_can_be_finer(caller, crm):
    crm.switch(grid_minutes=20, times_shape="list")

    assert caller.free_times(today(crm))[:4] == ["09:00", "09:20", "09:40", "10:00"]


def test_a_slot_can_have_several_places(caller, crm):
    crm.switch(capacity=2)
    start = next_start(crm)

    codes = [caller.book(start, flat_num=f"1.8-12-{n}")["status_code"] for n in (1, 2, 3)]

    assert codes == [200, 200, 409]


def test_days_can_be_closed(caller, crm):
    day = today(crm)
    crm.switch(closed_days=[day])

    assert caller.free_times(day) == []


def test_the_horizon_can_be_shorter(caller, crm):
    crm.switch(horizon_days=1, now="2026-11-24T10:00:00+05:00")

    far = caller.answer("getFreeTimes", house_id=HOUSE, transfer_date=midnight("2026-11-26"))

    assert far["status_code"] == 400


# add


@pytest.mark.parametrize(
    ("reply", "envelope"),
    [
        ("no message", {"status_code": 200, "data": []}),
        ("C94", {"status_code": 400, "data": [], "message": "Ошибка обработки запроса"}),
        ("C95", {"status_code": 200, "data": [], "message": "Ошибка обработки запроса"}),
        ("C96", {"status_code": 500, "data": None, "message": "Ошибка обработки запроса"}),
        ("C97", {"message": "Спасибо! Мы записали Вас на указанное время"}),
        (
            "C98",
            {
                "status_code": 400,
                "data": [],
                "message": "Спасибо! Мы записали Вас на указанное время",
            },
        ),
    ],
)
def test_other_words_after_a_booking(caller, crm, reply, envelope):
    crm.switch(add_reply=reply)

    assert caller.book(next_start(crm)) == envelope
    assert len(crm.ledger) == 1


def test_words_without_a_booking(caller, crm):
    crm.switch(add_reply="C94", add_writes=False)

    assert caller.book(next_start(crm))["status_code"] == 400
    assert crm.ledger == []


def test_a_second_booking_can_move_the_first(caller, crm):
    crm.switch(second_add="moves")
    first, second = (start.isoformat() for start in crm.free_starts(HOUSE)[:2])

    caller.book(first)
    caller.book(second)

    assert [entry.replaces for entry in crm.ledger] == [None, 1]
    times = caller.free_times(first[:10]).values()
    assert first[11:16] in times
    assert second[11:16] not in times


def test_a_second_booking_can_be_added(caller, crm):
    crm.switch(second_add="adds")
    for start in crm.free_starts(HOUSE)[:2]:
        caller.book(start.isoformat())

    assert [entry.replaces for entry in crm.ledger] == [None, None]
    assert len(caller.free_times(today(crm))) == 14


def test_the_offset_can_be_converted(caller, crm):
    crm.switch(offset="converted")
    start = next_start(crm)

    caller.book(start.replace("09:00:00+05:00", "07:00:00+03:00"))

    assert crm.ledger[0].transfer_date == start[:16]


def test_a_day_at_the_end_of_all_days_cannot_be_converted(caller, crm):
    crm.switch(offset="converted")

    assert caller.book("9999-12-31T23:00:00-05:00")["message"] == "Неверный формат даты"


def test_an_unpadded_hour_can_be_refused(caller, crm):
    crm.switch(unpadded_hours="refused")
    day = today(crm)

    assert caller.book(f"{day}T9:30:00+05:00")["message"] == "Неверный формат даты"
    assert caller.book(f"{day}T09:30:00+05:00")["status_code"] == 200


# Time


def test_the_diary_can_live_on_another_day(caller, crm):
    crm.switch(now="2027-03-01T10:00:00+05:00")

    assert caller.book("2027-03-01T09:00:00+05:00")["status_code"] == 400
    assert caller.book("2027-03-01T10:30:00+05:00")["status_code"] == 200


@pytest.mark.parametrize("latency", [0.2, {"getReadyFlats": 0.2}])
def test_latency(caller, crm, latency):
    crm.switch(latency=latency)
    started = time.monotonic()

    caller.post("getReadyFlats")

    assert time.monotonic() - started >= 0.2


# The switches themselves


@pytest.mark.parametrize(
    "switches",
    [
        {"ids": "floats"},
        {"query_reads": "yes"},
        {"capacity": 0},
        {"capacity": 1.5},
        {"capacity": True},
        {"busy": 2},
        {"busy": None},
        {"clock_tolerance": -1},
        {"closed_weekdays": [0]},
        {"closed_weekdays": "7"},
        {"closed_days": ["31.12.2026"]},
        {"closed_days": "2026-12-31"},
        {"now": "2026-11-24T10:00:00"},
        {"now": "noon"},
        {"latency": -1},
        {"latency": {"cancel": 1}},
        {"latency": {"add": "1"}},
        {"no_such_switch": 1},
    ],
)
def test_a_value_that_makes_no_sense_is_refused(switches):
    [name] = switches

    with pytest.raises(SwitchError, match=name):
        Switches().changed(**switches)


def test_every_default_is_a_value_that_the_switch_takes():
    defaults = dataclasses.asdict(Switches())

    assert Switches().changed(**defaults) == Switches()


def test_a_wrong_switch_changes_nothing(crm):
    with pytest.raises(SwitchError):
        crm.switch(busy=1, ids="floats")

    assert crm.free_starts(HOUSE)


def test_a_signature_in_the_tests_is_that_of_the_known_vector():
    token = sign("вашсайт.рф", "1700000000", "example-secret")

    assert token == "d485634cadc8b2e3f7c43959f78075ec"
