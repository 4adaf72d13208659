"""The public PHP client of 2022 (facts F1 to F13): just such requests are served.

It posts forms that `http_build_query` makes, sends no category, a numeric flat, a house's id from
the list, and the hour as its page has it: 9:30, not 09:30.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from hashlib import md5
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from standin import ACCEPTED_PHONE, StandIn

HOUSE = "3105027"


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn() as crm:
        yield crm


def http_build_query(params: Mapping[str, str | int]) -> str:
    """As PHP makes it: RFC 1738, so a space is a plus and a plus is %2B."""
    return "&".join(f"{name}={quote_plus(str(value))}" for name, value in params.items())


def stream(crm: StandIn, method: str, verb: str = "POST", **params: str | int) -> dict[str, Any]:
    """`file_get_contents` with a stream context: HTTP/1.0-like, one connection, a body always."""
    moment = int(time.time())
    token = md5(f"{crm.domain}{moment}{crm.secret}".encode()).hexdigest()
    body = http_build_query({"domain": crm.domain, "time": moment, "token": token, **params})
    connection = HTTPConnection(urlsplit(crm.url).netloc, timeout=5)
    try:
        connection.request(
            verb,
            f"/estate/transfer/{method}/",
            body=body,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Connection": "close",
            },
        )
        response = connection.getresponse()
        assert response.status < 400  # above, file_get_contents returns false
        envelope: dict[str, Any] = json.loads(response.read())
        return envelope
    finally:
        connection.close()


def test_it_fills_its_list_of_houses(crm):
    houses = stream(crm, "getReadyFlats")["data"]["houses"]

    assert len(houses) == len(crm.estate.houses)
    assert all(house["id"].isdigit() and house["title"] for house in houses)


def test_it_walks_the_times_by_value(crm):
    day = crm.free_starts(HOUSE)[0].date().isoformat()

    times = stream(crm, "getFreeTimes", transfer_date=f"{day}T00:00:00+05:00", house_id=HOUSE)

    assert {"09:30", "10:00", "10:30"} <= set(times["data"].values())


@pytest.mark.parametrize("hour", ["9:30", "09:30", "11:00"])
def test_it_books_with_padded_and_unpadded_hours(crm, hour):
    day = crm.free_starts(HOUSE)[0].date().isoformat()

    envelope = stream(
        crm,
        "add",
        transfer_date=f"{day}T{hour}:00+05:00",
        house_id=HOUSE,
        flat_num=7,
        phone=ACCEPTED_PHONE,
    )

    assert envelope["message"] == "Спасибо! Мы записали Вас на указанное время"
    assert crm.ledger[0].transfer_date == f"{day}T{hour:0>5}"
    assert "category" not in crm.requests[0].params


def test_its_get_with_a_body_does_not_work(crm):
    envelope = stream(
        crm, "getFreeTimes", "GET", transfer_date="2026-11-24T00:00:00+05:00", house_id=HOUSE
    )

    assert envelope["message"] == "Ошибка обработки запроса"


def test_a_refusal_is_a_text_below_http_400(crm):
    day = crm.free_starts(HOUSE)[0].date().isoformat()

    envelope = stream(
        crm,
        "add",
        transfer_date=f"{day}T11:00:00+05:00",
        house_id=HOUSE,
        flat_num=700,
        phone=ACCEPTED_PHONE,
    )

    assert envelope["message"] == "Объект не найден"
