"""Each page: what is shown, where it leads, what the CRM received."""

from __future__ import annotations

import pytest

from tests.journey import (
    FLAT,
    HOUSE,
    fill_in,
    first_free,
    heading,
    links,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestWhenTheCRMIsAway:
    @pytest.mark.parametrize(
        "url",
        ["/", f"/?house={HOUSE}&flat={FLAT}", f"/time/?category=flat&house={HOUSE}&flat={FLAT}"],
    )
    def test_the_page_says_so_and_keeps_the_answers(self, client, standin, url):
        standin.stop()
        page = client.get(url)

        assert page.status_code == 503
        assert heading(page) == "Запись временно недоступна"
        assert int(page.headers["Retry-After"]) > 0
        assert "через 1\N{NO-BREAK SPACE}минуту" in text_of(page)
        assert url in links(text_of(page))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/", "GET, HEAD"), ("PUT", "/confirm/", "GET, HEAD, POST")],
)
def test_an_address_that_is_used_as_it_cannot_be_answers_in_words(client, method, path, allowed):
    response = client.generic(method, path)

    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert heading(response) == "Эту страницу так открыть нельзя"


def test_a_page_of_the_stand_in_says_so(client, standin):
    start = first_free(standin)
    booked = send(client, fill_in(client, start)).url

    for url in ("/", f"/time/?category=flat&house={HOUSE}&flat={FLAT}", booked):
        assert "Демонстрация" in text_of(client.get(url))
