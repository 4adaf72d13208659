"""Pages speak the language of the link, else of the browser, else Russian."""

import re

import pytest

from booking import services, wording
from booking.models import Booking, ChangeRequest, House
from tests.journey import FLAT, HOUSE, fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accepts", "lang", "h1"),
    [
        ("ru", "ru", "Какую квартиру вы получаете?"),
        ("en-GB,en;q=0.9", "en", "Which flat are you receiving?"),
        ("de-DE,de;q=0.9", "ru", "Какую квартиру вы получаете?"),
        ("", "ru", "Какую квартиру вы получаете?"),
        ("\x00;;q=abc", "ru", "Какую квартиру вы получаете?"),
    ],
)
def test_the_browser_chooses(client, standin, accepts, lang, h1):
    page = client.get("/", headers={"Accept-Language": accepts})

    assert heading(page) == h1
    assert f'<html lang="{lang}">' in text_of(page)
    assert page.headers["Content-Language"] == lang
    assert "Accept-Language" in page.headers["Vary"]


def test_a_link_chooses_and_is_remembered(client, standin):
    page = client.get("/?category=flat")
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

    for address in (
        "/?category=flat",
        f"/?{place}",
        f"/time/?{place}&flat={FLAT}",
        f"/confirm/?{place}&flat={FLAT}&start={standin.free_starts(HOUSE)[5]:%Y-%m-%dT%H:%M}",
        booked.url,
    ):
        page = text_of(client.get(address, headers={"Accept-Language": "en"}))
        assert russian_in(page) == [], address


def test_a_russian_page_says_its_language_once(client, standin):
    page = text_of(client.get(f"/?category=flat&house={HOUSE}"))

    assert page.count('lang="ru"') == 1
