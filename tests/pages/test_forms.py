"""What the last step's form reads."""

import time

import pytest

from booking.forms import ConfirmForm


def form_with(**fields: str) -> ConfirmForm:
    complete = {
        "phone": "8 900 123-45-67",
        "consent": "on",
        "key": "8b0e1d0a-6a52-4c1e-9f0e-0c3d3a7b9a10",
    }
    form = ConfirmForm(complete | fields)
    form.is_valid()
    return form


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("8 900 123-45-67", "+79001234567"),
        ("+7 (900) 123 45 67", "+79001234567"),
        ("9001234567", "+79001234567"),
        ("79001234567", "+79001234567"),
        (" 8900 123 45 67 ", "+79001234567"),
        ("+49 170 1234567", "+491701234567"),
        ("0049 170 1234567", "+491701234567"),
        ("00 7 900 123-45-67", "+79001234567"),
        ("8-900-123-45-67 Анна", "+79001234567"),
        ("тел. 8 (900) 123-45-67 (Анна)", "+79001234567"),
        ("+375 29 123-45-67", "+375291234567"),
    ],
)
def test_a_phone_is_read_in_any_spelling(typed, read):
    assert form_with(phone=typed).typed_phone.as_e164 == read


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Укажите номер телефона, например 8\xa0900\xa0123-45-67"),
        ("позвоните мне", "Укажите номер телефона, например 8\xa0900\xa0123-45-67"),
        ("8 900 123-45-6", "Не хватает одной цифры: проверьте номер"),
        ("8 900 123-45", "Не хватает 2 цифр: проверьте номер"),
        ("8 900 123-45-678", "Одна цифра лишняя: проверьте номер"),
        ("+7 900 123-45-67 89", "Лишних цифр: 2. Проверьте номер"),
        ("8 900 123-45-67, 8 900 765-43-21", "Это два номера: оставьте один"),
        ("49 170 1234567", "Слишком много цифр. Номер другой страны начните с +"),
        ("+999 123 456 78 90", "Страны с таким кодом нет: проверьте цифры после +"),
        ("8 100 123-45-67", "Такого номера нет: проверьте цифры"),
    ],
)
def test_what_is_wrong_with_a_phone_is_told(typed, told):
    assert form_with(phone=typed).errors["phone"] == [told]


@pytest.mark.parametrize("filling", [" ", "(", "+", "-", "8", "я", "\0"])
def test_a_phone_of_any_length_is_read_at_once(filling):
    began_at = time.thread_time()
    form = form_with(phone=filling * 60_000 + "1")

    assert "phone" in form.errors
    assert time.thread_time() - began_at < 0.5
