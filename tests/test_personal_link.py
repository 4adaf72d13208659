"""A personal link opens at its flat's times, for as long as it was made for, and as it was made."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from django.core import signing
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from booking import personal_link
from booking.models import Booking, House
from booking.personal_link import LinkError, PersonalLink
from tests.bookings import staff
from tests.journey import FLAT, HOUSE, fill_in, first_free, links, send, text_of

pytestmark = pytest.mark.django_db


def made(**changes) -> PersonalLink:
    return PersonalLink(**{"category": "flat", "house_id": HOUSE, "flat": FLAT} | changes)


def url_of(link: PersonalLink) -> str:
    return reverse("booking:open_link", args=[link.token()])


@pytest.mark.parametrize("flat", [FLAT, "К-7/2 ", "№ 5 & co", "🏠", "a" * 64])
def test_a_link_is_read_as_it_was_made(flat):
    link = made(flat=flat, until=timezone.localdate())

    assert personal_link.read(link.token()) == link


def test_it_opens_until_its_last_day_is_over():
    yesterday = timezone.localdate() - timedelta(days=1)

    with pytest.raises(LinkError, match="expired"):
        personal_link.read(made(until=yesterday).token())


@pytest.mark.parametrize(
    "token",
    [
        "x",
        ":::",
        "\N{CYRILLIC SMALL LETTER A}",
        made().token()[:-1],
        made().token().replace(":", ""),
        signing.dumps(["flat", HOUSE, FLAT, ""]),
        signing.dumps(["flat", HOUSE, FLAT, ""], salt="another"),
    ],
    # A signature holds the time: as the name of a test it would differ from process to process.
    ids=["text", "colons", "a letter", "cut", "joined", "without salt", "of another salt"],
)
def test_nobody_else_can_make_one(token):
    with pytest.raises(LinkError, match="broken"):
        personal_link.read(token)


def test_a_link_of_another_flat_cannot_be_made_of_it():
    payload, stamp, signature = made().token().split(":")
    other, *_rest = made(flat="1.8-13-1").token().split(":")

    assert other != payload
    with pytest.raises(LinkError):
        personal_link.read(f"{other}:{stamp}:{signature}")


def test_it_opens_at_the_times_and_counts_as_a_source(standin, client):
    reply = client.get(url_of(made()))

    address = urlsplit(reply.url)
    assert address.path == "/time/"
    assert parse_qs(address.query)["flat"] == [FLAT]
    assert parse_qs(address.query)["ref"] == ["personal-link"]
    assert client.get(reply.url).status_code == 200


@pytest.mark.parametrize(("given", "kept"), [("", "personal-link"), ("letter", "letter")])
def test_the_booking_keeps_where_it_came_from(standin, client, given, kept):
    reply = client.get(url_of(made()), {"ref": given, "utm_source": "mail"})
    query = parse_qs(urlsplit(reply.url).query)
    form = fill_in(client, first_free(standin), ref=query["ref"][0], utm_source="mail")
    send(client, form)

    assert Booking.objects.get().source == {"ref": kept, "utm_source": "mail"}


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("nonsense", "повреждена"),
        (made(until=timezone.localdate() - timedelta(days=3)).token(), "больше не действует"),
    ],
    ids=["nonsense", "expired"],
)
def test_a_link_that_does_not_hold_explains_itself_on_step_1(standin, client, token, said):
    address = reverse("booking:open_link", args=[token])
    page = client.get(f"{address}?utm_source=letter", follow=True)

    assert said in text_of(page)
    assert "/?utm_source=letter&ref=personal-link" in links(text_of(page))


def test_a_link_that_has_expired_still_knows_its_house(standin, client):
    expired = made(until=timezone.localdate() - timedelta(days=3))

    page = client.get(url_of(expired), follow=True)

    times = f"/time/?category=flat&house={HOUSE}&flat={FLAT}&ref=personal-link"
    assert times in links(text_of(page))


def test_other_words_in_the_address_are_not_shown(standin, client):
    page = text_of(client.get("/", {"link": "your flat is gone"}))

    assert "Личная ссылка" not in page
    assert "your flat is gone" not in page


class TestMakingOne:
    @pytest.fixture
    def house(self) -> House:
        return House.objects.create(house_id=HOUSE, address="ул. Лесная, 1")

    def make(self, house: House, **values: str) -> str:
        url = reverse("admin:booking_house_link", args=[house.pk])
        form = {"category": "flat", "flat": FLAT} | values
        return text_of(staff("mark", "managers").post(url, form))

    def token_in(self, page: str) -> str:
        (link,) = {url for url in links(page) if "/link/" in url and url.startswith("http")}
        return link.rstrip("/").rpartition("/")[2]

    def test_gives_the_link_and_its_code(self, standin, house):
        page = self.make(house, flat=f"кв. {FLAT}")

        assert personal_link.read(self.token_in(page)) == made()
        assert "<svg" in page
        assert "style=" not in page[page.index("<svg") : page.index("</svg>")]

    def test_for_as_long_as_asked(self, standin, house):
        until = timezone.localdate() + timedelta(days=5)

        assert personal_link.read(self.token_in(self.make(house, until=f"{until}"))).until == until

    def test_not_for_a_day_that_is_over(self, standin, house):
        until = timezone.localdate() - timedelta(days=1)

        assert "Этот день уже прошёл" in self.make(house, until=f"{until}")

    def test_not_for_a_flat_that_is_not_ready(self, standin, house):
        assert "нет среди готовых" in self.make(house, flat="999")

    def test_unchecked_while_the_crm_is_away(self, settings, house):
        page = self.make(house, flat="999")

        assert "никто не проверил" in page
        assert personal_link.read(self.token_in(page)).flat == "999"

    @pytest.mark.parametrize("site", ["http://testserver", "https://visit.example.com"])
    def test_the_code_holds_the_link_under_the_sites_own_name(
        self, settings, standin, house, site, admin_client
    ):
        settings.SITE_URL = "" if site == "http://testserver" else site
        page = self.make(house)

        url = f"{site}/link/{self.token_in(page)}/"
        drawn = segno.make_qr(url, error="m").svg_inline(scale=5, light="#fff")
        assert url in links(page)
        assert drawn in page
        file = admin_client.get(reverse("admin:booking_link_code"), {"token": self.token_in(page)})
        assert re.findall(r' d="(.*?)"', drawn) == re.findall(r' d="(.*?)"', text_of(file))

    def test_the_code_is_a_file_too(self, admin_client):
        url = reverse("admin:booking_link_code")

        reply = admin_client.get(url, {"token": made().token()})
        assert reply.headers["Content-Type"] == "image/svg+xml"
        assert b"<path" in reply.content
        assert admin_client.get(url, {"token": "x"}).status_code == 404

    def test_staff_without_a_role_make_none(self, django_user_model, client, house):
        client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))

        for name in ("link", "preview"):
            url = reverse(f"admin:booking_house_{name}", args=[house.pk])
            assert client.get(url).status_code == 403
        code = client.get(reverse("admin:booking_link_code"), {"token": made().token()})
        assert code.status_code == 403


def test_the_preview_shows_a_house_as_buyers_see_it(db):
    house = House.objects.create(
        house_id=HOUSE, address="ул. Лесная, 1", directions="Вход со двора", bring="паспорт"
    )

    page = text_of(
        staff("olga", "operators").get(reverse("admin:booking_house_preview", args=[house.pk]))
    )

    assert "ул.\N{NO-BREAK SPACE}Лесная, 1" in page
    assert "Вход со двора" in page
    assert "такой записи нет" in page
    assert not Booking.objects.exists()


# Many at once


@pytest.fixture
def printed(monkeypatch, settings):
    """What the command prints for a list."""
    settings.SITE_URL = "https://visit.example.com"

    def run(listed: str, **options) -> list[list[str]]:
        monkeypatch.setattr("sys.stdin", StringIO(listed))
        out = StringIO()
        call_command("personal_links", stdout=out, **options)
        return list(csv.reader(StringIO(out.getvalue())))

    return run


def read_from(url: str) -> PersonalLink:
    start, end = "https://visit.example.com/link/", "/"
    assert url.startswith(start)
    assert url.endswith(end)
    return personal_link.read(url.removeprefix(start).removesuffix(end))


def test_a_list_of_flats_becomes_a_list_of_links(printed):
    lines = printed(f'\ufeff{HOUSE},{FLAT}\n\n3105034,"К-7, 8 "\n')

    assert [line[:2] for line in lines] == [[HOUSE, FLAT], ["3105034", "К-7, 8 "]]
    assert [read_from(line[2]) for line in lines] == [
        made(),
        made(house_id="3105034", flat="К-7, 8 "),
    ]


def test_the_links_of_a_list_may_end_and_be_of_another_kind(printed):
    ((_house, _flat, url),) = printed(f"{HOUSE},3\n", category="garage", days=30)

    until = timezone.localdate() + timedelta(days=30)
    assert read_from(url) == made(category="garage", flat="3", until=until)


@pytest.mark.parametrize(
    ("listed", "options", "told"),
    [
        (f"{HOUSE},{FLAT}\n{HOUSE}\n", {}, "Line 2 is not house,flat"),
        (f"{HOUSE},\n", {}, "Line 1 is not house,flat"),
        (f"{HOUSE};{FLAT}\n", {}, "Line 1 is not house,flat"),
        ("", {"days": 0}, "--days"),
    ],
)
def test_a_list_with_a_mistake_becomes_no_link_at_all(printed, listed, options, told):
    with pytest.raises(CommandError, match=told):
        printed(listed, **options)


def test_links_need_to_know_where_the_site_is(printed, settings):
    settings.SITE_URL = ""

    with pytest.raises(CommandError, match="SITE_URL"):
        printed(f"{HOUSE},{FLAT}")
