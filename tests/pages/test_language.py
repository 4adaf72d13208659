"""Pages speak Russian, or the language chosen by a link."""

import re

import pytest

from booking import services, wording
from booking.models import Booking, ChangeRequest, House
from tests.journey import FLAT, HOUSE, fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("accepts", ["ru", "en-GB,en;q=0.9", "de-DE,de;q=0.9", "", "\x00;;q=abc"])
def test_pages_are_russian_whatever_the_browser_speaks(client, standin, accepts):
    page = client.get("/", headers={"Accept-Language": accepts})

    assert heading(page) == "Какую квартиру вы получаете?"
    assert '<html lang="ru">' in text_of(page)
    assert page.headers["Content-Language"] == "ru"
    assert "Accept-Language" not in page.headers.get("Vary", "")


def test_a_link_chooses_and_is_remembered(client, standin):
    page = client.get("/?category=flat")
    assert page.headers["Content-Language"] == "ru"
    assert 'href="/?category=flat&amp;lang=en"' in text_of(page)

    assert heading(client.get("/?category=flat&lang=en")) == "Which flat are you receiving?"
    assert heading(client.get("/")) == "Which flat are you receiving?"
    assert heading(client.get("/?lang=ru")) == "Какую квартиру вы получаете?"


def test_an_unknown_language_changes_nothing(client, standin):
    page = client.get("/?lang=tlh")

    assert heading(page) == "Какую квартиру вы получаете?"
    assert "lang" not in page.cookies


def test_an_english_booking_speaks_english_to_the_end(client, standin):
    client.get("/?lang=en")
    start = first_free(standin)
    page = client.get(send(client, fill_in(client, start)).url)

    html = text_of(page)
    assert heading(page) == "You are booked"
    assert f"{start:%A}, " in html
    # The house and the booking are called what they are called; all else is English.
    made = Booking.objects.get()
    body = html.split("<main")[1].split("</main>")[0]
    for name in (wording.unbroken(made.house_title), made.reference):
        body = body.replace(name, "")
    assert not re.findall("[а-яё]+", body, re.IGNORECASE)


def russian_in(page: str) -> list[str]:
    """What an English page shows in Russian letters without saying that it is Russian."""
    body = page.partition("</head>")[2]
    body = re.sub(r'<(\w+)[^>]* lang="ru"[^>]*>.*?</\1>', "", body, flags=re.DOTALL)
    return re.findall(r"[а-яё]{2,}[^<]*", re.sub(r"<[^>]*>", "<", body), re.IGNORECASE)


def test_russian_words_on_an_english_page_say_so(client, standin):
    House.objects.create(
        house_id=HOUSE,
        address="ул. Таёжная, 14",
        directions="Вход со двора",
        bring="паспорт\nрулетка",
    )
    form = fill_in(client, first_free(standin))
    booked = send(client, form)
    client.post(f"{booked.url}change/", {"kind": "move"})
    request = ChangeRequest.objects.get()
    services.visits.answer(request, answer="Перенесли", by="olga", cancels=False)
    place = f"category=flat&house={HOUSE}"
    client.get("/?lang=en")

    for address in (
        "/?category=flat",
        f"/?{place}",
        f"/time/?{place}&flat={FLAT}",
        f"/confirm/?{place}&flat={FLAT}&start={standin.free_starts(HOUSE)[5]:%Y-%m-%dT%H:%M}",
        booked.url,
    ):
        page = text_of(client.get(address))
        assert russian_in(page) == [], address


def test_a_russian_page_says_its_language_once(client, standin):
    page = text_of(client.get(f"/?category=flat&house={HOUSE}"))

    assert page.count('lang="ru"') == 1
