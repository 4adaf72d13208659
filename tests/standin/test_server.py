"""The server, its log, its switches and its control path."""

from __future__ import annotations

import pytest
import requests

from standin import SwitchError
from tests.standin.caller import FLAT, HOUSE, Caller, next_start


def test_after_a_stop_it_starts_on_the_same_port_with_the_same_bookings(caller, crm):
    caller.book(next_start(crm))
    url = crm.url

    crm.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    crm.start()

    assert url.startswith("http://127.0.0.1:")
    assert (crm.url, len(crm.ledger)) == (url, 1)
    assert Caller(crm).answer("getReadyFlats")["status_code"] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/estate/transfer/cancel/", 404),
        ("/_stand-in/no", 404),
        ("/estate/transfer/add", 301),
        ("/estate/transfer/add/", 200),
    ],
)
def test_every_reply_says_that_it_is_a_stand_in(crm, path, status):
    reply = requests.post(crm.url + path, timeout=5, allow_redirects=False)

    assert (reply.status_code, reply.headers["X-Stand-In"]) == (status, "macrocrm")
    assert reply.headers.get("Location", f"{path}/") == f"{path}/"


def test_the_log_has_each_request_redacted(caller, crm):
    caller.book(next_start(crm), ref=f"x{crm.secret}y")
    caller.get("add")

    record = crm.requests[0]
    assert (record.method, record.verb) == ("add", "POST")
    assert (record.params["token"], record.params["phone"]) == ("[redacted]", "…67")
    assert (record.params["ref"], record.params["flat_num"]) == ("x[redacted]y", FLAT)
    assert [crm.count(method) for method in ("add", "getFreeTimes")] == [2, 0]
    with pytest.raises(TimeoutError):
        crm.wait_for("getFreeTimes", timeout=0.01)


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        ({"lunch": 1}, "no switch is called lunch; there are query_reads"),
        ({"refusals": "loud"}, "refusals is one of in body, mirrored, yii, error flag"),
        ({"capacity": 1.5}, "capacity takes int"),
        ({"busy": "some"}, "busy takes float"),
    ],
)
def test_a_switch_that_makes_no_sense_changes_nothing(crm, switches, told):
    with pytest.raises(SwitchError, match=told):
        crm.switch(closed_weekdays=[1, 2, 3, 4, 5, 6, 7], **switches)

    assert crm.free_starts(HOUSE)


def test_it_is_switched_and_made_to_fail_over_http(caller, crm):
    control = f"{crm.url}/_stand-in"

    changed = requests.post(f"{control}/switches", json={"latency": 0.01}, timeout=5).json()
    assert changed["latency"]["add"] == 0.01
    assert requests.get(f"{control}/switches", timeout=5).json() == changed

    fault = {"method": "add", "kind": "status", "status": 502}
    requests.post(f"{control}/faults", json=fault, timeout=5).raise_for_status()
    assert caller.post("add").status_code == 502
    requests.delete(f"{control}/faults", timeout=5).raise_for_status()
    assert caller.book(next_start(crm))["status_code"] == 200

    log = requests.get(f"{control}/requests", timeout=5).json()
    assert log["counts"] == {"getReadyFlats": 0, "getFreeTimes": 0, "add": 2}
    assert log["requests"][1]["params"]["phone"] == "…67"


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("switches", '{"lunch": 1}', "application/json"),
        ("switches", "[1]", "application/json"),
        ("faults", '{"method": "add", "kind": "flood"}', "application/json"),
        ("faults", '{"method": "cancel", "kind": "hang"}', "application/json"),
        ("switches", "{}", "text/plain"),  # what a page in a browser could post
    ],
)
def test_a_wrong_control_request_is_explained(crm, path, body, content_type):
    headers = {"Content-Type": content_type}
    reply = requests.post(f"{crm.url}/_stand-in/{path}", body, headers=headers, timeout=5)

    assert reply.status_code == 400
    assert reply.json()["error"]
