"""Replies read without a socket: what is kept, what is left out, and that nothing breaks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.crm import AddOutcome, AddReply, CRMError, CRMUnreadable, Reason
from booking.crm.add_reply import add_reply
from booking.crm.envelope import HTTPReply, RequestSummary
from booking.crm.houses import ready_flats
from booking.crm.masking import masked_plain, masker
from booking.crm.text import plain
from booking.crm.times import free_times, from_manual
from tests.costs import cost
from tests.crm_cases import DAY, ZONE

MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=ZONE)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def reply(body: bytes | str, status: int = 200, **headers: str) -> HTTPReply:
    return HTTPReply(
        status=status,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
        body=body.encode() if isinstance(body, str) else body,
        received_at=NOON.timestamp(),
        request=RequestSummary(what="POST crm.test add", mask=str),
    )


def listed(*items: object) -> HTTPReply:
    return reply(json.dumps({"status_code": 200, "data": {"houses": items}}))


def house(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "title": "Дом", "flats": ["1"]} | changes


# Strings of the CRM

LONG_TEXTS = ["(" * 100_000, "<a" * 50_000, "&#" + "9" * 5_000, "8 (" * 30_000, " \u2011" * 50_000]


@pytest.mark.parametrize("text", LONG_TEXTS, ids=range(len(LONG_TEXTS)))
def test_a_message_of_any_length_is_cut_before_it_is_masked(text: str) -> None:
    mask = masker(secret="example-secret", phone="+79001234567")
    said = json.dumps({"status_code": 200, "message": text, "data": {"id": text}})
    told = replace(reply(said), request=RequestSummary(what="POST crm.test add", mask=mask))

    assert cost(lambda: add_reply(told), tries=1) < 0.2
    assert add_reply(told).outcome == AddOutcome.CONFIRMED
    assert len(add_reply(told).message) <= 300
    assert len(add_reply(told).reference) <= 64


@pytest.mark.parametrize("before", [0, 250, 3990, 4000, 10_000])
def test_no_half_of_a_phone_is_left_where_a_message_is_cut(before: int) -> None:
    mask = masker(secret="example-secret", phone="+79001234567")
    for noise in ("x", "<b>"):
        text = (noise * before)[:before] + "8 (900) 123-45-67"
        assert "900" not in masked_plain(text, mask, 300)


def test_only_the_first_names_of_many_errors_are_told() -> None:
    many = {"status_code": 400, "errors": dict.fromkeys(map(str, range(1000)), "")}

    (remark,) = add_reply(reply(json.dumps(many))).remarks

    assert remark == "Errors are told about: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9."


@pytest.mark.parametrize(
    "number",
    ["", "  ", "1\x00", "1\n2", "\x7f", "\ud800", "1" * 65, True, 1.5, None, [], {"num": "7"}],
)
def test_a_number_that_cannot_go_back_as_it_came_is_left_out_and_told(number: object) -> None:
    found = ready_flats(listed(house(flats=[number, "8"])))

    assert [flat.number for flat in found.houses[0].flats] == ["8"]
    assert found.remarks


@pytest.mark.parametrize("house_id", ["", "1\x00", "\ud800", "1" * 65, True, 1.5, None, ["1"]])
def test_a_house_whose_id_cannot_go_back_is_left_out_and_told(house_id: object) -> None:
    found = ready_flats(listed(house(id=house_id), house(id="2")))

    assert [house.id for house in found.houses] == ["2"]
    assert found.remarks


@pytest.mark.parametrize("number", [" 12 ", "К-1", "K-1", "007", "1" * 64, "a&amp;b", "№ 5", "Ё"])
def test_a_number_is_kept_exactly(number: str) -> None:
    found = ready_flats(listed(house(flats=[number])))

    assert found.houses[0].flats[0].number == number
    assert not found.remarks


def test_a_number_is_shown_decoded_and_sent_raw() -> None:
    (flat,) = ready_flats(listed(house(flats=["7&nbsp;&laquo;А&raquo;"]))).houses[0].flats

    assert flat.number == "7&nbsp;&laquo;А&raquo;"
    assert flat.label == "7\N{NO-BREAK SPACE}«А»"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Дом\x00 1", "Дом 1"),
        ("Дом \ud800", "Дом \N{REPLACEMENT CHARACTER}"),
        ("  Дом\r\n\t1  ", "Дом 1"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}1 моД", "1 моД"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#0;&#x202e;Дом", "\N{REPLACEMENT CHARACTER}Дом"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("<script>x</script>", "x"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_text_is_one_plain_line(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize("title", [None, "", "\x00", "<br>", [], True])
def test_a_house_without_a_title_is_called_by_its_id(title: object) -> None:
    assert ready_flats(listed(house(title=title))).houses[0].title == "Дом 1"


# Shapes


@pytest.mark.parametrize("data", ['{"a":1}', '"x"', "true", "[1]", '[{"id":"1"}]', "0", "false"])
def test_data_without_houses_is_no_empty_list(data: str) -> None:
    with pytest.raises(CRMUnreadable):
        ready_flats(reply(f'{{"status_code":200,"data":{data}}}'))


def test_houses_directly_in_data_are_taken_and_told() -> None:
    found = ready_flats(reply(json.dumps({"status_code": 200, "data": [house()]})))

    assert len(found.houses) == 1
    assert found.remarks


def test_a_reply_that_may_be_one_page_of_several_is_told() -> None:
    body = {"status_code": 200, "data": {"houses": []}, "meta": {"next": 2}}

    assert "page" in ready_flats(reply(json.dumps(body))).remarks[0]


def test_nothing_without_a_status_is_not_taken_for_nothing_ready() -> None:
    with pytest.raises(CRMUnreadable):
        ready_flats(reply('{"data":[]}'))


@pytest.mark.parametrize(
    "data",
    [
        '[{"time":"10:00","is_free":false}]',
        '{"7":{"time":"10:00","busy":true}}',
        '[{"from":"10:00","to":"10:30"}]',
        '["24:00"]',
        '["10:60"]',
        '["09:00:30"]',
        '["٠٩:٠٠"]',
        '["2020-06-11T10:00:00"]',
        '["2020-13-11T10:00:00+05:00"]',
        "[[]]",
        '"10:00"',
        "1",
    ],
)
def test_what_is_not_surely_a_free_time_is_not_offered(data: str) -> None:
    with pytest.raises(CRMUnreadable):
        free_times(reply(f'{{"status_code":200,"data":{data}}}'), MIDNIGHT)


@pytest.mark.parametrize(
    "text",
    [
        '{"status_code":200,"data":{"08:30","x":"09:00",},"message":""}',
        '{"status_code":400,"data":{"08:30",},"message":""}',
        '{"status_code":200,"data":{"08:30",],"message":""}',
        '{"status_code":200,"data":{"08:30",}}',
        '{"status_code":200,"data":{,},"message":""}',
        '{"status_code":200,"data":{"08:30",},"message":"","error":true}',
        '{status_code:200,data:["08:30"],message:""}',
    ],
)
def test_only_the_malformed_sample_of_the_manual_is_put_right(text: str) -> None:
    assert from_manual(text) is None


def test_looking_for_the_malformed_sample_takes_no_time() -> None:
    began = monotonic()
    for filler in ('"08:30" ', '"1" : "08:30",', " ", '"08:30",   ', '"1":'):
        assert from_manual('{"status_code":200,"data":{' + filler * 100_000 + "!") is None

    assert monotonic() - began < 2


# Headers


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("999999999999999999999", 3600),
        (format_datetime(NOON.replace(minute=1), usegmt=True), 60),
        (format_datetime(NOON.replace(hour=11), usegmt=True), 0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_the_pause_the_crm_asks_for(asked: str, seconds: float | None) -> None:
    assert reply("", 503, retry_after=asked).retry_after == seconds


# Anything at all

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)
TIMES = st.sampled_from(["09:00", "9:00", "09:00-09:30", "25:00", "2020-06-11T10:00:00+05:00"])
LIKE_DATA = (
    JSON_VALUES
    | st.lists(TIMES | JSON_VALUES)
    | st.fixed_dictionaries(
        {
            "houses": JSON_VALUES
            | st.lists(
                st.fixed_dictionaries(
                    {
                        "id": JSON_VALUES,
                        "title": JSON_VALUES,
                        "flats": JSON_VALUES | st.lists(st.text()),
                    }
                )
            )
        }
    )
)
LIKE_ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "status_code": st.sampled_from([200, "200", 200.0, 400, 403, 409, 500]) | JSON_VALUES,
        "data": LIKE_DATA,
        "message": st.text() | JSON_VALUES,
        "error": JSON_VALUES,
        "success": JSON_VALUES,
        "errors": JSON_VALUES,
        "meta": JSON_VALUES,
    },
)
BODIES = st.binary() | (JSON_VALUES | LIKE_ENVELOPES).map(lambda value: json.dumps(value).encode())
STATUSES = st.sampled_from([200, 201, 202, 204, 206, 400, 401, 404, 409, 429, 500]) | st.integers(
    100, 999
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "retry-after", "date", "location", "x-stand-in"]),
    st.text() | st.just("text/html; charset=windows-1251"),
)


# How long an example takes is the machine's affair.
whatever_the_load = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@whatever_the_load
@given(body=BODIES, status=STATUSES, headers=HEADERS)
def test_no_reply_breaks_a_read(body: bytes, status: int, headers: dict[str, str]) -> None:
    given_reply = reply(body, status, **headers)
    for read in (ready_flats, lambda given: free_times(given, MIDNIGHT)):
        try:
            told = repr(read(given_reply))
        except CRMError as error:
            told = f"{error} {error.message}"
        told.encode()
        assert "\x00" not in told


@whatever_the_load
@given(body=BODIES, status=STATUSES, headers=HEADERS)
def test_no_reply_breaks_a_booking_and_yes_needs_a_clear_yes(
    body: bytes, status: int, headers: dict[str, str]
) -> None:
    ended = add_reply(reply(body, status, **headers))

    assert_keepable(ended)
    if ended.outcome is AddOutcome.CONFIRMED:
        assert 200 <= status < 300
        assert ended.reason is Reason.NONE
        fields = json.loads(body.decode("utf-8-sig", "replace"))
        assert fields["status_code"] in (200, "200")
    if ended.outcome is AddOutcome.REFUSED:
        assert 200 <= status < 300 or 400 <= status < 500
    assert ended.outcome is not AddOutcome.NOT_SENT


def assert_keepable(ended: AddReply) -> None:
    """Any database takes it: no NUL, no half character, not too long."""
    assert len(ended.message) <= 300
    assert len(ended.reference) <= 64
    for text in (ended.message, ended.reference, *ended.remarks):
        text.encode()
        assert "\x00" not in text
