"""What a request brings is cut before anything reads it; what people type is kept."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict, UnreadablePostError
from django.test import Client, RequestFactory

from booking import bounds
from booking.client_address import client_address
from booking.middleware import InputBoundsMiddleware
from booking.models import House, StaffEvent
from standin import StandIn
from tests.bookings import booking, staff
from tests.journey import fill_in, first_free, send, text_of

SHORT = "flat=1.8-12-1&house=3105011&phone=8+900&phone=8+912"


def cut_by_the_middleware(**request: Any) -> Any:
    """The request as views see it."""
    seen = RequestFactory(**request).get("/")
    InputBoundsMiddleware(lambda _request: HttpResponse())(seen)
    return seen


def test_what_is_short_stays_as_it_is() -> None:
    fields = QueryDict(SHORT)

    assert bounds.cut(fields, bounds.IN_A_QUERY) is fields


def test_a_long_value_is_cut_to_one_more_than_its_most() -> None:
    fields = bounds.cut(QueryDict(f"{SHORT}&phone={'9' * 500}&wish={'x' * 5000}"), 4000)

    assert fields["flat"] == "1.8-12-1"
    assert fields.getlist("phone") == ["8 900", "8 912", "9" * 101]
    assert len(fields["wish"]) == 4001


def test_a_field_with_a_long_name_is_left_out() -> None:
    assert [*bounds.cut(QueryDict(f"{'n' * 101}=1&q=2"), 200)] == ["q"]


def test_a_query_longer_than_a_line_is_none() -> None:
    seen = RequestFactory().get("/?q=1&" + "x" * bounds.QUERY)
    InputBoundsMiddleware(lambda _request: HttpResponse())(seen)

    assert not seen.GET


def test_of_a_long_forwarded_header_the_end_stays(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 2
    chain = "10.0.0.1," * 1000 + "203.0.113.7, 10.0.0.2"

    assert client_address(cut_by_the_middleware(HTTP_X_FORWARDED_FOR=chain)) == "203.0.113.7"


def test_of_other_long_headers_the_beginning_stays() -> None:
    seen = cut_by_the_middleware(HTTP_REFERER="https://x.example/" + "a" * 8000)

    assert seen.headers["Referer"] == "https://x.example/" + "a" * (bounds.HEADER + 1 - 18)


@pytest.mark.parametrize(
    "strange", ["a=" + "x" * 5000, 'a="' + "\\" * 9 + '"'], ids=["long", "odd"]
)
def test_cookies_that_cannot_be_ours_hide_none_of_ours(strange: str) -> None:
    seen = cut_by_the_middleware(HTTP_COOKIE=f"lang=en; {strange}; sessionid=abc")

    assert seen.COOKIES == {"lang": "en", "sessionid": "abc"}


class Broken(BytesIO):
    def read(self, *_args: Any) -> bytes:
        raise UnreadablePostError


def test_a_form_that_breaks_off_is_no_bug() -> None:
    request = RequestFactory().generic(
        "POST", "/find/", "number=1", "application/x-www-form-urlencoded"
    )
    request._stream = Broken()

    with pytest.raises(BadRequest):
        InputBoundsMiddleware(lambda _: HttpResponse()).process_view(request, None, (), {})


def test_a_long_path_leads_nowhere(client: Client) -> None:
    assert client.get(f"/brand/{'x' * 3000}").status_code == 404


@pytest.mark.django_db
def test_a_phone_of_any_length_is_told_of_and_all_else_kept(
    standin: StandIn, client: Client
) -> None:
    form = fill_in(client, first_free(standin), phone=" " * 60_000 + "1")

    page = send(client, form)

    assert page.status_code == 200
    assert "Укажите номер телефона" in text_of(page)
    assert 'value="1.8-12-1"' in text_of(page)
    assert len(page.content) < 30_000
    assert standin.count("add") == 0


@pytest.mark.django_db
def test_a_wish_that_is_too_long_is_told_of_and_kept(client: Client) -> None:
    made = booking()

    page = client.post(f"{made.get_absolute_url()}change/", {"kind": "move", "wish": "я" * 3000})

    assert "500" in text_of(page)
    assert "я" * 3000 in text_of(page)


@pytest.mark.django_db
def test_a_text_of_staff_that_is_too_long_is_told_of_and_not_cut() -> None:
    house = House.objects.create(house_id="7")
    form = {"house_id": "7", "directions": "я" * 2500}

    page = staff("mark", "managers").post(f"/admin/booking/house/{house.pk}/change/", form)

    assert page.status_code == 200
    assert "2000" in text_of(page)
    assert "я" * 2500 in text_of(page)


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["state=a%00", "visit_day=a%00", "q=%00900"])
def test_a_zero_byte_does_not_reach_what_is_written_down(query: str) -> None:
    booking()

    staff("mark", "managers").get(f"/admin/booking/booking/?{query}")

    assert not [event for event in StaffEvent.objects.all() if "\\x00" in repr(event.facts)]
