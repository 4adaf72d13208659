"""How people type a phone, what is read, and what they are told where nothing can be read."""

from __future__ import annotations

import pytest

from booking.typed_phones import Mistake, PhoneError, read

MOBILE = "+79001234567"

READ = [
    # Of this country.
    *(
        (typed, MOBILE)
        for typed in (
            "89001234567",
            "79001234567",
            "9001234567",
            "+79001234567",
            "+7 900 123-45-67",
            "+7 (900) 123-45-67",
            "+7(900)1234567",
            "+7-900-123-45-67",
            "+7.900.123.45.67",
            "7 900 123 45 67",
            "8 900 123 45 67",
            "8 900 123-45-67",
            "8(900)123-45-67",
            "8-900-123-45-67",
            "8 (900) 123 45 67",
            "8.900.123.45.67",
            "8 900 1234567",
            "8 9001234567",
            "900 123-45-67",
            "(900) 123-45-67",
            "900-123-45-67",
            " 8900 123 45 67 ",
            "8900123 4567",
            "8 9 0 0 1 2 3 4 5 6 7",
            "007 900 123-45-67",
            "00 7 900 123-45-67",
            "+8 900 123-45-67",
            "+89001234567",
            "+8 (900) 123-45-67",
            "++7 900 123-45-67",
            "+ 7 900 123 45 67",
            "8/900/123/45/67",
            # With spaces, dashes and marks that messengers and contracts put in.
            "8\u00a0900\u00a0123-45-67",
            "8\u2009900\u2009123\u200945\u200967",
            "8\u202f900\u202f123\u202f45\u202f67",
            "8\u2007900\u2007123\u200745\u200767",
            "8\u3000900\u3000123\u300045\u300067",
            "8\t900\t123\t45\t67",
            "\u200e+7 900 123-45-67\u200e",
            "\u202a+7 900 123-45-67\u202c",
            "\ufeff89001234567",
            "8\u200b900\u200b123\u200b45\u200b67",
            "8 900 123\u201145\u201167",
            "8 900 123\u201345\u201367",
            "8 900 123\u201445\u201467",
            "8 900 123\u221245\u221267",
            "\uff0b\uff17\uff19\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
            # With words around.
            "8-900-123-45-67 Анна",
            "тел. 8 (900) 123-45-67 (Анна)",
            "тел: 89001234567",
            "моб. 8 900 123-45-67",
            "Анна, 8 900 123-45-67",
            "8 900 123-45-67, Анна Петровна",
            "8 900 123-45-67 (после 18:00)",
            "звонить 8 900 123-45-67 до 9 вечера",
            "tel:+79001234567",
            "8 900 123-45-67.",
            "8 900 123-45-67;",
            "№ 8 900 123-45-67",
            # The same one twice.
            "8 900 123-45-67, +7 900 123-45-67",
        )
    ),
    ("8 495 123-45-67", "+74951234567"),
    ("8 495 123-45-67 доб. 12", "+74951234567"),
    ("8 (343) 123-45-67", "+73431234567"),
    ("8 800 123-45-67", "+78001234567"),
    # Of other countries.
    ("+375 29 123-45-67", "+375291234567"),
    ("375 29 123-45-67", "+375291234567"),
    ("375291234567", "+375291234567"),
    ("998 90 123 45 67", "+998901234567"),
    ("998901234567", "+998901234567"),
    ("+998 90 123-45-67", "+998901234567"),
    ("996 555 123 456", "+996555123456"),
    ("+996 555 123 456", "+996555123456"),
    ("992 93 123 4567", "+992931234567"),
    ("374 77 123456", "+37477123456"),
    ("995 555 12 34 56", "+995555123456"),
    ("994 50 123 45 67", "+994501234567"),
    ("+7 701 123 45 67", "+77011234567"),
    ("8 701 123 45 67", "+77011234567"),
    ("+49 170 1234567", "+491701234567"),
    ("0049 170 1234567", "+491701234567"),
    ("00 49 170 123 45 67", "+491701234567"),
    ("+90 501 234 56 78", "+905012345678"),
    ("+972 50-234-5678", "+972502345678"),
    ("+86 131 2345 6789", "+8613123456789"),
    ("+1 212 555 2368", "+12125552368"),
]

NOT_READ = [
    ("", Mistake.NO_NUMBER, 0),
    ("12", Mistake.NO_NUMBER, 0),
    ("007", Mistake.NO_NUMBER, 0),
    ("позвоните мне", Mistake.NO_NUMBER, 0),
    ("восемь девятьсот", Mistake.NO_NUMBER, 0),
    ("+", Mistake.NO_NUMBER, 0),
    ("8 900 123-45-6", Mistake.TOO_SHORT, 1),
    ("+7 900 123-45-6", Mistake.TOO_SHORT, 1),
    ("7 900 123-45-6", Mistake.TOO_SHORT, 1),
    ("900 123-45-6", Mistake.TOO_SHORT, 1),
    ("+7900123456", Mistake.TOO_SHORT, 1),
    ("8 900 123-45", Mistake.TOO_SHORT, 2),
    ("8 900 123", Mistake.TOO_SHORT, 4),
    ("123-45-67", Mistake.TOO_SHORT, 3),
    ("8 900 123-45-6 Анна", Mistake.TOO_SHORT, 1),
    ("+375 29 123-45-6", Mistake.TOO_SHORT, 1),
    ("+998 90 123-45-678", Mistake.TOO_LONG, 1),
    ("8 900 123-45-67-8-9", Mistake.NO_COUNTRY, 0),
    ("8 900 123-45-678", Mistake.TOO_LONG, 1),
    ("+7 900 123-45-678", Mistake.TOO_LONG, 1),
    ("900 123-45-678", Mistake.TOO_LONG, 1),
    ("+7 900 123-45-67 89", Mistake.TOO_LONG, 2),
    ("8 900 123-45-67, 8 900 765-43-21", Mistake.TWO_NUMBERS, 0),
    ("8 900 123-45-67 8 900 765-43-21", Mistake.TWO_NUMBERS, 0),
    ("89001234567 89007654321", Mistake.TWO_NUMBERS, 0),
    ("8900123456789007654321", Mistake.TWO_NUMBERS, 0),
    ("8 900 123-45-67/8 900 765-43-21", Mistake.TWO_NUMBERS, 0),
    ("+7 900 123-45-67 и +375 29 123-45-67", Mistake.TWO_NUMBERS, 0),
    ("49 170 1234567", Mistake.NO_COUNTRY, 0),
    ("90 501 234 56 78", Mistake.NO_COUNTRY, 0),
    ("8 900 123-45-67 89", Mistake.NO_COUNTRY, 0),
    ("+999 123 456 78 90", Mistake.UNKNOWN_COUNTRY, 0),
    ("+210 123 456 789", Mistake.UNKNOWN_COUNTRY, 0),
    ("8 100 123-45-67", Mistake.UNKNOWN_NUMBER, 0),
    ("+7 000 000-00-00", Mistake.UNKNOWN_NUMBER, 0),
    ("1234567890", Mistake.UNKNOWN_NUMBER, 0),
]


def test_there_are_as_many_spellings_as_promised():
    assert len(READ) + len(NOT_READ) >= 120
    assert len({typed for typed, *_rest in [*READ, *NOT_READ]}) == len(READ) + len(NOT_READ)


@pytest.mark.parametrize(("typed", "number"), READ)
def test_a_number_is_read(typed, number):
    assert read(typed, "RU").as_e164 == number


@pytest.mark.parametrize(("typed", "mistake", "digits"), NOT_READ)
def test_what_is_wrong_is_told(typed, mistake, digits):
    with pytest.raises(PhoneError) as caught:
        read(typed, "RU")

    assert (caught.value.mistake, caught.value.digits) == (mistake, digits)


@pytest.mark.parametrize(
    ("region", "typed", "number"),
    [
        ("KZ", "8 701 123 45 67", "+77011234567"),
        ("UZ", "90 123 45 67", "+998901234567"),
        ("BY", "8 029 123-45-67", "+375291234567"),
        ("BY", "+7 900 123-45-67", MOBILE),
    ],
)
def test_another_country_has_its_own_spellings(region, typed, number):
    assert read(typed, region).as_e164 == number
