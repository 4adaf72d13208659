import hashlib
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from phonenumber_field.phonenumber import PhoneNumber

from booking import wording

URALS = ZoneInfo("Asia/Yekaterinburg")
NBSP = "\N{NO-BREAK SPACE}"


def test_a_day_of_another_year_names_the_year():
    assert wording.day_in_words(date(2031, 12, 2)) == f"вторник, 2{NBSP}декабря{NBSP}2031"


def test_a_day_of_this_year_does_not():
    this_year = datetime.now(URALS).year

    assert str(this_year) not in wording.day_in_words(date(this_year, 12, 2))


def test_when_to_come_is_in_the_right_case():
    moment = datetime(2031, 12, 2, 11, 0, tzinfo=URALS)

    assert wording.on_day_at(moment) == f"во{NBSP}вторник, 2{NBSP}декабря{NBSP}2031, в{NBSP}11:00"


def test_what_one_books_for_is_in_the_right_case():
    wednesday = datetime(2031, 12, 3, 11, 0, tzinfo=URALS)

    assert wording.for_day_at(wednesday) == f"среду, 3{NBSP}декабря{NBSP}2031, 11:00"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 квартира готова"),
        (2, "2 квартиры готовы"),
        (5, "5 квартир готово"),
        (21, "21 квартира готова"),
    ],
)
def test_plurals_are_russian(count, words):
    assert wording.ready_count("flat", count).replace(NBSP, " ") == words


def test_a_masked_phone_shows_its_last_four_digits_only():
    masked = wording.masked_phone(PhoneNumber.from_string("+79001234567"))

    assert masked.replace(NBSP, " ") == "+7 ··· ···-45-67"


def test_the_zone_is_named_by_its_city():
    assert "Екатеринбург" in wording.zone_note(datetime(2031, 12, 2, tzinfo=URALS))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("\N{CYRILLIC CAPITAL LETTER KA}-7", "русскими буквами"),
        ("\N{LATIN CAPITAL LETTER K}-7", "латинскими буквами"),
        ("\N{CYRILLIC CAPITAL LETTER KA}\N{LATIN CAPITAL LETTER K}-7", "буквами двух алфавитов"),
        ("12/3", ""),
    ],
)
def test_numbers_that_look_alike_tell_their_alphabet(number, words):
    assert wording.alphabet(number) == words


def test_a_phone_is_called_by_its_digits():
    assert wording.tel("+7 (343) 000-00-00") == "tel:+73430000000"
    assert wording.tel("") == ""


def test_an_unknown_zone_is_named_by_its_offset():
    moment = datetime(2031, 12, 2, tzinfo=ZoneInfo("Asia/Kathmandu"))

    assert "UTC+05:45" in wording.zone_note(moment)


def test_another_consent_is_another_version():
    texts = []
    for language in ("ru", "en"):
        with translation.override(language):
            texts.append(str(wording.CONSENT))

    # Change the version together with this.
    digest = hashlib.sha256("|".join(texts).encode()).hexdigest()[:12]
    assert (wording.CONSENT_VERSION, digest) == ("2026-11-26", "67c1b7d1518c")


def test_a_wrong_phone_and_a_flat_that_has_a_visit_read_alike():
    texts = {wording.refusal(reason, "flat") for reason in ("no_match", "declined", "has_visit")}
    assert len(texts) == 1
    assert wording.refusal("no_match", "flat") != wording.refusal("slot_taken", "flat")
    assert "телефон" in wording.refusal("no_match", "flat")


@pytest.mark.parametrize(
    ("category", "what"),
    [
        ("flat", "эту квартиру"),
        ("garage", "это машино-место"),
        ("storageroom", "эту кладовую"),
        ("comm", "это помещение"),
    ],
)
def test_a_refusal_speaks_of_what_is_received(category, what):
    assert f"на {what} уже записались вы" in wording.refusal("no_match", category)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("ЖК «Лес», дом 1, корп. 2 (ул. Мира, 14)", "ЖК_«Лес», дом_1, корп._2 (ул._Мира, 14)"),
        ("Дом у реки (Речная наб., 3/2)", "Дом у реки (Речная наб., 3/2)"),
    ],
)
def test_a_word_stays_with_the_number_or_name_that_follows(place, shown):
    assert wording.unbroken(place) == shown.replace("_", wording.NBSP)


@pytest.mark.parametrize(
    ("zone", "note"),
    [("Europe/Kirov", "по Кирову"), ("Asia/Chita", "по Чите"), ("Asia/Anadyr", "по Анадырю")],
)
def test_a_zone_is_named_by_its_city(zone, note):
    assert wording.zone_note(datetime(2026, 12, 2, 11, tzinfo=ZoneInfo(zone))).endswith(note)


@pytest.mark.parametrize(
    ("title", "address", "is_named"),
    [
        ("ЖК «Лес», дом 2 (ул. Таёжная, 16)", "ул. Таёжная,  16", True),
        ("ЖК «Лес», дом 2 (ул. Таёжная, 16)", "г. Екатеринбург, ул. Таёжная, 16", True),
        ("ЖК «Лес», дом 5, корпус 1", "ул. Мира, 5, корпус 1", False),
        ("Паркинг", "ул. Мира, 5, паркинг", False),
        ("ЖК «Лес», дом 2", "г. Екатеринбург, ул. Таёжная, 16", False),
    ],
)
def test_a_title_names_an_address_from_its_street_on(title, address, is_named):
    assert wording.names(title, address) is is_named
