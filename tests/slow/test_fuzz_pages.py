"""Anything in any field of any page: no error of ours, no call unasked for, nothing comes alive.

The test client lets every exception out, so a page that breaks fails its test.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from encodings.aliases import aliases
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from booking.models import Booking, House
from booking.views.cross_site import form_token
from config.content_type import plain
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests import bookings
from tests.crm_cases import ZONE
from tests.finding import NUMBER
from tests.fuzzing import (
    INJECTIONS,
    MARK,
    Page,
    assert_leads_on,
    assert_sound,
    fuzzed,
    fuzzed_less,
    undone,
)
from tests.journey import FLAT, HOUSE, answers, browser, fill_in, send, text_of
from tests.variables import NO_LIMITS

pytestmark = pytest.mark.django_db

STEPS = ("/", "/time/", "/confirm/")
FORM = "application/x-www-form-urlencoded"

# Values of a field, as bytes: what stands percent-encoded in a query need not be any text.

ODD_TEXTS = (
    "",
    " ",
    "\0",
    f"{FLAT}\0",
    "я" * 17_000,
    "🗝" * 65,
    "x" * 64,
    "x" * 65,
    "\u202e\u2066\ufeff\u200b",
    "٣" * 10,
    "-1",
    "0",
    "1e400",
    "99999999999999999999",
    "null",
    "[]",
    "../../etc/passwd",
    "%00%0d%0a",
    "%(x)s {} {0.__class__} %s",
    "' OR 1=1 --",
    "К-7",
    "yacht",
    "garage",
    "3105034",
)
ODD_TIMES = (
    "0001-01-01T00:00",
    "0001-01-01",
    "9999-12-31T23:59",
    "9999-12-31",
    "0000-00-00",
    "2028-02-29T10:00",
    "2027-02-29",
    "2026-12-01T24:00",
    "2026-12-01T10:00:00",
    "2026-12-01T10:00+05:00",
    "2026-12-01T10:00Z",
    "20261201",
    "2026-W49-2",
    "2026-1-2T9:5",
    "٢٠٢٦-١٢-٠١T١٠:٠٠",
    "-2026-12-01",
)
ODD_BYTES = (b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", b"\xf0\x9f", b"+", b"&=;#?", b"\r\n", b"%")
ODD = (
    st.sampled_from([text.encode() for text in (*INJECTIONS, *ODD_TEXTS, *ODD_TIMES)])
    | st.sampled_from(ODD_BYTES)
    | st.text().map(lambda text: text.encode())
    | st.binary()
)
PHONES = {
    "+7 900 123-45-67": ACCEPTED_PHONE,
    "8 (900) 123-45-67": ACCEPTED_PHONE,
    "9001234567": ACCEPTED_PHONE,
    " 8.900.123.45.67 ": ACCEPTED_PHONE,
    "８９００１２３４５６７": ACCEPTED_PHONE,
    "8 900 765 43 21": REFUSED_PHONE,
    "+49 30 123456": "+4930123456",
    "+1 212 555 2368": "+12125552368",
    "+998 90 123 45 67": "+998901234567",
    "tel:+7-900-123-45-67": ACCEPTED_PHONE,
    "8 900 123-45-67 доб. 5": ACCEPTED_PHONE,
}
ODD_PHONES = ("112", "8800", "+7", "+800 1234 5678", "8 900 12345678", "+7900123456", "0" * 40)

ODD_NUMBERS = ("А1234ВТ", "12345678", "№", "А" * 41, "Ё1234ЖЩ", "А١٢٣٤ВС", "ſ1234ss")

Pairs = list[tuple[str, bytes]]
NAMES = ("category", "house", "flat", "date", "start", "utm_source", "ref", "lang")


def field(name: str, right: st.SearchStrategy[bytes]) -> st.SearchStrategy[Pairs]:
    """A field that is right (mostly), missing, odd, or there twice."""
    value = right | right | right | right | ODD
    values: st.SearchStrategy[list[bytes]] = st.one_of(
        value.map(lambda one: [one]),
        value.map(lambda one: [one]),
        value.map(lambda one: [one]),
        st.just([]),
        st.lists(value, min_size=2, max_size=3),
    )
    return values.map(lambda given: [(name, one) for one in given])


def query(**right: st.SearchStrategy[bytes]) -> st.SearchStrategy[Pairs]:
    """These fields, the others of a page, and some that nobody knows."""
    known = [field(name, right.get(name, ODD)) for name in dict.fromkeys((*right, *NAMES))]
    names = st.text(max_size=20).filter(lambda name: name not in right)
    unknown = st.lists(st.tuples(names | st.sampled_from(INJECTIONS), ODD), max_size=2)
    return st.tuples(st.tuples(*known), unknown).map(
        lambda parts: [pair for pairs in parts[0] for pair in pairs] + parts[1]
    )


def encoded(pairs: Pairs) -> str:
    return "&".join(f"{quote(name)}={quote_from_bytes(value)}" for name, value in pairs)


# Some starts of the coming days; which of them can be booked is the site's affair.
def starts() -> st.SearchStrategy[bytes]:
    today = datetime.now(ZONE).replace(hour=0, minute=0)
    return st.integers(0, 48 * 20).map(
        lambda slots: f"{today + timedelta(minutes=30) * slots:%Y-%m-%dT%H:%M}".encode()
    )


RIGHT_PLACE = {
    "category": st.just(b"flat"),
    "house": st.just(HOUSE.encode()),
    "flat": st.just(FLAT.encode()),
}
RIGHT_ANSWERS = {**RIGHT_PLACE, "start": starts()}
RIGHT_FORM = {
    **RIGHT_ANSWERS,
    "phone": st.sampled_from([text.encode() for text in (*PHONES, *ODD_PHONES)]),
    "consent": st.just(b"on"),
    "key": st.uuids().map(lambda key: str(key).encode()),
    "form_token": st.just(form_token().encode()),
}

ODD_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(["en", "ru;q=x", "*", "x" * 5000, "de-DE-1996,;"]),
        "Cookie": st.sampled_from(
            [
                "phone=",
                "phone=+79001234567",
                "phone=+79001234567:1abcde:AAAA",
                'phone="\\000\\377"',
                f"phone={INJECTIONS[0]}",
                "csrftoken=x; sessionid=x; messages=[]",
                'csrftoken="\\000"; messages="[[\\"__json_message\\",0,20,\\"zq7x\\"]]"',
                "=; ;;=x; \xff=\xff",
            ]
        ),
        "X-Forwarded-For": st.sampled_from(["", ",,,", "unknown", "[::1", "1.2.3.4:x"]),
        "Sec-Fetch-Site": st.sampled_from(["same-origin", "cross-site", "", "x" * 5000]),
        "Origin": st.sampled_from(
            ["null", "http://testserver", "http://[::1", "://", f"https://{MARK}.example"]
        ),
        "Referer": st.sampled_from(["", "javascript:1", f"https://{MARK}.example/"]),
    },
)
CHARSETS = sorted({*aliases.values(), "undefined", "idna", "punycode", "raw_unicode_escape", "?"})
CONTENT_TYPES = st.sampled_from(
    [
        "",
        FORM,
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x",
        "application/json",
        ";;; =",
        "text/plain; charset*=x'y'z",
        "text/plain; charset=utf-8; charset*0=x",
    ]
) | st.builds(
    "{}; charset={}".format,
    st.sampled_from([FORM, "multipart/form-data; boundary=x", "text/plain"]),
    st.sampled_from(CHARSETS),
)


@pytest.fixture
def crm(standin: StandIn, settings: Any) -> StandIn:
    """A CRM that says yes to whatever it would take, and stays as it is."""
    standin.switch(add_writes=False)
    for name in NO_LIMITS:
        setattr(settings, name, 1000)
    return standin


# The three steps


@fuzzed
@given(path=st.sampled_from(STEPS), pairs=query(**RIGHT_ANSWERS), headers=ODD_HEADERS)
def test_any_query(crm: StandIn, path: str, pairs: Pairs, headers: dict[str, str]) -> None:
    page = Client().get(f"{path}?{encoded(pairs)}", headers=headers)

    assert_sound(page)
    assert page.status_code in {200, 302}
    # No cookie before the form is there; but a broken one is mended or taken away.
    sent = headers.get("Cookie", "")
    assert path == "/confirm/" or all(name == "lang" or name in sent for name in page.cookies)
    assert crm.count("add") == 0


@fuzzed
@given(path=st.sampled_from(STEPS), pairs=query(**RIGHT_ANSWERS), content_type=CONTENT_TYPES)
@example("/", [("flat", b"\xd0\xba-7")], "text/plain; charset=idna")
@example("/", [("flat", b"\xd0\xba-7")], "text/plain; charset=base64")
@example("/", [("flat", b"+2AA-")], "text/plain; charset=utf_7")
def test_any_query_with_any_content_type(
    crm: StandIn, path: str, pairs: Pairs, content_type: str
) -> None:
    page = Client().get(f"{path}?{encoded(pairs)}", CONTENT_TYPE=plain(content_type))

    assert_sound(page)
    assert page.status_code in {200, 302}


@pytest.mark.parametrize("name", [*NAMES, "utm_term", "phone", "key", "consent"])
def test_markup_in_any_answer_is_text(crm: StandIn, name: str) -> None:
    right = answers(crm.free_starts(HOUSE)[0]) | {"phone": "8 900", "consent": "on"}
    for injection in INJECTIONS:
        given = right | {name: injection}
        for path in STEPS:
            assert_sound(Client().get(path, given))
        assert_sound(browser().post("/confirm/", given))

    assert crm.count("add") == 0


@pytest.mark.parametrize("path", STEPS)
def test_too_many_fields_are_a_page_for_413(crm: StandIn, path: str) -> None:
    page = Client().get(f"{path}?{'x=1&' * 300}")

    assert_sound(page)
    assert page.status_code == 413


# Any address


@fuzzed
@given(path=st.binary(max_size=50) | st.sampled_from([text.encode() for text in INJECTIONS]))
@example(f"/{MARK}.example/".encode())
@example(f"\\{MARK}.example/".encode())
def test_any_address(crm: StandIn, path: bytes) -> None:
    for start in ("/", "/bookings/", "/time/", "/brand/", "/accessibility/"):
        page = Client().get(start + quote_from_bytes(path))
        assert_sound(page)
        assert page.status_code in {200, 301, 302, 404}


# The button


@fuzzed
@given(pairs=query(**RIGHT_FORM), headers=ODD_HEADERS)
def test_any_form(crm: StandIn, pairs: Pairs, headers: dict[str, str]) -> None:
    before = crm.count("add")
    body = encoded(pairs)
    with undone():
        response = Client().generic("POST", "/confirm/", body, FORM, headers=headers)
        again = Client().generic("POST", "/confirm/", body, FORM, headers=headers)
        phones = [booking.phone.as_e164 for booking in Booking.objects.all()]

    assert_sound(response)
    assert_sound(again)
    calls = [record for record in crm.requests if record.method == "add"][before:]
    assert len(phones) == len(calls) <= 1
    for call, phone in zip(calls, phones, strict=True):
        assert_wanted(call.params, phone, dict(QueryDict(body).items()))


@fuzzed
@given(
    pairs=query(
        number=st.sampled_from([number.encode() for number in (NUMBER, *ODD_NUMBERS)]),
        phone=RIGHT_FORM["phone"],
        form_token=RIGHT_FORM["form_token"],
    ),
    headers=ODD_HEADERS,
)
def test_any_search(pairs: Pairs, headers: dict[str, str]) -> None:
    with undone():
        made = bookings.booking(reference=NUMBER)
        page: Any = Client().generic("POST", "/find/", encoded(pairs), FORM, headers=headers)

    assert_sound(page)
    assert page.status_code in {200, 302, 403, 413, 422}
    asked = QueryDict(encoded(pairs)).dict()
    if page.status_code == 302:
        assert page.url == made.get_absolute_url()
        assert (asked["number"], PHONES[str(asked["phone"])]) == (NUMBER, made.phone.as_e164)


def assert_wanted(sent: Mapping[str, str], phone: str, form: dict[str, Any]) -> None:
    """What went to the CRM is what the buyer gave, letter by letter, in a complete form."""
    assert sent["category"] == form["category"]
    assert sent["house_id"] == form["house"]
    assert sent["flat_num"] == form["flat"]
    assert sent["transfer_date"] == f"{form['start']}:00+05:00"
    assert phone == PHONES[form["phone"]]
    assert sent["phone"] == f"…{phone[-2:]}"
    assert uuid.UUID(form["key"])
    assert form["consent"].lower() not in {"", "false"}
    wall = datetime.strptime(form["start"], "%Y-%m-%dT%H:%M").replace(tzinfo=ZONE)
    assert timedelta(hours=1) < wall - datetime.now(ZONE) < timedelta(days=15)


@fuzzed
@given(pairs=query(**RIGHT_FORM))
def test_any_form_while_the_lists_cannot_be_read(crm: StandIn, pairs: Pairs) -> None:
    """Then the site takes house and flat as given: they must still be what was given."""
    crm.recover()
    crm.fail("getReadyFlats", "status")
    cache.clear()
    before = crm.count("add")
    body = encoded(pairs)
    with undone():
        response = browser().generic("POST", "/confirm/", body, FORM)
        phones = [booking.phone.as_e164 for booking in Booking.objects.all()]

    assert_sound(response)
    calls = [record for record in crm.requests if record.method == "add"][before:]
    assert len(phones) == len(calls) <= 1
    for call, phone in zip(calls, phones, strict=True):
        assert_wanted(call.params, phone, dict(QueryDict(body).items()))


@pytest.mark.parametrize(
    "changes",
    [
        {"flat": f"{FLAT}\0"},
        {"flat": f"\0{FLAT}"},
        {"house": f"{HOUSE}\0"},
        {"category": "flat\0"},
        {"flat": "1" * 65},
        {"house": "1" * 65},
    ],
)
def test_an_answer_that_would_have_to_be_changed_is_not_sent(
    crm: StandIn, client: Client, changes: dict[str, str]
) -> None:
    form = fill_in(client, crm.free_starts(HOUSE)[0])

    assert send(client, form | changes).url.startswith("/?")
    assert crm.count("add") == 0


def test_nor_while_the_lists_cannot_be_read(crm: StandIn, client: Client) -> None:
    form = fill_in(client, crm.free_starts(HOUSE)[0])
    crm.fail("getReadyFlats", "status")
    cache.clear()

    assert send(client, form | {"flat": "1" * 65}).url.startswith("/?")
    assert crm.count("add") == 0


@pytest.mark.parametrize(
    "spelled",
    [
        "{0:%Y%m%dT%H:%M}",
        "{0:%Y-%m-%dT%H:%M}:00",
        "{0:%Y-%m-%d %H:%M}",
        " {0:%Y-%m-%dT%H:%M}",
        "{0.year}-{0.month}-{0.day}T{0.hour}:{0:%M}",
        "{0:%Y-%m-%dT%H}:٠٠",
        "{0:%Y-%m-%dT%H:%M}\0",
    ],
)
def test_a_start_in_another_spelling_is_not_understood(
    crm: StandIn, client: Client, spelled: str
) -> None:
    start = crm.free_starts(HOUSE)[0]
    form = fill_in(client, start) | {"start": spelled.format(start)}

    assert send(client, form).url.startswith("/time/?")
    assert crm.count("add") == 0


@fuzzed
@given(body=st.binary(max_size=2000) | st.just(b"x" * 100_000), content_type=CONTENT_TYPES)
def test_any_body(crm: StandIn, body: bytes, content_type: str) -> None:
    response = browser().generic("POST", "/confirm/", body, plain(content_type))

    assert_sound(response)
    assert response.status_code in {302, 400, 413}
    assert crm.count("add") == 0


@pytest.mark.parametrize("name", ["phone", "flat", "key", "consent", "unknown"])
def test_a_file_instead_of_a_text(crm: StandIn, client: Client, name: str) -> None:
    form = fill_in(client, crm.free_starts(HOUSE)[0])
    response = client.post("/confirm/", form | {name: SimpleUploadedFile("x.txt", b"x")})

    assert_sound(response)
    assert response.status_code == 413
    assert crm.count("add") == 0


def test_a_form_from_elsewhere_is_not_taken(crm: StandIn) -> None:
    form = fill_in(Client(), crm.free_starts(HOUSE)[0])
    response = Client().post("/confirm/", form, headers={"Origin": f"https://{MARK}.example"})

    assert_sound(response)
    assert response.status_code == 403
    assert crm.count("add") == 0


# The booking's own page


@pytest.fixture(params=["confirmed", "refused", "in_doubt", "not_sent"])
def booking(crm: StandIn, client: Client, request: Any) -> Booking:
    start = crm.free_starts(HOUSE)[0]
    form = fill_in(client, start)
    if request.param == "refused":
        form["phone"] = REFUSED_PHONE
    if request.param == "in_doubt":
        crm.fail("add", "drop_before_reply")
    if request.param == "not_sent":
        crm.stop()
    send(client, form)
    booking = Booking.objects.get()
    assert booking.outcome == request.param
    return booking


@fuzzed_less
@given(pairs=query(**RIGHT_ANSWERS), headers=ODD_HEADERS)
def test_any_query_of_a_booking(
    crm: StandIn, booking: Booking, pairs: Pairs, headers: dict[str, str]
) -> None:
    calls = crm.count("add")
    page = Client().get(f"{booking.get_absolute_url()}?{encoded(pairs)}", headers=headers)

    assert_sound(page)
    assert page.status_code == 200
    assert crm.count("add") == calls


def test_any_time_asked_for_beside_a_booking(booking: Booking) -> None:
    for start in ODD_TIMES:
        page = Client().get(booking.get_absolute_url(), {"start": start})
        assert_sound(page)
        assert page.status_code == 200


WISHES = field("kind", st.sampled_from([b"move", b"cancel"])), field("wish", ODD)


@fuzzed_less
@given(wish=st.tuples(*WISHES).map(lambda fields: fields[0] + fields[1]), more=query())
def test_any_wish(crm: StandIn, booking: Booking, wish: Pairs, more: Pairs) -> None:
    calls = crm.count("add")
    url = booking.get_absolute_url()
    with undone():
        response = browser().generic("POST", f"{url}change/", encoded(wish + more), FORM)
        page = Client().get(url)

    assert_sound(response)
    assert response.status_code in {200, 302, 400, 413}
    assert_sound(page)
    assert crm.count("add") == calls


@pytest.mark.parametrize("booking", ["confirmed", "refused", "in_doubt"], indirect=True)
@fuzzed_less
@given(pairs=query(**RIGHT_FORM))
def test_nothing_but_a_booking_that_was_not_sent_is_sent_again(
    crm: StandIn, booking: Booking, pairs: Pairs
) -> None:
    calls = crm.count("add")
    with undone():
        url = f"{booking.get_absolute_url()}again/"
        response = browser().generic("POST", url, encoded(pairs), FORM)

    assert_sound(response)
    assert response.status_code in {302, 400, 413}
    assert crm.count("add") == calls


# The staff dashboard

FILTERS = (
    "q",
    "outcome",
    "state",
    "visit_day",
    "category__exact",
    "house_title",
    "house_title__exact",
    "created_at__gte",
    "created_at__lt",
    "phone__startswith",
    "events__facts__icontains",
    "day",
    "token",
    "o",
    "p",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_facets",
    "_changelist_filters",
)
ADMIN_PAGES = (
    "/admin/",
    "/admin/login/",
    "/admin/auth/user/",
    "/admin/booking/booking/",
    "/admin/booking/booking/needs-a-look/",
    "/admin/booking/booking/day-sheet/",
    "/admin/booking/booking/day-sheet.{odd}",
    "/admin/booking/booking/day-sheet.csv",
    "/admin/booking/booking/day-sheet.xlsx",
    "/admin/booking/booking/export.{odd}",
    "/admin/booking/booking/export.csv",
    "/admin/booking/booking/export.xlsx",
    "/admin/booking/booking/{odd}/change/",
    "/admin/booking/booking/{odd}/resolve/",
    "/admin/booking/booking/{booking}/change/",
    "/admin/booking/booking/{booking}/history/",
    "/admin/booking/changerequest/",
    "/admin/booking/house/",
    "/admin/booking/house/add/",
    "/admin/booking/house/{odd}/change/",
    "/admin/booking/house/{house}/change/",
    "/admin/booking/house/{house}/preview/",
    "/admin/booking/house/{house}/link/",
    "/admin/booking/house/{house}/link.svg",
)


@pytest.fixture
def staff(crm: StandIn, client: Client) -> Client:
    send(client, fill_in(client, crm.free_starts(HOUSE)[0]))
    House.objects.create(house_id=HOUSE, address="ул. Таёжная, 14")
    staff = Client()
    staff.force_login(User.objects.create_superuser("olga", password="x"))
    return staff


@fuzzed
@given(
    path=st.sampled_from(ADMIN_PAGES),
    odd=ODD.map(lambda odd: quote_from_bytes(odd[:200], safe="")),
    pairs=st.lists(st.tuples(st.sampled_from(FILTERS) | st.text(max_size=20), ODD), max_size=3),
)
@example("/admin/booking/booking/", "", [("created_at__gte", b"0001-01-01T00:00+14:00")])
@example("/admin/booking/booking/export.csv", "", [("created_at__gte", b"0001-01-01T00:00+14:00")])
@example("/admin/booking/booking/day-sheet/", "", [("day", b"0001-01-01")])
@example("/admin/booking/booking/day-sheet/", "", [("day", b"9999-12-31")])
@example("/admin/booking/booking/day-sheet.csv", "", [("day", b"9999-12-31")])
@example("/admin/booking/house/add/", "", [])
def test_any_search_of_the_staff(staff: Client, path: str, odd: str, pairs: Pairs) -> None:
    booking, house = Booking.objects.get(), House.objects.get()
    url = path.format(odd=odd, booking=booking.pk, house=house.pk)
    page = complete(staff.get(f"{url}?{encoded(pairs)}"))

    assert page.status_code < 500
    if "Location" in page.headers:
        assert_leads_on(page.headers["Location"])
    if page.headers.get("Content-Type", "").startswith("text/html"):
        # Django's own pages: whatever they are made of, nothing of the input may come alive.
        wrongs = Page(text_of(page), elements=frozenset(), attributes=frozenset()).wrongs
        assert wrongs == [], wrongs


def test_every_page_of_the_staff_is_there(staff: Client) -> None:
    booking, house = Booking.objects.get(), House.objects.get()
    paths = [path for path in ADMIN_PAGES if "{odd}" not in path]
    missing = {
        path
        for path in paths
        if complete(staff.get(path.format(booking=booking.pk, house=house.pk))).status_code != 200
    }

    # Who is in needs not log in; and a code wants to know the flat.
    assert missing == {"/admin/login/", "/admin/booking/house/{house}/link.svg"}


def complete(response: Any) -> Any:
    """The response with all of a download read, which also closes its file."""
    if response.streaming:
        b"".join(response.streaming_content)
    return response
