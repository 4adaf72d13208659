"""What the steps have in common: whom to call, hidden fields, what was chosen so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from booking import language, pages, wording
from booking.availability import House
from booking.forms import Answers
from booking.marks import Drawn, mark


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str
    full_label: str = ""
    note: str = ""


def hidden(given: Sequence[tuple[str, str]]) -> SafeString:
    fields = SafeString()
    for name, value in given:
        fields += _hidden_field(name, value)
    return fields


@lru_cache(maxsize=1024)
def _hidden_field(name: str, value: str) -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', name, value)


def find_url(answers: Answers) -> str:
    return answers.url_of(reverse("booking:find_booking"))


def own_choices(answers: Answers, flat: str) -> dict[str, str]:
    return {
        "number": flat,
        "find_url": find_url(answers),
        "to_houses": answers.but(house="", flat="").choose_flat_url(),
        "to_flats": answers.but(flat="").choose_flat_url(),
    }


def choices(category: str, house: House) -> list[pages.Row]:
    name = wording.object_name(category, mark("number"))
    return pages.chosen_rows(house, name, mark("to_houses"), mark("to_flats"))


def support(phone: str) -> dict[str, str]:
    """Whom to call, as every page has it."""
    return {"support_phone": phone, "support_phone_href": wording.tel(phone)}


def drawn_once(template: str, context: Mapping[str, object]) -> Drawn:
    shown = {"texts_lang": language.of_texts(), **context}
    return Drawn.of(render_to_string(template, shown))
