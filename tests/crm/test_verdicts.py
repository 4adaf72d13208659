"""What a reply to `add` proves, beside the numbered cases: every code, and what goes to staff."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from booking.crm import AddOutcome, AddReply, Reason
from booking.crm.add_reply import add_reply
from booking.crm.envelope import HTTPReply, RequestSummary
from tests.crm_cases import FAILED, THANKS

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp()
DATA = {"data": {"id": 17}, "message": "Выполнено"}
YES = {"status_code": 200} | DATA


def told(body: object, status: int = 200) -> AddReply:
    """A text is the whole body, an object the CRM's JSON."""
    request = RequestSummary(what="POST crm.test add", mask=str, suspects=("Look at the secret.",))
    text = body if isinstance(body, str) else json.dumps(body)
    return add_reply(
        HTTPReply(status=status, headers={}, body=text.encode(), received_at=NOW, request=request)
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, Reason.DECLINED),
        (401, Reason.MISCONFIGURED),
        (402, Reason.DECLINED),
        (403, Reason.NO_MATCH),
        (404, Reason.NO_MATCH),
        (405, Reason.MISCONFIGURED),
        (406, Reason.DECLINED),
        (409, Reason.SLOT_TAKEN),
        (422, Reason.DECLINED),
        (429, Reason.BUSY),
        (499, Reason.DECLINED),
    ],
)
def test_a_code_that_refuses_has_its_reason(code, reason):
    for status in (200, code):
        reply = told({"status_code": code, "message": "Нет"}, status)
        assert (reply.outcome, reply.reason) == (AddOutcome.REFUSED, reason)


@pytest.mark.parametrize("body", ["<html>nginx</html>", {"message": "Нет"}], ids=["html", "json"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.MISCONFIGURED),
        (403, Reason.MISCONFIGURED),
        (404, Reason.MISCONFIGURED),
        (405, Reason.MISCONFIGURED),
        (429, Reason.BUSY),
    ],
)
def test_a_refusal_without_a_code_says_nothing_of_flat_and_phone(body, status, reason):
    reply = told(body, status)

    assert (reply.outcome, reply.reason) == (AddOutcome.REFUSED, reason)


@pytest.mark.parametrize("text", [THANKS, FAILED])
@pytest.mark.parametrize("status", [401, 403, 404, 405, 429])
def test_a_page_that_quotes_the_crm_refuses_nothing(text, status):
    reply = told(f"<html>{text}</html>", status)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.UNREADABLE)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (199, Reason.UNCONFIRMED),
        (201, Reason.UNCONFIRMED),
        (399, Reason.UNCONFIRMED),
        (408, Reason.SERVER_ERROR),
        (425, Reason.SERVER_ERROR),
        (500, Reason.SERVER_ERROR),
        (599, Reason.SERVER_ERROR),
        (600, Reason.UNCONFIRMED),
    ],
)
def test_no_other_code_is_a_yes_or_a_no(code, reason):
    reply = told({"status_code": code} | DATA)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, reason)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(199, Reason.UNCONFIRMED), (599, Reason.SERVER_ERROR), (600, Reason.UNCONFIRMED)],
)
def test_a_yes_under_an_odd_status_is_none(status, reason):
    reply = told(YES, status)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, reason)


@pytest.mark.parametrize("errors", [{"phone": ["…"]}, ["…"], "…"])
def test_a_yes_that_tells_of_errors_is_in_doubt(errors):
    reply = told(YES | {"errors": errors})

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.CONTRADICTION)
    assert "Errors are told about" in reply.remarks[0]


def test_a_plain_yes_is_told_without_a_remark():
    reply = told(YES)

    assert (reply.outcome, reply.reason) == (AddOutcome.CONFIRMED, Reason.NONE)
    assert (reply.http_status, reply.status_code, reply.message) == (200, 200, "Выполнено")
    assert (reply.reference, reply.remarks) == ("17", ())


def test_what_is_no_envelope_has_neither_code_nor_words():
    reply = told("<html>nginx</html>", 502)

    assert (reply.http_status, reply.status_code, reply.message) == (502, None, "")
    assert (reply.reference, reply.remarks) == ("", ())


def test_a_refused_signature_names_what_to_look_at():
    assert "Look at the secret." in told({"status_code": 401}).remarks
    assert "Look at the secret." not in told({"status_code": 403}).remarks


def test_a_redirect_tells_where_to_unless_it_says_nothing():
    request = RequestSummary(what="POST crm.test add", mask=str)
    plain, bare = (
        add_reply(
            HTTPReply(status=301, headers=headers, body=b"", received_at=NOW, request=request)
        )
        for headers in ({"location": "https://new.example/add?token=1"}, {})
    )

    assert plain.remarks == (
        "The CRM redirects to https://new.example/add: MACROCRM_URL may have moved.",
    )
    assert "redirects to another address" in bare.remarks[0]
    assert plain.reason is bare.reason is Reason.REDIRECTED


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (17, "17"),
        ("A-17", "A-17"),
        ("7" * 64, "7" * 64),
        ("7" * 65, "7" * 63 + "…"),
        (True, ""),
        (1.5, ""),
        (None, ""),
        (["17"], ""),
    ],
)
def test_the_number_of_the_crm_is_kept_as_far_as_it_is_one(number, kept):
    assert told(YES | {"data": {"id": number}}).reference == kept
